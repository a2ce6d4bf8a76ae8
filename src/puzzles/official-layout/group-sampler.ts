// Chooses the examples of training batches by the rule of the official loader.
//
// An epoch visits every group once, in random order. A visited group contributes one of its puzzles, drawn at random, and that puzzle
// contributes all its examples in random order, or as many as fit into the batch (the rest are left out). Batches run across the
// borders of epochs: the official loader joins the permutations of several epochs in the same way.
import { Random, type RandomState } from "../../tensor/index.ts";
import { ConfigError } from "../../trm/index.ts";

/** A column of integers in memory or on disk. */
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
}

/** The examples of a batch, and the puzzle that each belongs to. */
export interface SampledBatch {
  readonly examples: Int32Array;
  readonly puzzles: Int32Array;
}

/** Plain data with which a resumed run continues bit for bit. */
export interface GroupSamplerState {
  /** The generator before it drew the order of the current epoch. */
  readonly passStart: RandomState;
  /** The generator now. */
  readonly random: RandomState;
  /** Number of groups of the epoch that were visited. */
  readonly position: number;
  /** Number of epochs begun. */
  readonly epoch: number;
}

export class GroupSampler {
  readonly #options: GroupSamplerOptions;
  #random: Random;
  #passStart: RandomState;
  #order: Int32Array = new Int32Array(0);
  #position = 0;
  #epoch = 0;

  /** @throws ConfigError for a data set without groups */
  constructor(options: GroupSamplerOptions) {
    this.#options = options;
    if (options.groupIndices.length < 2) throw new ConfigError("a data set without groups, expected at least one");
    this.#random = new Random(options.seed);
    this.#passStart = this.#random.state;
  }

  /** Number of epochs begun. */
  get epoch(): number {
    return this.#epoch;
  }

  // DEVIATION: last batch — the official loader drops one partial batch per evaluation interval; here no batch is partial.
  /** The next full batch. @throws ConfigError for a size below 1 */
  next(batchSize: number): SampledBatch {
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ConfigError(`batch size ${batchSize}, expected an integer from 1`);
    }
    const { groupIndices, puzzleIndices } = this.#options;
    const examples = new Int32Array(batchSize);
    const puzzles = new Int32Array(batchSize);
    let size = 0;
    while (size < batchSize) {
      if (this.#position >= this.#order.length) this.#startEpoch();
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
    return { examples, puzzles };
  }

  get state(): GroupSamplerState {
    return {
      passStart: this.#passStart,
      random: this.#random.state,
      position: this.#position,
      epoch: this.#epoch,
    };
  }

  /** @throws RangeError for a value that is not such a state, or a position beyond the groups */
  set state({ passStart, random, position, epoch }: GroupSamplerState) {
    const groups = this.#options.groupIndices.length - 1;
    const isWhole = [position, epoch].every((count) => Number.isSafeInteger(count) && count >= 0);
    if (!isWhole || position > groups) {
      throw new RangeError(
        `GroupSampler: state with position ${position} and epoch ${epoch}, expected whole numbers from 0, the position at most ${groups}`,
      );
    }
    const now = Random.fromState(random); // first, because it may be refused
    this.#random = Random.fromState(passStart);
    this.#order = new Int32Array(0);
    if (epoch > 0) this.#startEpoch();
    this.#random = now;
    this.#passStart = passStart;
    this.#position = position;
    this.#epoch = epoch;
  }

  #startEpoch(): void {
    this.#passStart = this.#random.state;
    this.#order = this.#random.permutation(this.#options.groupIndices.length - 1);
    this.#position = 0;
    this.#epoch++;
  }
}
