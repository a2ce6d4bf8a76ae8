// Optimizer steps. A kernel has one output, so each updated tensor needs its own kernel. The powers of the betas are computed in
// JavaScript, in double precision.
import type { AdamSettings } from "../../../backend.ts";
import type { Tensor } from "../../../tensor.ts";
import { functions } from "../formulas.ts";
import { launch } from "../launch.ts";
import { checkRows } from "./data.ts";

export function adamAtan2(p: Tensor, m: Tensor, v: Tensor, gradient: Tensor, settings: AdamSettings): void {
  updateMoments(m, v, gradient, settings);
  updateParameter("adamAtan2", "angle(first, deviation)", { p, m, v }, settings);
}

export function adamW(p: Tensor, m: Tensor, v: Tensor, gradient: Tensor, settings: AdamSettings): void {
  updateMoments(m, v, gradient, settings);
  updateParameter("adamW", "first / (deviation + epsilon)", { p, m, v }, settings);
}

/** m = β1 m + (1 - β1) g;  v = β2 v + (1 - β2) g² */
function updateMoments(m: Tensor, v: Tensor, gradient: Tensor, { beta1, beta2 }: AdamSettings): void {
  movingAverage(m, gradient, beta1);
  const source = `function (v, gradient, beta, rest) {
  return beta * v[this.thread.x] + rest * gradient[this.thread.x] * gradient[this.thread.x];
}`;
  launch({ name: "second moment", out: v, inputs: [v, gradient, beta2, 1 - beta2], source });
}

/** p = (1 - lr wd) p - lr / (1 - β1^t) · direction, where direction is a formula of m and √v / √(1 - β2^t) */
function updateParameter(
  name: string,
  direction: string,
  { p, m, v }: { readonly p: Tensor; readonly m: Tensor; readonly v: Tensor },
  { learningRate, beta1, beta2, weightDecay, step, epsilon }: AdamSettings,
): void {
  const decay = 1 - learningRate * weightDecay;
  const size = learningRate / (1 - beta1 ** step);
  const deviationScale = 1 / Math.sqrt(1 - beta2 ** step);
  const source = `function (p, m, v, decay, size, deviationScale, epsilon) {
  const first = m[this.thread.x];
  const deviation = Math.sqrt(v[this.thread.x]) * deviationScale;
  return decay * p[this.thread.x] - size * ${direction};
}`;
  launch({ name, out: p, inputs: [p, m, v, decay, size, deviationScale, epsilon], functions, source });
}

/** For each row in ids: g = Σ of the gradients with that id; row = row (1 - lr wd) - lr sign(g). Other rows are unchanged. */
export function signSgdRows(
  table: Tensor,
  ids: Tensor,
  gradient: Tensor,
  learningRate: number,
  weightDecay: number,
): void {
  checkRows("signSgdRows", ids, table);
  if (gradient.size === 0) return;
  const source = `function (table, ids, gradient, decay, learningRate) {
  const row = Math.floor((this.thread.x + 0.5) / this.constants.width);
  const column = this.thread.x - row * this.constants.width;
  let isNamed = 0;
  let sum = 0;
  for (let i = 0; i < this.constants.count; i++) {
    if (ids[i] === row) {
      isNamed = 1;
      sum += gradient[i * this.constants.width + column];
    }
  }
  const before = table[this.thread.x];
  return isNamed > 0 ? decay * before - learningRate * Math.sign(sum) : before;
}`;
  const inputs = [table, ids, gradient, 1 - learningRate * weightDecay, learningRate];
  const constants = { width: table.shape[1]!, count: ids.size };
  launch({ name: "signSgdRows", out: table, inputs, constants, source });
}

export function movingAverage(average: Tensor, value: Tensor, rate: number): void {
  const source = `function (average, value, rate, rest) {
  return rate * average[this.thread.x] + rest * value[this.thread.x];
}`;
  launch({ name: "movingAverage", out: average, inputs: [average, value, rate, 1 - rate], source });
}
