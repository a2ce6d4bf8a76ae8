// Fused operations: one kernel where the definition would need several passes over memory. Each has its definition, composed
// of other operations, beside it; `scope(body, { fused: false })` runs the definitions alone.

import type { BlockAxis } from "../../tensor/index.ts";
import * as t from "../../tensor/index.ts";
import { type Draw, index, real } from "../domain.ts";
import { defineOperation, fusedKernel } from "../operation.ts";
import { Variable } from "../variable.ts";
import { concat, max, mean, permute, reshape, slice, sum } from "./arrangement.ts";
import {
  add,
  affine,
  cast,
  divide,
  exp,
  log,
  multiply,
  negate,
  reciprocal,
  relu,
  rsqrt,
  select,
  silu,
  square,
  subtract,
} from "./elementwise.ts";
import { linear, matmul } from "./products.ts";

function expectAxis(operation: string, shape: t.Shape, axis: BlockAxis): void {
  if (shape.length >= -axis) return;
  throw new t.ShapeError(`${operation}: got ${t.showShape(shape)}, expected at least ${-axis} axes`);
}

const anyAxis = (draw: Draw): BlockAxis => draw.oneOf([-1, -2] as const);

const siluGateOperation = defineOperation<1, { axis: BlockAxis }>({
  name: "siluGate",
  equation: "[g; u] = x along the axis, y = silu(g) · u;  dg = dy · u · silu'(g), du = dy · silu(g)",
  domain: (draw) => {
    const axis = anyAxis(draw);
    const shape = [draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)];
    return { inputs: [real(shape.with(axis, 2 * shape.at(axis)!))], attributes: { axis } };
  },
  shape: ([x], { axis }) => {
    expectAxis("siluGate", x, axis);
    const width = x.at(axis)!;
    if (width % 2 === 0) return x.with(axis, width / 2);
    throw new t.ShapeError(`siluGate: got ${t.showShape(x)}, expected an even length along axis ${axis} (gate and up)`);
  },
  forward: ([x], { axis }) => {
    const y = t.emptyLike(x, x.shape.with(axis, x.shape.at(axis)! / 2));
    fusedKernel(x.backend, "siluGate")(y, x, axis);
    return y;
  },
  backward: (dy, { inputs: [x], attributes: { axis } }) => {
    const dx = t.emptyLike(x);
    fusedKernel(x.backend, "siluGateBackward")(dx, x, dy, axis);
    return [dx];
  },
  kernel: "siluGate",
  definition: ([x], { axis }) => {
    const half = x.shape.at(axis)! / 2;
    return multiply(silu(slice(x, axis, 0, half)), slice(x, axis, half, 2 * half));
  },
});

/** [gate; up] = x along the axis; silu(gate) · up. Shazeer 2020. */
export const siluGate = (x: Variable, axis: BlockAxis = -1): Variable => siluGateOperation([x], { axis });

/** Root-mean-square norm without weight over one axis: x / √(mean x² + ε). The definition, in primitives. */
const rmsNormDefinition = (x: Variable, axis: BlockAxis, epsilon: number): Variable =>
  multiply(x, rsqrt(affine(mean(square(x), [axis], true), 1, epsilon)));

const rmsNormOperation = defineOperation<number, { axis: BlockAxis; epsilon: number }>({
  name: "rmsNorm",
  equation:
    "s = Σ inputs, y = s / √(mean s² + ε);  ds = (dy - y · mean(dy · y)) / √(mean s² + ε), the same for each input",
  domain: (draw) => {
    const shape = [draw.integer(1, 3), draw.integer(1, 4), draw.integer(1, 4)];
    const inputs = Array.from({ length: draw.integer(1, 2) }, () => real(shape));
    return { inputs, attributes: { axis: anyAxis(draw), epsilon: draw.oneOf([0.01, 0.1]) } };
  },
  shape: (shapes, { axis }) => {
    const [first, second] = shapes as [t.Shape, t.Shape | undefined];
    expectAxis("rmsNorm", first, axis);
    if (second && !t.sameShape(first, second)) {
      throw new t.ShapeError(`rmsNorm: got ${t.showShape(first)} and ${t.showShape(second)}, expected equal shapes`);
    }
    return first;
  },
  forward: ([h, r], { axis, epsilon }) => {
    const y = t.emptyLike(h!);
    const inverseRms = t.emptyLike(h!, h!.shape.with(axis, 1));
    fusedKernel(h!.backend, "addRmsNorm")(y, inverseRms, h!, r ?? null, axis, epsilon);
    return { output: y, memory: [inverseRms] };
  },
  backward: (dy, { output: y, memory: [inverseRms], shapes, attributes: { axis } }) => {
    const ds = t.emptyLike(y);
    fusedKernel(y.backend, "addRmsNormBackward")(ds, y, inverseRms!, dy, axis);
    return shapes.length === 1 ? [ds] : [ds, ds.view(ds.shape)];
  },
  saves: { inputs: [], output: true },
  kernel: "addRmsNorm",
  definition: ([h, r], { axis, epsilon }) => rmsNormDefinition(r ? add(h!, r) : h!, axis, epsilon),
});

/** x / √(mean x² + ε) over the axis, without weight. Zhang & Sennrich 2019. */
export const rmsNorm = (x: Variable, axis: BlockAxis = -1, epsilon = 1e-5): Variable =>
  rmsNormOperation([x], { axis, epsilon });

/** rmsNorm(h + r): the post-norm residual of a block. */
export const addRmsNorm = (h: Variable, r: Variable, axis: BlockAxis = -1, epsilon = 1e-5): Variable =>
  rmsNormOperation([h, r], { axis, epsilon });

/** The two weight matrices of a SwiGLU over an axis of width W: gateUp [2I, W], down [W, I]. */
export interface SwigluWeights {
  readonly gateUp: Variable;
  readonly down: Variable;
}

/** down · siluGate(gateUp · x) along the axis. Over the sequence no transpose is needed: the weights stand on the left. */
export function swiglu(x: Variable, { gateUp, down }: SwigluWeights, axis: BlockAxis = -1): Variable {
  if (axis === -1) return linear(siluGate(linear(x, gateUp)), down);
  return matmul(down, siluGate(matmul(gateUp, x), -2));
}

const swigluBlockOperation = defineOperation<3, { axis: BlockAxis; epsilon: number }>({
  name: "swigluBlock",
  equation: "y = rmsNorm(h + down · siluGate(gateUp · h)) along the axis;  gradients by the chain rule",
  domain: (draw) => {
    const axis = anyAxis(draw);
    const shape = [draw.integer(1, 3), draw.integer(1, 4), draw.integer(1, 4)];
    const [width, inner] = [shape.at(axis)!, draw.integer(1, 4)];
    return {
      inputs: [real(shape), real([2 * inner, width]), real([width, inner])],
      attributes: { axis, epsilon: 0.01 },
    };
  },
  shape: ([h, gateUp, down], { axis }) => {
    const width = h.at(axis)!;
    const fits = down.length === 2 && t.sameShape(gateUp, [2 * down[1]!, width]) && down[0] === width;
    if (fits && h.length === 3) return h;
    throw new t.ShapeError(
      `swigluBlock: got h ${t.showShape(h)}, gateUp ${t.showShape(gateUp)}, down ${t.showShape(down)}, expected h [B, L, D], gateUp [2I, ${width}], down [${width}, I] along axis ${axis}`,
    );
  },
  forward: ([h, gateUp, down], { axis, epsilon }, recording) => {
    const y = t.emptyLike(h);
    const memory = recording
      ? {
          gateUp: t.emptyLike(h, h.shape.with(axis, gateUp.shape[0]!)),
          inverseRms: t.emptyLike(h, h.shape.with(axis, 1)),
        }
      : null;
    fusedKernel(h.backend, "swigluBlock")(y, memory, h, gateUp, down, axis, epsilon);
    return { output: y, memory: memory ? [memory.gateUp, memory.inverseRms] : [] };
  },
  backward: (dy, { inputs: [h, gateUp, down], output: out, memory: [inner, inverseRms], attributes: { axis } }) => {
    const gradients = {
      h: t.emptyLike(h),
      gateUp: t.emptyLike(h, gateUp.shape),
      down: t.emptyLike(h, down.shape),
    };
    const memory = { gateUp: inner!, inverseRms: inverseRms! };
    fusedKernel(h.backend, "swigluBlockBackward")(gradients, { h, gateUp, down, out, memory }, dy, axis);
    return [gradients.h, gradients.gateUp, gradients.down];
  },
  saves: { output: true },
  kernel: "swigluBlock",
  definition: ([h, gateUp, down], { axis, epsilon }) => addRmsNorm(h, swiglu(h, { gateUp, down }, axis), axis, epsilon),
});

/** rmsNorm(h + swiglu(h)) along the axis: half a block of the network. h [B, L, D] */
export const swigluBlock = (
  h: Variable,
  { gateUp, down }: SwigluWeights,
  axis: BlockAxis = -1,
  epsilon = 1e-5,
): Variable => swigluBlockOperation([h, gateUp, down], { axis, epsilon });

/** e^x / Σ e^x along the last axis. The largest element is taken off first, which changes nothing but the range. */
export function softmax(x: Variable): Variable {
  const e = exp(subtract(x, max(x, [-1], true).detach()));
  return divide(e, sum(e, [-1], true));
}

/** Rotary positions: the halves of every head are rotated against each other. x [B, L, heads, headSize], cos and sin [L, headSize] */
export function rotate(x: Variable, cos: Variable, sin: Variable): Variable {
  const headSize = x.shape[3]!;
  const perPosition = [x.shape[1]!, 1, headSize];
  const swapped = concat([negate(slice(x, 3, headSize / 2, headSize)), slice(x, 3, 0, headSize / 2)], 3);
  return add(multiply(x, reshape(cos, perPosition)), multiply(swapped, reshape(sin, perPosition)));
}

/** softmax(q kᵀ / √headSize) v. q, k, v [.., L, headSize] */
export function attention(q: Variable, k: Variable, v: Variable): Variable {
  const scores = affine(matmul(q, k, { transposeB: true }), 1 / Math.sqrt(q.shape.at(-1)!));
  return matmul(softmax(scores), v);
}

const selfAttentionOperation = defineOperation<number, { heads: number }>({
  name: "selfAttention",
  equation:
    "P = softmax(q kᵀ / √headSize), y = P v;  dv = Pᵀ dy, dS = P (dy vᵀ - rowsum(P · dy vᵀ)), dq = dS k / √headSize, dk = dSᵀ q / √headSize",
  domain: (draw) => {
    const [batch, length, heads, half] = [
      draw.integer(1, 2),
      draw.integer(1, 4),
      draw.integer(1, 2),
      draw.integer(1, 2),
    ];
    const table = real([length, 2 * half], [-1, 1], { fixed: true });
    return {
      inputs: [real([batch, length, 3 * heads * 2 * half]), ...(draw.integer(0, 1) === 0 ? [] : [table, table])],
      attributes: { heads },
    };
  },
  shape: (shapes, { heads }) => {
    const [qkv, ...rotary] = shapes as [t.Shape, ...t.Shape[]];
    if (!Number.isInteger(heads) || heads < 1) {
      throw new t.ShapeError(`selfAttention: got ${heads} heads, expected a whole number of at least 1`);
    }
    const headSize = qkv.at(-1)! / 3 / heads;
    if (qkv.length !== 3 || !Number.isInteger(headSize)) {
      throw new t.ShapeError(`selfAttention: got ${t.showShape(qkv)}, expected [B, L, 3 · ${heads} heads · headSize]`);
    }
    if (rotary.length > 0 && headSize % 2 !== 0) {
      throw new t.ShapeError(
        `selfAttention: got a head size of ${headSize}, expected an even one for rotary positions`,
      );
    }
    if (rotary.some((table) => !t.sameShape(table, [qkv[1]!, headSize]))) {
      const tables = rotary.map(t.showShape).join(" and ");
      throw new t.ShapeError(`selfAttention: got rotary tables ${tables}, expected [${qkv[1]}, ${headSize}] each`);
    }
    return [qkv[0]!, qkv[1]!, heads * headSize];
  },
  forward: ([qkv, cos, sin], { heads }) => {
    const y = t.emptyLike(qkv!, [qkv!.shape[0]!, qkv!.shape[1]!, qkv!.shape[2]! / 3]);
    fusedKernel(qkv!.backend, "selfAttention")(y, qkv!, heads, cos && sin ? { cos, sin } : null);
    return y;
  },
  backward: (dy, { inputs: [qkv, cos, sin], output: y, attributes: { heads } }) => {
    const dqkv = t.emptyLike(qkv!);
    fusedKernel(qkv!.backend, "selfAttentionBackward")(dqkv, qkv!, y, dy, heads, cos && sin ? { cos, sin } : null);
    return cos ? [dqkv, null, null] : [dqkv];
  },
  saves: { output: true },
  kernel: "selfAttention",
  definition: ([qkv, cos, sin], { heads }) => {
    const [batch, length, width] = [qkv!.shape[0]!, qkv!.shape[1]!, qkv!.shape[2]! / 3];
    const part = (i: number): Variable =>
      reshape(slice(qkv!, 2, i * width, (i + 1) * width), [batch, length, heads, width / heads]);
    const byHead = (x: Variable): Variable => permute(x, [0, 2, 1, 3]); // [B, heads, L, headSize]
    const turned = (x: Variable): Variable => (cos && sin ? rotate(x, cos, sin) : x);
    const y = attention(byHead(turned(part(0))), byHead(turned(part(1))), byHead(part(2)));
    return reshape(permute(y, [0, 2, 1, 3]), [batch, length, width]);
  },
});

/** Multi-head self-attention. qkv [B, L, 3D] holds queries, keys and values; rotary tables [L, D / heads] are constants -> [B, L, D] */
export const selfAttention = (qkv: Variable, heads: number, rotary?: t.RotaryTables<Variable>): Variable =>
  selfAttentionOperation(rotary ? [qkv, rotary.cos, rotary.sin] : [qkv], { heads });

const flat = (labels: t.Tensor): t.Tensor => t.reshape(labels, [labels.size]);
const rows = (logits: t.Tensor): t.Tensor =>
  t.reshape(logits, [t.sizeOf(logits.shape.slice(0, -1)), logits.shape.at(-1)!]);

/** s(v) = v + 1 for v >= 0, 1 / (1 - v) below. Prieto et al. 2025. */
function stablemaxScore(v: Variable): Variable {
  const isNegative = new Variable(
    t.scope(() => t.greater(t.zeros([], v.dtype, v.value.backend), v.value)),
    null,
    false,
  );
  return select(isNegative, reciprocal(affine(relu(negate(v)), 1, 1)), affine(v, 1, 1));
}

/** log(s / Σ s) for stablemax, x - max - log Σ e^(x - max) for softmax, along the last axis. */
function logProbabilities(name: t.CrossEntropyName, v: Variable): Variable {
  if (name === "stablemax") {
    const s = stablemaxScore(v);
    return log(divide(s, sum(s, [-1], true)));
  }
  const shifted = subtract(v, max(v, [-1], true).detach());
  return subtract(shifted, log(sum(exp(shifted), [-1], true)));
}

const crossEntropyOperation = defineOperation<2, { name: t.CrossEntropyName }>({
  name: "crossEntropy",
  equation:
    "y = log Σ_j s(v_j) - log s(v_label), 0 where the label is negative;  dv_j = dy (s'_j / Σ s - [j = label] s'_j / s_j)",
  domain: (draw) => {
    const leading = Array.from({ length: draw.integer(1, 2) }, () => draw.integer(1, 4));
    const classes = draw.integer(1, 5);
    return {
      inputs: [real([...leading, classes], [-2, 2], { avoid: [0] }), index(leading, -1, classes - 1)],
      attributes: { name: draw.oneOf(["stablemax", "softmax"] as const) },
    };
  },
  shape: ([logits, labels]) => {
    if (t.sameShape(logits.slice(0, -1), labels)) return labels;
    throw new t.ShapeError(
      `crossEntropy: got logits ${t.showShape(logits)} and labels ${t.showShape(labels)}, expected [..., V] and [...]`,
    );
  },
  forward: ([logits, labels], { name }) => {
    const y = t.emptyLike(logits, labels.shape, "float64");
    t.scope(() => fusedKernel(y.backend, "crossEntropy")(name, flat(y), rows(logits), flat(labels)));
    return y;
  },
  backward: (dy, { inputs: [logits, labels], attributes: { name } }) => {
    const dlogits = t.emptyLike(logits);
    t.scope(() => {
      fusedKernel(dy.backend, "crossEntropyBackward")(name, rows(dlogits), rows(logits), flat(labels), flat(dy));
    });
    return [dlogits, null];
  },
  kernel: "crossEntropy",
  types: { 1: "int32" },
  definition: ([logits, labels], { name }) => {
    const classes = Int32Array.from({ length: logits.shape.at(-1)! }, (_, i) => i);
    const isLabel = t.scope(() => {
      const { backend } = labels.value;
      const every = t.tensor(classes, { backend });
      return t.cast(t.equal(t.reshape(labels.value, [...labels.shape, 1]), every), "float64");
    });
    const logs = logProbabilities(name, cast(logits, "float64"));
    return negate(sum(multiply(logs, new Variable(isLabel, null, false)), [-1]));
  },
});

/**
 * Cross-entropy per position, in double precision as in the official code; 0 where the label is negative (ignored).
 * logits [..., V], labels [...] int32 -> [...] float64
 */
export const crossEntropy = (logits: Variable, labels: Variable, name: t.CrossEntropyName = "stablemax"): Variable =>
  crossEntropyOperation([logits, labels], { name });
