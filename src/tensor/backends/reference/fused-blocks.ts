// The larger fused kernels, self-attention and the SwiGLU half block, as the specification for fast backends.
import type { BlockAxis, BlockMemory, RotaryTables } from "../../backend.ts";
import type { NumberArray } from "../../dtype.ts";
import { scope } from "../../scope.ts";
import { emptyLike, type Tensor } from "../../tensor.ts";
import { arrayOf } from "./arrays.ts";
import { binary } from "./elementwise.ts";
import { addRmsNorm, addRmsNormBackward, siluGate, siluGateBackward } from "./fused.ts";
import { matmul } from "./matmul.ts";
import { sum } from "./reductions.ts";

/** out = weight · x along the axis. weight [to, from], or [from, to] if transposed */
function project(out: Tensor, x: Tensor, weight: Tensor, axis: BlockAxis, transposed = false): void {
  if (axis === -1) matmul(out, x, weight, false, !transposed);
  else matmul(out, weight, x, transposed, false);
}

/** dweight = Σ over puzzles of dy · xᵀ along the axis */
function weightGradient(out: Tensor, dy: Tensor, x: Tensor, axis: BlockAxis): void {
  const perPuzzle = emptyLike(out, [dy.shape[0]!, ...out.shape]);
  if (axis === -1) matmul(perPuzzle, dy, x, true, false);
  else matmul(perPuzzle, dy, x, false, true);
  const total = emptyLike(out, [1, ...out.shape]);
  sum(total, perPuzzle, 0);
  arrayOf(out).set(arrayOf(total));
}

/** out = addRmsNorm(h, down · siluGate(gateUp · h)) along the axis */
export function swigluBlock(
  out: Tensor,
  memory: BlockMemory | null,
  h: Tensor,
  gateUp: Tensor,
  down: Tensor,
  axis: BlockAxis,
  epsilon: number,
): void {
  scope(() => {
    const inner = memory?.gateUp ?? emptyLike(h, h.shape.with(axis, gateUp.shape[0]!));
    const gated = emptyLike(h, h.shape.with(axis, down.shape[1]!));
    const update = emptyLike(h);
    project(inner, h, gateUp, axis);
    siluGate(gated, inner, axis);
    project(update, gated, down, axis);
    addRmsNorm(out, memory?.inverseRms ?? emptyLike(h, h.shape.with(axis, 1)), h, update, axis, epsilon);
  });
}

/** ds = norm backward; dDown = ds gatedᵀ; dInner = silu backward of downᵀ ds; dGateUp = dInner hᵀ; dh = ds + gateUpᵀ dInner */
export function swigluBlockBackward(
  gradients: { h: Tensor; gateUp: Tensor; down: Tensor },
  saved: { h: Tensor; gateUp: Tensor; down: Tensor; out: Tensor; memory: BlockMemory },
  dy: Tensor,
  axis: BlockAxis,
): void {
  const { h, gateUp, down, out, memory } = saved;
  scope(() => {
    const ds = emptyLike(h);
    const gated = emptyLike(h, h.shape.with(axis, down.shape[1]!));
    const dGated = emptyLike(h, gated.shape);
    const dInner = emptyLike(h, memory.gateUp.shape);
    const dhInner = emptyLike(h);
    addRmsNormBackward(ds, out, memory.inverseRms, dy, axis);
    siluGate(gated, memory.gateUp, axis);
    weightGradient(gradients.down, ds, gated, axis);
    project(dGated, ds, down, axis, true);
    siluGateBackward(dInner, memory.gateUp, dGated, axis);
    weightGradient(gradients.gateUp, dInner, h, axis);
    project(dhInner, dInner, gateUp, axis, true);
    binary("add", gradients.h, ds, dhInner);
  });
}

/** Queries, keys and values of one head of one puzzle, [L, headSize] each. Queries and keys are rotated. */
interface Head {
  readonly q: Float64Array;
  readonly k: Float64Array;
  readonly v: Float64Array;
  /** Index of the head's first element in [B, L, D]. */
  readonly start: number;
  /** Index of its first query in [B, L, 3D]. */
  readonly startQkv: number;
}

interface Sizes {
  readonly length: number;
  readonly headSize: number;
  readonly width: number;
}

function forEachHead(
  qkv: Tensor,
  heads: number,
  rotary: RotaryTables | null,
  body: (head: Head, sizes: Sizes) => void,
): void {
  const [batch, length, width3] = qkv.shape as [number, number, number];
  const width = width3 / 3;
  const headSize = width / heads;
  const source = arrayOf(qkv);
  const read = (from: number): Float64Array =>
    Float64Array.from({ length: length * headSize }, (_, i) => {
      const position = Math.floor(i / headSize);
      return source[from + position * width3 + (i - position * headSize)]!;
    });
  for (let b = 0; b < batch; b++) {
    for (let head = 0; head < heads; head++) {
      const startQkv = b * length * width3 + head * headSize;
      const [q, k, v] = [read(startQkv), read(startQkv + width), read(startQkv + 2 * width)];
      if (rotary) for (const x of [q, k]) rotate(x, rotary, 1);
      body({ q, k, v, start: b * length * width + head * headSize, startQkv }, { length, headSize, width });
    }
  }
}

/** In place: x cos + swapped(x) sin, which rotates the two halves into each other. Direction -1 is the transpose, for gradients. */
function rotate(x: Float64Array, rotary: RotaryTables, direction: 1 | -1): void {
  const [cos, sin] = [arrayOf(rotary.cos), arrayOf(rotary.sin)];
  const [length, headSize] = rotary.cos.shape as [number, number];
  const half = headSize / 2;
  for (let i = 0; i < length; i++) {
    for (let c = 0; c < half; c++) {
      const [lo, hi] = [i * headSize + c, i * headSize + c + half];
      const [a, b] = [x[lo]!, x[hi]!];
      if (direction === 1) {
        x[lo] = a * cos[lo]! - b * sin[lo]!;
        x[hi] = b * cos[hi]! + a * sin[hi]!;
      } else {
        x[lo] = a * cos[lo]! + b * sin[hi]!;
        x[hi] = b * cos[hi]! - a * sin[lo]!;
      }
    }
  }
}

/** P[i, j] = softmax over j of q_i · k_j / √headSize */
function probabilities(q: Float64Array, k: Float64Array, { length, headSize }: Sizes): Float64Array {
  const p = new Float64Array(length * length);
  const scale = 1 / Math.sqrt(headSize);
  for (let i = 0; i < length; i++) {
    const row = p.subarray(i * length, (i + 1) * length);
    for (let j = 0; j < length; j++) {
      let dot = 0;
      for (let c = 0; c < headSize; c++) dot += q[i * headSize + c]! * k[j * headSize + c]!;
      row[j] = dot * scale;
    }
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let total = 0;
    for (let j = 0; j < length; j++) {
      row[j] = Math.exp(row[j]! - largest);
      total += row[j]!;
    }
    for (let j = 0; j < length; j++) row[j]! /= total;
  }
  return p;
}

/** y = P v per puzzle and head */
export function selfAttention(out: Tensor, qkv: Tensor, heads: number, rotary: RotaryTables | null): void {
  const o = arrayOf(out);
  forEachHead(qkv, heads, rotary, ({ q, k, v, start }, sizes) => {
    const { length, headSize, width } = sizes;
    const p = probabilities(q, k, sizes);
    for (let i = 0; i < length; i++) {
      for (let c = 0; c < headSize; c++) {
        let total = 0;
        for (let j = 0; j < length; j++) total += p[i * length + j]! * v[j * headSize + c]!;
        o[start + i * width + c] = total;
      }
    }
  });
}

/** dv = Pᵀ dy; dS = P (dP - rowsum(P · dP)) with dP = dy vᵀ; dq = dS k / √headSize; dk = dSᵀ q / √headSize */
export function selfAttentionBackward(
  dqkv: Tensor,
  qkv: Tensor,
  _out: Tensor,
  dy: Tensor,
  heads: number,
  rotary: RotaryTables | null,
): void {
  const [d, g] = [arrayOf(dqkv), arrayOf(dy)];
  forEachHead(qkv, heads, rotary, ({ q, k, v, start, startQkv }, sizes) => {
    const { length, headSize, width } = sizes;
    const scale = 1 / Math.sqrt(headSize);
    const p = probabilities(q, k, sizes);
    const [dq, dk, dv] = [q, k, v].map((x) => new Float64Array(x.length)) as [Float64Array, Float64Array, Float64Array];
    const dp = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      let weighted = 0;
      for (let j = 0; j < length; j++) {
        let dot = 0;
        for (let c = 0; c < headSize; c++) dot += g[start + i * width + c]! * v[j * headSize + c]!;
        dp[j] = dot;
        weighted += p[i * length + j]! * dot;
      }
      for (let j = 0; j < length; j++) {
        const ds = p[i * length + j]! * (dp[j]! - weighted) * scale;
        for (let c = 0; c < headSize; c++) {
          dv[j * headSize + c]! += p[i * length + j]! * g[start + i * width + c]!;
          dq[i * headSize + c]! += ds * k[j * headSize + c]!;
          dk[j * headSize + c]! += ds * q[i * headSize + c]!;
        }
      }
    }
    if (rotary) for (const x of [dq, dk]) rotate(x, rotary, -1);
    [dq, dk, dv].forEach((part, i) => {
      writeHead(d, part, startQkv + i * width, sizes);
    });
  });
}

function writeHead(to: NumberArray, part: Float64Array, start: number, { length, headSize, width }: Sizes): void {
  for (let i = 0; i < length; i++) {
    for (let c = 0; c < headSize; c++) to[start + i * 3 * width + c] = part[i * headSize + c]!;
  }
}
