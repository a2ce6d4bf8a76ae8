// The loss of a supervision step, and the report that is read back. Paper sections 2.4 and 4.6; official code: losses.py.

import {
  add,
  affine,
  bceWithLogits,
  cast,
  constant,
  crossEntropy,
  multiply,
  reshape,
  slice,
  sum,
  Variable,
} from "../autograd/index.ts";
import * as t from "../tensor/index.ts";

/** The label of positions that do not count towards the loss. */
export const ignoredLabel = -100;

export interface LossOptions {
  readonly loss: t.CrossEntropyName;
  /** Weight of the halting losses. */
  readonly haltingLossWeight: number;
}

/** The inputs of the loss of one supervision step. */
export interface LossInputs {
  /** [B, L, V] */
  readonly logits: Variable;
  /** [B, 2] */
  readonly q: Variable;
  /** [B, L] int32 on the host; negative labels are ignored */
  readonly labels: Int32Array;
  /** [B] probabilities, or null without continue loss */
  readonly targetQContinue: t.Tensor | null;
}

/** The losses of a supervision step. All are float64 scalars, summed over the batch. */
export interface LossParts extends LossInputs {
  /** [B, L] tokens of the question */
  readonly inputs: Int32Array;
  /** Mean cross-entropy over the labelled positions of each sequence. */
  readonly answerLoss: Variable;
  readonly haltLoss: Variable;
  readonly continueLoss: Variable | null;
  /** The loss of the configuration. */
  readonly total: Variable;
}

/** Computes the loss to minimize, a scalar that is a sum over the batch. Its parts are those of the configuration's loss. */
export type LossFunction = (parts: LossParts) => Variable;

export interface Loss {
  /** Sum over the batch, a float64 scalar. */
  readonly total: Variable;
  /** Everything the host reads back, in one float64 tensor, so that a step reads once. See readReport. */
  readonly report: t.Tensor;
}

// DEVIATION: softmax in float64 — the official code computes stablemax in float64 and softmax in float32; here both are float64.
/**
 * The mean cross-entropy over the labelled positions of each sequence, summed over the batch, plus haltingLossWeight times the
 * binary cross-entropy (BCE) of q_halt against "the whole answer is correct" and, with continue loss, of q_continue against its
 * target.
 *
 * @param own  replaces the total of these losses. @throws ShapeError if its result is no scalar
 */
export function lossOf(
  inputs: LossInputs,
  options: LossOptions,
  own?: (parts: Omit<LossParts, "inputs">) => Variable,
): Loss {
  t.expectObject("lossOf", "the inputs", inputs, ["logits", "q", "labels"]);
  t.expectObject("lossOf", "the options", options, ["loss", "haltingLossWeight"]);
  const { logits, q, labels, targetQContinue } = inputs;
  const [batch, length] = logits.shape as [number, number];
  const { backend } = logits.value;
  const counts = labelCounts(labels, length);
  const labelled = t.tensor(labels, { shape: [batch, length], backend });
  const shares = Float64Array.from(counts, (count) => 1 / Math.max(count, 1));

  const perPosition = crossEntropy(logits, constant(labelled), options.loss); // [B, L]
  const perSequence = multiply(sum(perPosition, [1]), constant(t.tensor(shares, { backend }))); // [B]
  const answerLoss = sum(perSequence);

  const correctCells = t.scope(() => t.sum(t.cast(t.equal(t.argmax(logits.value), labelled), "float32"), [1])); // [B]
  const isCorrect = t.scope(() => t.equal(correctCells, t.tensor(Float32Array.from(counts), { backend }))); // [B]
  const column = (i: number): Variable => reshape(slice(q, 1, i, i + 1), [batch]);
  const bce = (logit: Variable, target: t.Tensor): Variable =>
    sum(cast(bceWithLogits(logit, constant(target)), "float64"));
  const haltLoss = bce(column(0), isCorrect);
  const continueLoss = targetQContinue ? bce(column(1), targetQContinue) : null;

  const haltingLoss = continueLoss ? add(haltLoss, continueLoss) : haltLoss;
  const standard = add(answerLoss, affine(haltingLoss, options.haltingLossWeight));
  const total = own ? scalarOf(own({ ...inputs, answerLoss, haltLoss, continueLoss, total: standard })) : standard;
  const report = t.scope(() => {
    const scalars = [total, answerLoss, haltLoss, continueLoss ?? constant(t.zeros([], "float64", backend))];
    const perSlot = [correctCells, column(0).value, column(1).value].map((values) => t.cast(values, "float64"));
    return t.concat([...scalars.map(({ value }) => t.reshape(value, [1])), ...perSlot], 0);
  });
  return { total, report };
}

function scalarOf(loss: Variable): Variable {
  t.expectInstance("loss", "the result", loss, Variable);
  if (loss.value.size === 1) return cast(reshape(loss, []), "float64");
  throw new t.ShapeError(`loss: got shape ${t.showShape(loss.shape)}, expected a scalar, the sum over the puzzles`);
}

/** Number of labelled positions of every sequence. */
export function labelCounts(labels: Int32Array, length: number): Int32Array {
  const counts = new Int32Array(labels.length / length);
  labels.forEach((label, i) => {
    if (label >= 0) counts[Math.floor(i / length)]!++;
  });
  return counts;
}

/** A loss report on the host. */
export interface Report {
  readonly loss: number;
  readonly answerLoss: number;
  readonly haltLoss: number;
  readonly continueLoss: number;
  /** Per slot. */
  readonly correctCells: Float64Array;
  readonly qHalt: Float64Array;
  readonly qContinue: Float64Array;
}

/** The numbers of the reports of consecutive slots as one report: scalars are summed, columns are joined. */
export function readReport(parts: readonly ArrayLike<number>[]): Report {
  const all = parts.map((numbers) => Float64Array.from(numbers));
  const sum = (i: number): number => all.reduce((total, numbers) => total + numbers[i]!, 0);
  const join = (i: number): Float64Array => {
    const columns = all.map((numbers) => {
      const slots = (numbers.length - 4) / 3;
      return [...numbers.subarray(4 + i * slots, 4 + (i + 1) * slots)];
    });
    return Float64Array.from(columns.flat());
  };
  return {
    loss: sum(0),
    answerLoss: sum(1),
    haltLoss: sum(2),
    continueLoss: sum(3),
    correctCells: join(0),
    qHalt: join(1),
    qContinue: join(2),
  };
}
