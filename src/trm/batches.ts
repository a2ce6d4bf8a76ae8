// Where training puzzles come from: batches in random order, epoch after epoch, with a position that a checkpoint can hold.
import { z } from "zod";
import { CheckpointError } from "../nn/errors.ts";
import { Random, type RandomState } from "../tensor/random.ts";
import { ignoredLabel } from "./losses.ts";
import type { Examples, Task } from "./tasks/task.ts";

export interface Batch {
  /** [B, L] tokens */
  readonly inputs: Int32Array;
  /** [B, L] tokens; negative where nothing is asked */
  readonly labels: Int32Array;
  /** [B] */
  readonly puzzleIds: Int32Array;
}

/** A stream of batches that never ends. `state` is plain data and resumes the stream exactly. */
export interface BatchSource {
  next(batchSize: number): Batch;
  state: unknown;
}

/** The label that counts for nothing, 0 (padding) as a rule, becomes -100. */
export const trainingLabels = (labels: Int32Array, ignore: number | null = 0): Int32Array =>
  labels.map((label) => (label === ignore ? ignoredLabel : label));

/** Examples in a new random order every epoch; the last, partial batch of an epoch is dropped, as in the official code. */
export class ShuffledExamples implements BatchSource {
  #random: Random;
  /** The generator as it was before this epoch's shuffle, so that a resumed run shuffles the same. */
  #epochStart: RandomState;
  #order: Int32Array;
  #position = 0;

  // DEVIATION: augmentation — drawn anew for every example; the official code stores 1,000 augmented copies of each puzzle.
  /** @param augment  the task whose random symmetries are applied to every example that is drawn; none if left out */
  constructor(
    private readonly examples: Examples,
    seed: number,
    private readonly augment?: Task,
  ) {
    this.#random = new Random(seed);
    this.#epochStart = this.#random.state;
    this.#order = this.#random.permutation(examples.count);
  }

  next(batchSize: number): Batch {
    const { count, length } = this.examples;
    if (this.#position + batchSize > count && this.#position > 0) this.#startEpoch();
    const batch: Batch = {
      inputs: new Int32Array(batchSize * length),
      labels: new Int32Array(batchSize * length),
      puzzleIds: new Int32Array(batchSize),
    };
    for (let slot = 0; slot < batchSize; slot++) {
      const from = this.#order[this.#position++ % count]! * length;
      const question = this.examples.inputs.subarray(from, from + length);
      const answer = this.examples.labels.subarray(from, from + length);
      const pair = this.augment?.augment(question, answer, this.#random) ?? { question, answer };
      batch.inputs.set(pair.question, slot * length);
      batch.labels.set(trainingLabels(pair.answer, this.examples.ignoreLabel), slot * length);
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

  /** @throws CheckpointError for what is not a state of such a stream */
  set state(state: unknown) {
    const parsed = streamState.safeParse(state);
    if (!parsed.success) throw new CheckpointError("the position in the training data cannot be read");
    const { epochStart, random, position } = parsed.data;
    this.#random = Random.fromState(epochStart);
    this.#startEpoch();
    this.#random = Random.fromState(random);
    this.#position = position;
  }
}

const int32 = z
  .number()
  .int()
  .min(-(2 ** 31))
  .max(2 ** 31 - 1);

/** The state of a Random, as it comes back from a file. */
export const randomStateSchema = z
  .strictObject({ generator: z.literal("xoroshiro128plus"), words: z.array(int32).length(4).readonly() })
  .refine(({ words }) => words.some((word) => word !== 0), { message: "expected words that are not all 0" });

const streamState = z.strictObject({
  epochStart: randomStateSchema,
  random: randomStateSchema,
  position: z.number().int().min(0),
});
