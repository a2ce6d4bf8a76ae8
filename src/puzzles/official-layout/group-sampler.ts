/**
 * Which examples go into a training batch, by the official loader's rule.
 *
 * An epoch visits every group once, in random order. A visited group contributes one of its puzzles, drawn at random, and
 * that puzzle all its examples in random order, as many as still fit the batch (the others are left out). The last,
 * partial batch of an epoch is dropped.
 */
import { Random, type RandomState } from "../../tensor/index.ts";
import { ConfigError } from "../../trm/index.ts";

/** Whole numbers that may lie in memory or on disk. */
export interface IndexColumn {
  readonly length: number;
  at(index: number): number | undefined;
}

export interface GroupSamplerOptions {
  /** [groups + 1] */
  readonly groupIndices: ArrayLike<number>;
  /** [puzzles + 1] */
  readonly puzzleIndices: IndexColumn;
  readonly seed: number;
  /** Epochs in a row whose batches may run across the border. Default 1: every epoch drops its partial batch. */
  readonly epochsPerPass?: number | undefined;
}

/** Numbers of the examples of a batch, and of the puzzle each belongs to. */
export interface SampledBatch {
  readonly examples: Int32Array;
  readonly puzzles: Int32Array;
}

/** Plain data: what a resumed run needs to continue bit for bit. */
export interface GroupSamplerState {
  /** The generator before the current pass drew its order. */
  readonly passStart: RandomState;
  /** The generator now. */
  readonly random: RandomState;
  /** Groups of the pass already visited. */
  readonly position: number;
  /** Epochs begun. */
  readonly epoch: number;
}

export class GroupSampler {
  readonly #options: GroupSamplerOptions;
  readonly #epochsPerPass: number;
  #random: Random;
  #passStart: RandomState;
  #order: Int32Array = new Int32Array(0);
  #position = 0;
  #epoch = 0;

  /** @throws ConfigError for a set without groups. */
  constructor(options: GroupSamplerOptions) {
    this.#options = options;
    this.#epochsPerPass = options.epochsPerPass ?? 1;
    if (options.groupIndices.length < 2) throw new ConfigError("a data set without groups, expected at least one");
    this.#random = new Random(options.seed);
    this.#passStart = this.#random.state;
  }

  /** Epochs begun so far. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The next full batch. @throws ConfigError for a size below 1, or if a whole pass does not fill a batch. */
  next(batchSize: number): SampledBatch {
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ConfigError(`batch size ${batchSize}, expected a whole number from 1`);
    }
    const batch = this.#fill(batchSize);
    if (batch !== undefined) return batch;
    this.#beginPass();
    const first = this.#fill(batchSize);
    if (first !== undefined) return first;
    const groups = this.#options.groupIndices.length - 1;
    throw new ConfigError(
      `batch size ${batchSize}: one pass over the ${groups} groups does not fill a batch, expected a smaller batch or more epochs per pass`,
    );
  }

  get state(): GroupSamplerState {
    return {
      passStart: this.#passStart,
      random: this.#random.state,
      position: this.#position,
      epoch: this.#epoch,
    };
  }

  /** @throws RangeError for a value that is no such state. */
  set state({ passStart, random, position, epoch }: GroupSamplerState) {
    if (![position, epoch].every((count) => Number.isSafeInteger(count) && count >= 0)) {
      throw new RangeError(`GroupSampler: state with position ${position} and epoch ${epoch}, expected whole numbers`);
    }
    this.#random = Random.fromState(passStart);
    this.#order = new Int32Array(0);
    if (epoch > 0) this.#beginPass();
    this.#random = Random.fromState(random);
    this.#passStart = passStart;
    this.#position = position;
    this.#epoch = epoch;
  }

  #beginPass(): void {
    const groups = this.#options.groupIndices.length - 1;
    this.#passStart = this.#random.state;
    const orders = Array.from({ length: this.#epochsPerPass }, () => this.#random.permutation(groups));
    this.#order = orders.length === 1 ? orders[0]! : Int32Array.from(orders.flatMap((order) => [...order]));
    this.#position = 0;
    this.#epoch += this.#epochsPerPass;
  }

  /** A full batch from the rest of the pass, or undefined. */
  #fill(batchSize: number): SampledBatch | undefined {
    const { groupIndices, puzzleIndices } = this.#options;
    const examples = new Int32Array(batchSize);
    const puzzles = new Int32Array(batchSize);
    let size = 0;
    while (this.#position < this.#order.length && size < batchSize) {
      const group = this.#order[this.#position++]!;
      const firstPuzzle = groupIndices[group]!;
      const puzzle = firstPuzzle + this.#random.integer(groupIndices[group + 1]! - firstPuzzle);
      const start = puzzleIndices.at(puzzle)!;
      const count = puzzleIndices.at(puzzle + 1)! - start;
      for (const example of this.#random.sample(count, Math.min(count, batchSize - size))) {
        examples[size] = start + example;
        puzzles[size++] = puzzle;
      }
    }
    return size === batchSize ? { examples, puzzles } : undefined;
  }
}
