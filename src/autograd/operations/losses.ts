// Losses: binary cross-entropy, composed of other operations, and cross-entropy, a fused operation.
import * as t from "../../tensor/index.ts";
import { index, real } from "../domain.ts";
import { apply, defineOperation } from "../operation.ts";
import { constant, expectVariables, type Variable } from "../variable.ts";
import { max, reshape, sum } from "./arrangement.ts";
import { affine, cast, exp, log, multiply, negate, reciprocal, select, softplus, subtract } from "./elementwise.ts";

/**
 * Binary cross-entropy from logits, per element: -[t log σ(x) + (1 - t) log(1 - σ(x))] = softplus(x) - t x.
 * Logits and targets have the same shape; targets lie in 0..1.
 *
 * @throws ShapeError for different shapes
 */
export function bceWithLogits(logits: Variable, targets: Variable): Variable {
  expectVariables("bceWithLogits", [logits, targets]);
  if (!t.sameShape(logits.shape, targets.shape)) {
    const got = `logits ${t.showShape(logits.shape)} and targets ${t.showShape(targets.shape)}`;
    throw new t.ShapeError(`bceWithLogits: got ${got}, expected equal shapes`);
  }
  return subtract(softplus(logits), multiply(targets, logits));
}

/** A condition for `select`. */
const where = (condition: () => t.Tensor): Variable => constant(t.scope(condition));

/** log s of the label and Σ s, per row of v [.., V]. `atLabel` picks the label's entry of every row. */
interface Scores {
  readonly logOfLabel: Variable;
  readonly total: Variable;
}

type AtLabel = (x: Variable) => Variable;

/** Stablemax: s(v) = v + 1 for v >= 0, 1 / (1 - v) below. Prieto et al. 2025. */
function stablemaxScores(v: Variable, atLabel: AtLabel): Scores {
  const isNegative = where(() => t.greater(t.zeros([], v.dtype, v.value.backend), v.value));
  const magnitude = select(isNegative, affine(v, -1, 1), affine(v, 1, 1)); // 1 + |v|
  const logMagnitude = log(atLabel(magnitude));
  return {
    logOfLabel: select(atLabel(isNegative), negate(logMagnitude), logMagnitude),
    total: sum(select(isNegative, reciprocal(magnitude), magnitude), [-1]),
  };
}

/** Softmax: s(v) = e^(v - largest v). */
function softmaxScores(v: Variable, atLabel: AtLabel): Scores {
  const shifted = subtract(v, max(v, [-1], true).detach());
  return { logOfLabel: atLabel(shifted), total: sum(exp(shifted), [-1]) };
}

/** The kernels refuse such labels too. Only a backend with readable memory can do so synchronously. */
function expectLabels(labels: t.Tensor, classes: number): void {
  if (!(labels.storage instanceof t.VisibleStorage)) return;
  const position = labels.storage.array.findIndex((label) => label >= classes);
  if (position < 0) return;
  const label = labels.storage.array[position];
  throw new t.ShapeError(`crossEntropy: got label ${label} at position ${position}, expected less than ${classes}`);
}

/** Kernels compare the name with one of the two, so another name would give the loss of one and the gradient of the other. */
function expectNormalization(name: t.CrossEntropyName): void {
  if (name === "stablemax" || name === "softmax") return;
  throw new t.ArgumentError(
    `crossEntropy: got ${t.showValue(name)} as the normalization, expected stablemax or softmax`,
  );
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
  shape: ([logits, labels], { name }) => {
    expectNormalization(name);
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
    const { fused } = dy.backend;
    t.scope(() => fused.crossEntropyBackward!(name, asRows(dlogits), asRows(logits), asColumn(labels), asColumn(dy)));
    return [dlogits, null];
  },
  kernel: "crossEntropy",
  types: { 1: "int32" },
  definition: ([logits, labels], { name }) => {
    const { backend } = labels.value;
    const classes = logits.shape.at(-1)!;
    expectLabels(labels.value, classes);
    const zero = constant(t.zeros([], "float64", backend));
    const perRow = reshape(labels, [...labels.shape, 1]);
    const everyClass = t.tensor(
      Int32Array.from({ length: classes }, (_, i) => i),
      { backend },
    );
    const isLabel = where(() => t.equal(perRow.value, everyClass));
    const isIgnored = where(() => t.greater(t.zeros([], "int32", backend), labels.value));
    const isIgnoredRow = where(() => t.greater(t.zeros([], "int32", backend), perRow.value));
    // Ignored rows are replaced by zeros and the entries beside the label are left out, because 0 · NaN and 0 · ∞ are NaN.
    const v = select(isIgnoredRow, zero, cast(logits, "float64"));
    const atLabel = (x: Variable): Variable => sum(select(isLabel, x, zero), [-1]);
    const { logOfLabel, total } = name === "stablemax" ? stablemaxScores(v, atLabel) : softmaxScores(v, atLabel);
    return select(isIgnored, zero, subtract(log(total), logOfLabel));
  },
});

/**
 * Cross-entropy per position, in double precision as in the official code; 0 where the label is negative (ignored).
 * logits [..., V], labels [...] int32 -> [...] float64
 */
export function crossEntropy(logits: Variable, labels: Variable, name: t.CrossEntropyName = "stablemax"): Variable {
  expectVariables("crossEntropy", [logits, labels]);
  return apply(crossEntropyOperation, [logits, labels.detach()], { name });
}
