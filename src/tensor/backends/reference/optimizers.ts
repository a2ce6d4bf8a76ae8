// Optimizer steps, in place. Adam-atan2: Everett et al. 2024; AdamW: Loshchilov & Hutter 2019.
import type { AdamSettings } from "../../backend.ts";
import type { Tensor } from "../../tensor.ts";
import { arrayOf, checkedRow } from "./arrays.ts";

export function adamAtan2(p: Tensor, m: Tensor, v: Tensor, gradient: Tensor, settings: AdamSettings): void {
  adam(p, m, v, gradient, settings, (mean, deviation) => Math.atan2(mean, deviation));
}

export function adamW(p: Tensor, m: Tensor, v: Tensor, gradient: Tensor, settings: AdamSettings): void {
  adam(p, m, v, gradient, settings, (mean, deviation) => mean / (deviation + settings.epsilon));
}

function adam(
  parameter: Tensor,
  first: Tensor,
  second: Tensor,
  gradient: Tensor,
  { learningRate, beta1, beta2, weightDecay, step }: AdamSettings,
  direction: (mean: number, deviation: number) => number,
): void {
  const [p, m, v, g] = [arrayOf(parameter), arrayOf(first), arrayOf(second), arrayOf(gradient)];
  const decay = 1 - learningRate * weightDecay;
  const size = learningRate / (1 - beta1 ** step);
  const deviationScale = 1 / Math.sqrt(1 - beta2 ** step);
  for (let i = 0; i < p.length; i++) {
    m[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
    v[i] = beta2 * v[i]! + (1 - beta2) * g[i]! * g[i]!;
    p[i] = p[i]! * decay - size * direction(m[i]!, Math.sqrt(v[i]!) * deviationScale);
  }
}

export function signSgdRows(
  table: Tensor,
  ids: Tensor,
  gradient: Tensor,
  learningRate: number,
  weightDecay: number,
): void {
  const [rows, id, g] = [arrayOf(table), arrayOf(ids), arrayOf(gradient)];
  const width = table.shape[1]!;
  const sums = new Map<number, Float64Array>();
  for (let i = 0; i < id.length; i++) {
    const row = checkedRow("signSgdRows", id[i]!, table.shape[0]!, i);
    const sum = sums.get(row) ?? new Float64Array(width);
    for (let j = 0; j < width; j++) sum[j]! += g[i * width + j]!;
    sums.set(row, sum);
  }
  for (const [row, sum] of sums) {
    for (let j = 0; j < width; j++) {
      const at = row * width + j;
      rows[at] = rows[at]! * (1 - learningRate * weightDecay) - learningRate * Math.sign(sum[j]!);
    }
  }
}

export function movingAverage(average: Tensor, value: Tensor, rate: number): void {
  const a = arrayOf(average);
  const x = arrayOf(value);
  for (let i = 0; i < a.length; i++) a[i] = rate * a[i]! + (1 - rate) * x[i]!;
}
