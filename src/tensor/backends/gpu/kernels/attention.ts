// Multi-head self-attention on qkv [B, L, 3D], which holds queries, keys and values side by side, each split into heads of size
// D / heads. The composed definition needs about thirty kernels (slices, permutations, softmax); these need five or six.
// The backward pass recomputes the probabilities from qkv, so nothing else is stored.
import type { RotaryTables } from "../../../backend.ts";
import { scope } from "../../../scope.ts";
import { emptyLike, type Tensor } from "../../../tensor.ts";
import { launch } from "../launch.ts";
import { softmaxRows } from "./rows.ts";

type Sizes = Readonly<Record<"length" | "width" | "headSize" | "heads", number>>;

function sizesOf(qkv: Tensor, heads: number): Sizes {
  const width = qkv.shape[2]! / 3;
  return { length: qkv.shape[1]!, width, headSize: width / heads, heads };
}

/** For a kernel over [B, heads, L, L]: the batch, the head, the query i and the key j of an element. */
const pairOfPositions = `const line = Math.floor((this.thread.x + 0.5) / this.constants.length);
  const j = this.thread.x - line * this.constants.length;
  const perHead = Math.floor((line + 0.5) / this.constants.length);
  const i = line - perHead * this.constants.length;
  const batch = Math.floor((perHead + 0.5) / this.constants.heads);
  const head = perHead - batch * this.constants.heads;`;

/** y = P v */
export function selfAttention(out: Tensor, qkv: Tensor, heads: number, rotary: RotaryTables | null): void {
  if (out.size === 0) return;
  scope(() => {
    const sizes = sizesOf(qkv, heads);
    const turned = rotary ? rotated(qkv, sizes, rotary, 1) : qkv;
    const source = `function (p, qkv) {
  const position = Math.floor((this.thread.x + 0.5) / this.constants.width);
  const column = this.thread.x - position * this.constants.width;
  const head = Math.floor((column + 0.5) / this.constants.headSize);
  const batch = Math.floor((position + 0.5) / this.constants.length);
  const i = position - batch * this.constants.length;
  const startP = ((batch * this.constants.heads + head) * this.constants.length + i) * this.constants.length;
  const startV = (3 * batch * this.constants.length + 2) * this.constants.width + column;
  let sum = 0;
  for (let j = 0; j < this.constants.length; j++) {
    sum += p[startP + j] * qkv[startV + 3 * j * this.constants.width];
  }
  return sum;
}`;
    launch({ name: "selfAttention", out, inputs: [probabilities(turned, sizes), turned], constants: sizes, source });
  });
}

/** dv = Pᵀ dy; dS = P (dP - rowsum(P · dP)) / √headSize with dP = dy vᵀ; dq = dS k; dk = dSᵀ q */
export function selfAttentionBackward(
  dqkv: Tensor,
  qkv: Tensor,
  _out: Tensor,
  dy: Tensor,
  heads: number,
  rotary: RotaryTables | null,
): void {
  if (dqkv.size === 0) return;
  scope(() => {
    const sizes = sizesOf(qkv, heads);
    const turned = rotary ? rotated(qkv, sizes, rotary, 1) : qkv;
    const p = probabilities(turned, sizes);
    const ds = scoreGradient(p, turned, dy, sizes);
    const source = `function (p, ds, qkv, dy) {
  const position = Math.floor((this.thread.x + 0.5) / (3 * this.constants.width));
  const across = this.thread.x - 3 * position * this.constants.width;
  const part = Math.floor((across + 0.5) / this.constants.width);
  const column = across - part * this.constants.width;
  const head = Math.floor((column + 0.5) / this.constants.headSize);
  const batch = Math.floor((position + 0.5) / this.constants.length);
  const i = position - batch * this.constants.length;
  const startP = (batch * this.constants.heads + head) * this.constants.length * this.constants.length;
  const first = batch * this.constants.length;
  let sum = 0;
  for (let j = 0; j < this.constants.length; j++) {
    if (part < 0.5) {
      sum += ds[startP + i * this.constants.length + j] * qkv[(3 * (first + j) + 1) * this.constants.width + column];
    } else if (part < 1.5) {
      sum += ds[startP + j * this.constants.length + i] * qkv[3 * (first + j) * this.constants.width + column];
    } else {
      sum += p[startP + j * this.constants.length + i] * dy[(first + j) * this.constants.width + column];
    }
  }
  return sum;
}`;
    const gradient = rotary ? emptyLike(dqkv) : dqkv;
    launch({ name: "selfAttentionBackward", out: gradient, inputs: [p, ds, turned, dy], constants: sizes, source });
    if (rotary) rotate(dqkv, gradient, sizes, rotary, -1);
  });
}

/** P[b, head, i, j] = softmax over j of q_i · k_j / √headSize */
function probabilities(qkv: Tensor, sizes: Sizes): Tensor {
  return scope(() => {
    const scores = emptyLike(qkv, [qkv.shape[0]!, sizes.heads, sizes.length, sizes.length]);
    const p = emptyLike(scores);
    const source = `function (qkv, scale) {
  ${pairOfPositions}
  const startQ = 3 * (batch * this.constants.length + i) * this.constants.width + head * this.constants.headSize;
  const startK = (3 * (batch * this.constants.length + j) + 1) * this.constants.width + head * this.constants.headSize;
  let dot = 0;
  for (let c = 0; c < this.constants.headSize; c++) {
    dot += qkv[startQ + c] * qkv[startK + c];
  }
  return scale * dot;
}`;
    const scale = 1 / Math.sqrt(sizes.headSize);
    launch({ name: "attention scores", out: scores, inputs: [qkv, scale], constants: sizes, source });
    softmaxRows(p, scores);
    return p;
  });
}

/** dS = P (dP - Σ_j P dP) / √headSize with dP = dy vᵀ; shape [B, heads, L, L] */
function scoreGradient(p: Tensor, qkv: Tensor, dy: Tensor, sizes: Sizes): Tensor {
  return scope(() => {
    const dp = emptyLike(p);
    const gradient = `function (qkv, dy) {
  ${pairOfPositions}
  const startDy = (batch * this.constants.length + i) * this.constants.width + head * this.constants.headSize;
  const startV = (3 * (batch * this.constants.length + j) + 2) * this.constants.width + head * this.constants.headSize;
  let dot = 0;
  for (let c = 0; c < this.constants.headSize; c++) {
    dot += dy[startDy + c] * qkv[startV + c];
  }
  return dot;
}`;
    launch({ name: "dy vᵀ", out: dp, inputs: [qkv, dy], constants: sizes, source: gradient });

    const weighted = emptyLike(p, p.shape.slice(0, -1));
    const statistics = `function (p, dp) {
  const start = this.thread.x * this.constants.length;
  let sum = 0;
  for (let j = 0; j < this.constants.length; j++) {
    sum += p[start + j] * dp[start + j];
  }
  return sum;
}`;
    const { length } = sizes;
    launch({ name: "rowsum of P dP", out: weighted, inputs: [p, dp], constants: { length }, source: statistics });

    const ds = emptyLike(p);
    const source = `function (p, dp, weighted, scale) {
  const row = Math.floor((this.thread.x + 0.5) / this.constants.length);
  return scale * p[this.thread.x] * (dp[this.thread.x] - weighted[row]);
}`;
    const inputs = [p, dp, weighted, 1 / Math.sqrt(sizes.headSize)];
    launch({ name: "score gradient", out: ds, inputs, constants: { length }, source });
    return ds;
  });
}

function rotated(qkv: Tensor, sizes: Sizes, rotary: RotaryTables, direction: 1 | -1): Tensor {
  const out = emptyLike(qkv);
  rotate(out, qkv, sizes, rotary, direction);
  return out;
}

/**
 * Rotates queries and keys and copies values. In the lower half of a head, y = x cos - x' sin; in the upper half,
 * y = x cos + x' sin, where x' is the corresponding element of the other half. Direction -1 is the transpose, for gradients.
 */
function rotate(out: Tensor, qkv: Tensor, sizes: Sizes, rotary: RotaryTables, direction: 1 | -1): void {
  const half = sizes.headSize / 2;
  const source = `function (qkv, cos, sin) {
  const position = Math.floor((this.thread.x + 0.5) / (3 * this.constants.width));
  const across = this.thread.x - 3 * position * this.constants.width;
  if (across >= 2 * this.constants.width) {
    return qkv[this.thread.x];
  }
  const head = Math.floor((across + 0.5) / this.constants.headSize);
  const c = across - head * this.constants.headSize;
  const batch = Math.floor((position + 0.5) / this.constants.length);
  const start = (position - batch * this.constants.length) * this.constants.headSize;
  const toOther = c < this.constants.half ? this.constants.half : -this.constants.half;
  const sign = c < this.constants.half ? -1 : 1;
  const angle = start + c${direction === 1 ? "" : " + toOther"};
  return qkv[this.thread.x] * cos[start + c] + ${direction} * sign * qkv[this.thread.x + toOther] * sin[angle];
}`;
  const inputs = [qkv, rotary.cos, rotary.sin];
  launch({ name: "rotate", out, inputs, constants: { ...sizes, half }, source });
}
