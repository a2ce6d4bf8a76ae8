// Training batches from examples in memory: in random order, epoch after epoch, with a position that a checkpoint can store.
import * as z from "zod/mini";
import { expectWhole, Random, type RandomState } from "../tensor/index.ts";
import { ConfigError } from "./errors.ts";
import { type Batch, type BatchSource, type Examples, expectExamples, trainingLabels } from "./examples.ts";
import type { Task } from "./task.ts";

/**
 * Examples in a new random order every epoch. Batches run across the borders of epochs, as in the official code, which joins the
 * permutations of several epochs.
 */
export class ShuffledExamples implements BatchSource {
  #random: Random;
  /** The generator before this epoch's shuffle, so that a resumed run repeats it. */
  #epochStart: RandomState;
  #order: Int32Array;
  #position = 0;

  // DEVIATION: augmentation — drawn anew for every example; the official code stores 1,000 augmented copies of each puzzle.
  /** @param augment  the task whose random symmetries are applied to every drawn example */
  constructor(
    readonly examples: Examples,
    seed: number,
    readonly augment?: Task,
  ) {
    expectExamples("ShuffledExamples", examples);
    expectWhole("ShuffledExamples", "the seed", seed, Number.MIN_SAFE_INTEGER);
    this.#random = new Random(seed);
    this.#epochStart = this.#random.state;
    this.#order = this.#random.permutation(examples.count);
  }

  get sequenceLength(): number {
    return this.examples.length;
  }

  /** @throws ConfigError if there are no examples */
  next(batchSize: number): Batch {
    const { count, length, puzzleIds } = this.examples;
    if (count === 0) throw new ConfigError("ShuffledExamples: got no examples, expected at least one");
    const batch: Batch = {
      inputs: new Int32Array(batchSize * length),
      labels: new Int32Array(batchSize * length),
      puzzleIds: new Int32Array(batchSize),
    };
    for (let slot = 0; slot < batchSize; slot++) {
      if (this.#position >= count) this.#startEpoch();
      const example = this.#order[this.#position++]!;
      const from = example * length;
      const question = this.examples.inputs.subarray(from, from + length);
      const answer = this.examples.labels.subarray(from, from + length);
      const pair = this.augment?.augment(question, answer, this.#random) ?? { question, answer };
      batch.inputs.set(pair.question, slot * length);
      batch.labels.set(trainingLabels(pair.answer, this.examples.ignoreLabel), slot * length);
      if (puzzleIds) batch.puzzleIds[slot] = puzzleIds[example]!;
    }
    return batch;
  }

  #startEpoch(): void {
    this.#epochStart = this.#random.state;
    this.#order = this.#random.permutation(this.examples.count);
    this.#position = 0;
  }

  get state(): unknown {
    return { epochStart: this.#epochStart, random: this.#random.state, position: this.#position };
  }

  set state(state: unknown) {
    const parsed = streamState.safeParse(state);
    if (!parsed.success) throw new RangeError("the position in the training data cannot be read");
    const { epochStart, random, position } = parsed.data;
    const { count } = this.examples;
    if (position > count) {
      throw new RangeError(`the position in the training data is ${position}, expected at most the ${count} examples`);
    }
    this.#random = Random.fromState(epochStart);
    this.#startEpoch();
    this.#random = Random.fromState(random);
    this.#position = position;
  }
}

const int32 = z.number().check(z.int(), z.minimum(-(2 ** 31)), z.maximum(2 ** 31 - 1));

/** Schema of the state of a Random that was read from a file. */
export const randomStateSchema = z
  .strictObject({ generator: z.literal("xoroshiro128plus"), words: z.readonly(z.array(int32).check(z.length(4))) })
  .check(
    z.refine(({ words }) => words.some((word) => word !== 0), { message: "expected at least one word that is not 0" }),
  );

const streamState = z.strictObject({
  epochStart: randomStateSchema,
  random: randomStateSchema,
  position: z.number().check(z.int(), z.minimum(0)),
});
