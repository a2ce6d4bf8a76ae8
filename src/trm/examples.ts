// Questions and answers as tokens: the plain data that training and evaluation share with every source of puzzles.
import { expectArray, expectObject, expectTokens, expectWhole } from "../tensor/index.ts";
import { ignoredLabel } from "./losses.ts";

/** Questions and answers in memory. */
export interface Examples {
  /** N */
  readonly count: number;
  /** L, the cells of one example. */
  readonly length: number;
  /** [N, L] */
  readonly inputs: Int32Array;
  /** [N, L] */
  readonly labels: Int32Array;
  /** [N]; every example has the blank id 0 if left out. */
  readonly puzzleIds?: Int32Array;
  /** The label that does not count towards loss or accuracy; 0 if left out. With null every label counts. */
  readonly ignoreLabel?: number | null;
}

/** A training set and an unseen set of the same distribution. */
export interface ExampleSets {
  readonly train: Examples;
  readonly test: Examples;
}

/** One example. */
export interface TokenPair {
  readonly question: Int32Array;
  readonly answer: Int32Array;
}

/** What one supervision step sees: a puzzle per slot. */
export interface Batch {
  /** [B, L] tokens */
  readonly inputs: Int32Array;
  /** [B, L] tokens; negative labels are ignored. */
  readonly labels: Int32Array;
  /** [B] */
  readonly puzzleIds: Int32Array;
}

/** An endless stream of training batches. `state` is plain data that resumes the stream exactly. */
export interface BatchSource {
  /** L, the cells of a puzzle. */
  readonly sequenceLength: number;
  next(batchSize: number): Batch;
  /** @throws RangeError if the value assigned is not a state of such a stream */
  state: unknown;
}

/** A set of examples that need not be in memory, such as a split on disk. */
export interface StoredExamples {
  /** N */
  readonly count: number;
  /** All examples in order, labels as in `Batch`. The last batch holds the rest. */
  batches(batchSize: number): Iterable<Batch>;
}

/** What can be evaluated: examples in memory, or a stored set. */
export type EvaluationSet = Examples | StoredExamples;

/** All examples in order. The last batch holds the rest (the official code pads it). */
export function evaluationBatches(set: EvaluationSet, batchSize: number): Iterable<Batch> {
  expectObject("evaluationBatches", "the set", set);
  expectWhole("evaluationBatches", "batchSize", batchSize);
  return "batches" in set ? set.batches(batchSize) : batchesOf(set, batchSize);
}

function* batchesOf(examples: Examples, batchSize: number): Generator<Batch> {
  for (let start = 0; start < examples.count; start += batchSize) {
    const { count, inputs, labels, puzzleIds, ignoreLabel } = sliceExamples(examples, start, start + batchSize);
    yield { inputs, labels: trainingLabels(labels, ignoreLabel), puzzleIds: puzzleIds ?? new Int32Array(count) };
  }
}

/** @throws ArgumentError unless the value is examples with count · length inputs and labels, and count puzzle ids if they are given */
export function expectExamples(where: string, value: unknown): asserts value is Examples {
  expectObject(where, "the examples", value, ["count", "length", "inputs", "labels"]);
  const { count, length, inputs, labels, puzzleIds } = value as Examples;
  expectWhole(where, "count", count, 0);
  expectWhole(where, "length", length);
  expectTokens(where, "inputs", inputs, count * length);
  expectTokens(where, "labels", labels, count * length);
  if (puzzleIds !== undefined) expectTokens(where, "puzzleIds", puzzleIds, count);
}

/** The examples from `start` up to, but not including, `end`; fewer if the set ends before. */
export function sliceExamples(examples: Examples, start: number, end: number): Examples {
  expectExamples("sliceExamples", examples);
  expectWhole("sliceExamples", "the start", start, 0);
  expectWhole("sliceExamples", "the end", end, 0);
  const { count, length, inputs, labels, puzzleIds, ignoreLabel } = examples;
  const first = Math.min(start, count);
  const stop = Math.max(first, Math.min(end, count));
  return {
    count: stop - first,
    length,
    inputs: inputs.slice(first * length, stop * length),
    labels: labels.slice(first * length, stop * length),
    ...(puzzleIds && { puzzleIds: puzzleIds.slice(first, stop) }),
    ...(ignoreLabel !== undefined && { ignoreLabel }),
  };
}

/** Labels with the one that does not count (by default 0, the padding) replaced by -100. */
export function trainingLabels(labels: Int32Array, ignore: number | null = 0): Int32Array {
  expectTokens("trainingLabels", "labels", labels);
  return labels.map((label) => (label === ignore ? ignoredLabel : label));
}

/** The labelled cells in which the question differs from the answer. */
export const blanksOf = (question: Int32Array, answer: Int32Array): number[] =>
  [...question.keys()].filter((cell) => answer[cell]! >= 0 && question[cell] !== answer[cell]);

/** Packs examples of length L. */
export function packExamples(pairs: readonly TokenPair[], length: number): Examples {
  expectArray("packExamples", "the pairs", pairs);
  expectWhole("packExamples", "length", length);
  pairs.forEach((pair, i) => {
    expectObject("packExamples", `pair ${i}`, pair, ["question", "answer"]);
    for (const [name, tokens] of Object.entries({ question: pair.question, answer: pair.answer })) {
      expectTokens("packExamples", `the ${name} of pair ${i}`, tokens, length);
    }
  });
  const inputs = new Int32Array(pairs.length * length);
  const labels = new Int32Array(pairs.length * length);
  pairs.forEach(({ question, answer }, index) => {
    inputs.set(question, index * length);
    labels.set(answer, index * length);
  });
  return { count: pairs.length, length, inputs, labels };
}
