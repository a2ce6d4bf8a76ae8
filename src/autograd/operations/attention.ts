// Attention: softmax, rotary positions, and multi-head self-attention as one fused operation.
import * as t from "../../tensor/index.ts";
import { type InputDomain, real } from "../domain.ts";
import { apply, defineOperation } from "../operation.ts";
import { expectVariables, type Variable } from "../variable.ts";
import { concat, max, permute, reshape, slice, sum } from "./arrangement.ts";
import { add, affine, divide, exp, multiply, negate, subtract } from "./elementwise.ts";
import { matmul } from "./products.ts";

/** e^x / Σ e^x along the last axis. Subtracting the largest element first avoids overflow and leaves the result unchanged. */
export function softmax(x: Variable): Variable {
  expectVariables("softmax", [x]);
  const e = exp(subtract(x, max(x, [-1], true).detach()));
  return divide(e, sum(e, [-1], true));
}

/** Rotary positions: rotates the two halves of every head against each other. x [B, L, heads, headSize], cos and sin [L, headSize] */
export function rotate(x: Variable, cos: Variable, sin: Variable): Variable {
  expectVariables("rotate", [x, cos, sin]);
  const headSize = x.shape[3]!;
  const perPosition = [x.shape[1]!, 1, headSize];
  const swapped = concat([negate(slice(x, 3, headSize / 2, headSize)), slice(x, 3, 0, headSize / 2)], 3);
  return add(multiply(x, reshape(cos, perPosition)), multiply(swapped, reshape(sin, perPosition)));
}

/** softmax(q kᵀ / √headSize) v. q, k, v [.., L, headSize] */
export function attention(q: Variable, k: Variable, v: Variable): Variable {
  expectVariables("attention", [q, k, v]);
  const scores = affine(matmul(q, k, { transposeB: true }), 1 / Math.sqrt(q.shape.at(-1)!));
  return matmul(softmax(scores), v);
}

const { operation: selfAttentionOperation } = defineOperation({
  name: "selfAttention",
  equation:
    "P = softmax(q kᵀ / √headSize), y = P v;  dv = Pᵀ dy, dS = P (dy vᵀ - rowsum(P · dy vᵀ)), dq = dS k / √headSize, dk = dSᵀ q / √headSize",
  domain: (draw) => {
    const [batch, length] = [draw.integer(1, 2), draw.integer(1, 4)];
    const [heads, half] = [draw.integer(1, 2), draw.integer(1, 2)];
    const qkv = real([batch, length, 3 * heads * 2 * half]);
    const table = real([length, 2 * half], [-1, 1], { fixed: true });
    const inputs: [InputDomain, InputDomain?, InputDomain?] = draw.integer(0, 1) === 0 ? [qkv] : [qkv, table, table];
    return { inputs, attributes: { heads } };
  },
  maxMagnitude: 1e12, // q · k is of second order, and the sums of its gradient are of third order.
  shape: ([qkv, cos, sin], { heads }) => {
    if (!Number.isInteger(heads) || heads < 1) {
      throw new t.ShapeError(`selfAttention: got ${heads} heads, expected a whole number of at least 1`);
    }
    const headSize = qkv.at(-1)! / 3 / heads;
    if (qkv.length !== 3 || !Number.isInteger(headSize)) {
      throw new t.ShapeError(`selfAttention: got ${t.showShape(qkv)}, expected [B, L, 3 · ${heads} heads · headSize]`);
    }
    if (cos && sin) expectTables(cos, sin, [qkv[1]!, headSize]);
    return [qkv[0]!, qkv[1]!, heads * headSize];
  },
  forward: ([qkv, cos, sin], { heads }) => {
    const y = t.emptyLike(qkv, qkv.shape.with(2, qkv.shape[2]! / 3));
    qkv.backend.fused.selfAttention!(y, qkv, heads, cos && sin ? { cos, sin } : null);
    return y;
  },
  backward: (dy, { inputs: [qkv, cos, sin], output: y, attributes: { heads } }) => {
    const dqkv = t.emptyLike(qkv);
    qkv.backend.fused.selfAttentionBackward!(dqkv, qkv, y, dy, heads, cos && sin ? { cos, sin } : null);
    return [dqkv, null, null];
  },
  saves: { output: true },
  kernel: "selfAttention",
  definition: ([qkv, cos, sin], { heads }) => {
    const [batch, length, width] = [qkv.shape[0]!, qkv.shape[1]!, qkv.shape[2]! / 3];
    const part = (i: number): Variable =>
      reshape(slice(qkv, 2, i * width, (i + 1) * width), [batch, length, heads, width / heads]);
    const byHead = (x: Variable): Variable => permute(x, [0, 2, 1, 3]); // [B, heads, L, headSize]
    const turned = (x: Variable): Variable => (cos && sin ? rotate(x, cos, sin) : x);
    const y = attention(byHead(turned(part(0))), byHead(turned(part(1))), byHead(part(2)));
    return reshape(permute(y, [0, 2, 1, 3]), [batch, length, width]);
  },
});

function expectTables(cos: t.Shape, sin: t.Shape, expected: readonly [length: number, headSize: number]): void {
  const [length, headSize] = expected;
  if (headSize % 2 !== 0) {
    throw new t.ShapeError(`selfAttention: got a head size of ${headSize}, expected an even one for rotary positions`);
  }
  if (t.sameShape(cos, expected) && t.sameShape(sin, expected)) return;
  const tables = `${t.showShape(cos)} and ${t.showShape(sin)}`;
  throw new t.ShapeError(`selfAttention: got rotary tables ${tables}, expected [${length}, ${headSize}] each`);
}

/** Multi-head self-attention. qkv [B, L, 3D] holds queries, keys and values; the rotary tables [L, D / heads] are constants -> [B, L, D] */
export const selfAttention = (qkv: Variable, heads: number, rotary?: t.RotaryTables<Variable>): Variable =>
  apply(selfAttentionOperation, rotary ? [qkv, rotary.cos, rotary.sin] : [qkv], { heads });
