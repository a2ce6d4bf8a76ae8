// Losses: binary cross-entropy, composed of other operations, and cross-entropy, a fused operation.
import * as t from "../../tensor/index.ts";
import { index, real } from "../domain.ts";
import { apply, defineOperation } from "../operation.ts";
import { constant, type Variable } from "../variable.ts";
import { max, sum } from "./arrangement.ts";
import {
  affine,
  cast,
  divide,
  exp,
  log,
  multiply,
  negate,
  reciprocal,
  relu,
  select,
  softplus,
  subtract,
} from "./elementwise.ts";

/**
 * Binary cross-entropy from logits, per element: -[t log σ(x) + (1 - t) log(1 - σ(x))] = softplus(x) - t x.
 * Logits and targets have the same shape; targets lie in 0..1.
 */
export const bceWithLogits = (logits: Variable, targets: Variable): Variable =>
  subtract(softplus(logits), multiply(targets, logits));

/** s(v) = v + 1 for v >= 0, 1 / (1 - v) below. Prieto et al. 2025. */
function stablemaxScore(v: Variable): Variable {
  const isNegative = t.scope(() => t.greater(t.zeros([], v.dtype, v.value.backend), v.value));
  return select(constant(isNegative), reciprocal(affine(relu(negate(v)), 1, 1)), affine(v, 1, 1));
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

/** logits [.., V] -> [rows, V] */
const asRows = (logits: t.Tensor): t.Tensor =>
  t.reshape(logits, [t.sizeOf(logits.shape.slice(0, -1)), logits.shape.at(-1)!]);
/** [..] -> [rows] */
const asColumn = (x: t.Tensor): t.Tensor => t.reshape(x, [x.size]);

const { operation: crossEntropyOperation } = defineOperation({
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
    t.scope(() => y.backend.fused.crossEntropy!(name, asColumn(y), asRows(logits), asColumn(labels)));
    return y;
  },
  backward: (dy, { inputs: [logits, labels], attributes: { name } }) => {
    const dlogits = t.emptyLike(logits);
    const kernel = dy.backend.fused.crossEntropyBackward!;
    t.scope(() => kernel(name, asRows(dlogits), asRows(logits), asColumn(labels), asColumn(dy)));
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
    return negate(sum(multiply(logs, constant(isLabel)), [-1]));
  },
});

/**
 * Cross-entropy per position, in double precision as in the official code; 0 where the label is negative (ignored).
 * logits [..., V], labels [...] int32 -> [...] float64
 */
export const crossEntropy = (logits: Variable, labels: Variable, name: t.CrossEntropyName = "stablemax"): Variable =>
  apply(crossEntropyOperation, [logits, labels], { name });
