// The loss of a supervision step, and what is read back of it. Paper section 2.4 and 4.6; official code: losses.py.

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
  type Variable,
} from "../autograd/index.ts";
import * as t from "../tensor/index.ts";

/** Labels that count for nothing. */
export const ignoredLabel = -100;

export interface LossOptions {
  readonly loss: t.CrossEntropyName;
  /** Weight of the halting losses. */
  readonly haltingLossWeight: number;
}

/** What a step's loss needs to know. */
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

export interface Loss {
  /** Sum over the batch, a float64 scalar. */
  readonly total: Variable;
  /** Everything the host wants to know, in one float64 tensor: one read per step. See readReport. */
  readonly report: t.Tensor;
}

/**
 * For every sequence the mean cross-entropy over its labelled positions, summed over the batch, plus weight times the BCE of
 * q_halt against "the whole answer is right" and, with continue loss, that of q_continue against its target.
 */
export function lossOf({ logits, q, labels, targetQContinue }: LossInputs, options: LossOptions): Loss {
  const [batch, length] = logits.shape as [number, number];
  const { backend } = logits.value;
  const counts = labelCounts(labels, length);
  const labelled = t.tensor(labels, { shape: [batch, length], backend });
  const shares = Float64Array.from(counts, (count) => 1 / Math.max(count, 1));

  const perPosition = crossEntropy(logits, constant(labelled), options.loss); // [B, L]
  const perSequence = multiply(sum(perPosition, [1]), constant(t.tensor(shares, { backend }))); // [B]
  const answerLoss = sum(perSequence);

  const rightCells = t.scope(() => t.sum(t.cast(t.equal(t.argmax(logits.value), labelled), "float32"), [1])); // [B]
  const isRight = t.scope(() => t.equal(rightCells, t.tensor(Float32Array.from(counts), { backend }))); // [B]
  const column = (i: number): Variable => reshape(slice(q, 1, i, i + 1), [batch]);
  const bce = (logit: Variable, target: t.Tensor): Variable =>
    sum(cast(bceWithLogits(logit, constant(target)), "float64"));
  const haltLoss = bce(column(0), isRight);
  const continueLoss = targetQContinue ? bce(column(1), targetQContinue) : null;

  const haltingLoss = continueLoss ? add(haltLoss, continueLoss) : haltLoss;
  const total = add(answerLoss, affine(haltingLoss, options.haltingLossWeight));
  const report = t.scope(() => {
    const scalars = [total, answerLoss, haltLoss, continueLoss ?? constant(t.zeros([], "float64", backend))];
    const perSlot = [rightCells, column(0).value, column(1).value].map((values) => t.cast(values, "float64"));
    return t.concat([...scalars.map(({ value }) => t.reshape(value, [1])), ...perSlot], 0);
  });
  return { total, report };
}

/** Labelled positions of every sequence. */
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
  readonly rightCells: Float64Array;
  readonly qHalt: Float64Array;
  readonly qContinue: Float64Array;
}

export function readReport(numbers: ArrayLike<number>): Report {
  const all = Float64Array.from(numbers);
  const batch = (all.length - 4) / 3;
  const perSlot = (i: number): Float64Array => all.slice(4 + i * batch, 4 + (i + 1) * batch);
  return {
    loss: all[0]!,
    answerLoss: all[1]!,
    haltLoss: all[2]!,
    continueLoss: all[3]!,
    rightCells: perSlot(0),
    qHalt: perSlot(1),
    qContinue: perSlot(2),
  };
}
