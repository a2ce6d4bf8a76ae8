// Batches of a split for training and evaluation, from memory or from disk.
import { expectObject, expectWhole } from "../../tensor/index.ts";
import { type Batch, type BatchSource, type Examples, type StoredExamples, trainingLabels } from "../../trm/index.ts";
import { GroupSampler, type GroupSamplerState, type IndexColumn } from "./group-sampler.ts";
import { expectSplit, type PuzzleSplit, type SplitMetadata } from "./layout.ts";

/** A split whose examples can be read in any order. `openSplit` in layout.node.ts opens one on disk. */
export interface ExampleSource extends StoredExamples {
  readonly metadata: SplitMetadata;
  /** The folder of the data set; undefined for a split in memory. */
  readonly folder?: string;
  readonly groupIndices: ArrayLike<number>;
  readonly puzzleIndices: IndexColumn;
  readonly puzzleIdentifiers: IndexColumn;
  /** Copies the tokens of an example. @throws DatasetError for a token outside the vocabulary; FileError */
  read(example: number, input: Int32Array, label: Int32Array): void;
  close(): void;
}

/** A split in memory as a source of examples. */
export function memorySource(split: PuzzleSplit): ExampleSource {
  expectSplit("memorySource", split);
  const { metadata, inputs, labels } = split;
  const length = metadata.sequenceLength;
  return {
    metadata,
    count: inputs.length / length,
    batches(batchSize) {
      return sourceBatches(this, batchSize);
    },
    groupIndices: split.groupIndices,
    puzzleIndices: split.puzzleIndices,
    puzzleIdentifiers: split.puzzleIdentifiers,
    read(example, input, label) {
      input.set(inputs.subarray(example * length, (example + 1) * length));
      label.set(labels.subarray(example * length, (example + 1) * length));
    },
    close() {},
  };
}

function expectSource(where: string, source: ExampleSource): void {
  const keys = ["metadata", "count", "groupIndices", "puzzleIndices", "puzzleIdentifiers", "read"];
  expectObject(where, "the source", source, keys);
}

/** Endless training batches, sampled by groups as in the official loader. `state` resumes a run bit for bit. */
export class SplitBatches implements BatchSource {
  readonly #sampler: GroupSampler;

  /** @throws ConfigError for a data set without groups */
  constructor(
    readonly source: ExampleSource,
    options: { readonly seed: number },
  ) {
    expectSource("SplitBatches", source);
    expectObject("SplitBatches", "the options", options, ["seed"]);
    const { seed } = options;
    expectWhole("SplitBatches", "the seed", seed, Number.MIN_SAFE_INTEGER);
    const { groupIndices, puzzleIndices } = source;
    this.#sampler = new GroupSampler({ groupIndices, puzzleIndices, seed });
  }

  get sequenceLength(): number {
    return this.source.metadata.sequenceLength;
  }

  /** @throws ConfigError for a batch size below 1 */
  next(batchSize: number): Batch {
    const { examples, puzzles } = this.#sampler.next(batchSize);
    return readBatch(this.source, examples, puzzles);
  }

  /** Number of epochs begun. */
  get epoch(): number {
    return this.#sampler.epoch;
  }

  get state(): GroupSamplerState {
    return this.#sampler.state;
  }

  set state(state: unknown) {
    try {
      this.#sampler.state = state as GroupSamplerState; // The setter checks every field.
    } catch {
      throw new RangeError("the position in the training data cannot be read");
    }
  }
}

/** All examples of a split in order. */
export function* sourceBatches(source: ExampleSource, batchSize: number): Generator<Batch> {
  let puzzle = 0;
  for (let start = 0; start < source.count; start += batchSize) {
    const count = Math.min(batchSize, source.count - start);
    const examples = Int32Array.from({ length: count }, (_, row) => start + row);
    const puzzles = puzzlesOf(source, examples, puzzle);
    puzzle = puzzles.at(-1)!;
    yield readBatch(source, examples, puzzles);
  }
}

/** The puzzle of each of these examples, which must rise. @param from a puzzle not after that of the first example */
function puzzlesOf({ puzzleIndices }: ExampleSource, examples: Int32Array, from = 0): Int32Array {
  let puzzle = from;
  return examples.map((example) => {
    while (example >= puzzleIndices.at(puzzle + 1)!) puzzle++;
    return puzzle;
  });
}

function readBatch(source: ExampleSource, examples: Int32Array, puzzles: Int32Array): Batch {
  const { labels, ...rest } = readExamples(source, examples, puzzles);
  return { ...rest, labels: trainingLabels(labels, source.metadata.ignoreLabel) };
}

/** Reads examples with the labels of the data set. */
function readExamples(source: ExampleSource, examples: Int32Array, puzzles: Int32Array) {
  const { sequenceLength: length } = source.metadata;
  const inputs = new Int32Array(examples.length * length);
  const labels = new Int32Array(examples.length * length);
  examples.forEach((example, row) => {
    source.read(
      example,
      inputs.subarray(row * length, (row + 1) * length),
      labels.subarray(row * length, (row + 1) * length),
    );
  });
  return { inputs, labels, puzzleIds: puzzles.map((puzzle) => source.puzzleIdentifiers.at(puzzle)!) };
}

/** Reads up to `limit` examples, spread evenly over a split, into memory. */
export function pickExamples(source: ExampleSource, limit: number): Examples {
  expectSource("pickExamples", source);
  expectWhole("pickExamples", "the limit", limit, 0);
  const { count: total, metadata } = source;
  const count = Math.min(limit, total);
  const examples = Int32Array.from({ length: count }, (_, at) => Math.floor((at * total) / count));
  const { sequenceLength: length, ignoreLabel } = metadata;
  return { count, length, ignoreLabel, ...readExamples(source, examples, puzzlesOf(source, examples)) };
}
