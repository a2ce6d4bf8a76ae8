// Fused kernels of one pass each. Their definitions, composed of primitive operations, are in src/autograd/operations.
import type { BlockAxis, CrossEntropyName } from "../../backend.ts";
import type { NumberArray } from "../../dtype.ts";
import { sigmoid } from "../../elementwise.ts";
import { ShapeError } from "../../errors.ts";
import { aroundAxis } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { arrayOf } from "./arrays.ts";

const alongAxis = (tensor: Tensor, axis: BlockAxis) => aroundAxis(tensor.shape, tensor.shape.length + axis);

/** u = [gate; up]; out = silu(gate) · up */
export function siluGate(out: Tensor, u: Tensor, axis: BlockAxis): void {
  const [o, p] = [arrayOf(out), arrayOf(u)];
  const { outer, length, inner } = alongAxis(out, axis);
  const half = length * inner;
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < half; j++) {
      const gate = p[2 * i * half + j]!;
      o[i * half + j] = gate * sigmoid(gate) * p[(2 * i + 1) * half + j]!;
    }
  }
}

/** dgate = dy · up · s (1 + gate (1 - s)) with s = sigmoid(gate); dup = dy · gate · s */
export function siluGateBackward(du: Tensor, u: Tensor, dy: Tensor, axis: BlockAxis): void {
  const [d, p, g] = [arrayOf(du), arrayOf(u), arrayOf(dy)];
  const { outer, length, inner } = alongAxis(dy, axis);
  const half = length * inner;
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < half; j++) {
      const atGate = 2 * i * half + j;
      const atUp = atGate + half;
      const gate = p[atGate]!;
      const s = sigmoid(gate);
      const dOut = g[i * half + j]!;
      d[atGate] = dOut * p[atUp]! * s * (1 + gate * (1 - s));
      d[atUp] = dOut * gate * s;
    }
  }
}

/** s = h + r; out = s / √(mean s² + ε) */
export function addRmsNorm(
  out: Tensor,
  inverseRms: Tensor,
  h: Tensor,
  r: Tensor | null,
  axis: BlockAxis,
  epsilon: number,
): void {
  const [o, inverse, p] = [arrayOf(out), arrayOf(inverseRms), arrayOf(h)];
  const { outer, length, inner } = alongAxis(h, axis);
  if (r) {
    const q = arrayOf(r);
    for (let i = 0; i < o.length; i++) o[i] = p[i]! + q[i]!;
  } else o.set(p);
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < inner; j++) {
      const start = i * length * inner + j;
      let squares = 0;
      for (let k = 0; k < length; k++) squares += o[start + k * inner]! ** 2;
      const scale = 1 / Math.sqrt(squares / length + epsilon);
      for (let k = 0; k < length; k++) o[start + k * inner]! *= scale;
      inverse[i * inner + j] = scale;
    }
  }
}

/** ds = (dy - y · mean(dy · y)) · inverseRms */
export function addRmsNormBackward(ds: Tensor, y: Tensor, inverseRms: Tensor, dy: Tensor, axis: BlockAxis): void {
  const [d, o, inverse, g] = [arrayOf(ds), arrayOf(y), arrayOf(inverseRms), arrayOf(dy)];
  const { outer, length, inner } = alongAxis(y, axis);
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < inner; j++) {
      const start = i * length * inner + j;
      let dot = 0;
      for (let k = 0; k < length; k++) dot += g[start + k * inner]! * o[start + k * inner]!;
      const mean = dot / length;
      const scale = inverse[i * inner + j]!;
      for (let k = 0; k < length; k++) {
        const at = start + k * inner;
        d[at] = (g[at]! - o[at]! * mean) * scale;
      }
    }
  }
}

/** s(v) = v + 1 for v >= 0, 1 / (1 - v) below. Prieto et al. 2025. */
const stablemaxScore = (v: number): number => (v >= 0 ? v + 1 : 1 / (1 - v));
const stablemaxSlope = (v: number): number => (v >= 0 ? 1 : 1 / (1 - v) ** 2);

/** Per row: -log(score[label] / Σ score), in double precision; 0 where the label is negative (ignored). */
export function crossEntropy(name: CrossEntropyName, out: Tensor, logits: Tensor, labels: Tensor): void {
  const [o, v, label] = [arrayOf(out), arrayOf(logits), arrayOf(labels)];
  const width = logits.shape[1]!;
  for (let i = 0; i < o.length; i++) {
    const target = checkedLabel(label, i, width);
    if (target < 0) o[i] = 0;
    else if (name === "stablemax") {
      let total = 0;
      for (let j = 0; j < width; j++) total += stablemaxScore(v[i * width + j]!);
      o[i] = Math.log(total) - Math.log(stablemaxScore(v[i * width + target]!));
    } else {
      const largest = rowMax(v, i * width, width);
      let total = 0;
      for (let j = 0; j < width; j++) total += Math.exp(v[i * width + j]! - largest);
      o[i] = Math.log(total) - (v[i * width + target]! - largest);
    }
  }
}

/** dlogit_j = dy (s'_j / Σ s - [j = label] s'_j / s_j), which for softmax is dy (p_j - [j = label]) */
export function crossEntropyBackward(
  name: CrossEntropyName,
  dlogits: Tensor,
  logits: Tensor,
  labels: Tensor,
  dy: Tensor,
): void {
  const [d, v, label, g] = [arrayOf(dlogits), arrayOf(logits), arrayOf(labels), arrayOf(dy)];
  const width = logits.shape[1]!;
  for (let i = 0; i < g.length; i++) {
    const target = checkedLabel(label, i, width);
    const start = i * width;
    if (target < 0) {
      d.fill(0, start, start + width);
      continue;
    }
    const largest = name === "softmax" ? rowMax(v, start, width) : 0;
    const score = name === "softmax" ? (x: number) => Math.exp(x - largest) : stablemaxScore;
    const slope = name === "softmax" ? score : stablemaxSlope;
    let total = 0;
    for (let j = 0; j < width; j++) total += score(v[start + j]!);
    for (let j = 0; j < width; j++) {
      const x = v[start + j]!;
      const own = j !== target ? 0 : name === "softmax" ? 1 : x === -Infinity ? 0 : slope(x) / score(x);
      d[start + j] = g[i]! * (slope(x) / total - own);
    }
  }
}

function rowMax(values: NumberArray, start: number, width: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < width; j++) largest = Math.max(largest, values[start + j]!);
  return largest;
}

function checkedLabel(labels: NumberArray, position: number, classes: number): number {
  const label = labels[position]!;
  if (label < classes) return label;
  throw new ShapeError(`crossEntropy: got label ${label} at position ${position}, expected less than ${classes}`);
}
