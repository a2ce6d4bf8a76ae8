// Builds a split example by example. The tokens go to a sink (memory here, files in layout.node.ts); the index stays in memory.
import type { PuzzleSplit, SplitIndex, SplitMetadata } from "./layout.ts";

/** Receives the tokens of one example after the other. */
export interface ExampleSink {
  write(input: Uint8Array, label: Uint8Array): void;
}

export class SplitBuilder {
  readonly #sink: ExampleSink;
  readonly #identifiers = new GrowingColumn(Int32Array);
  readonly #puzzles = new GrowingColumn(Int32Array);
  readonly #groups = new GrowingColumn(Int32Array);
  #examples = 0;
  #unlabelled = 0;

  constructor(sink: ExampleSink) {
    this.#sink = sink;
    this.#puzzles.push(0);
    this.#groups.push(0);
  }

  addExample(input: Uint8Array, label: Uint8Array): void {
    this.#sink.write(input, label);
    this.#examples++;
    if (label.every((token) => token === 0)) this.#unlabelled++;
  }

  /** Ends a puzzle, which consists of the examples since the last call. */
  endPuzzle(identifier: number): void {
    this.#identifiers.push(identifier);
    this.#puzzles.push(this.#examples);
  }

  /** Ends a group, which consists of the puzzles since the last call. */
  endGroup(): void {
    this.#groups.push(this.#identifiers.length);
  }

  get exampleCount(): number {
    return this.#examples;
  }

  /** Number of examples without a label (all are padding). */
  get unlabelledCount(): number {
    return this.#unlabelled;
  }

  get puzzleCount(): number {
    return this.#identifiers.length;
  }

  get groupCount(): number {
    return this.#groups.length - 1;
  }

  /** The index of the puzzles and groups so far. */
  index(): SplitIndex {
    return {
      puzzleIdentifiers: this.#identifiers.numbers,
      puzzleIndices: this.#puzzles.numbers,
      groupIndices: this.#groups.numbers,
    };
  }
}

/** Stores the examples in memory. */
export class MemorySink implements ExampleSink {
  readonly #inputs = new GrowingColumn(Uint8Array);
  readonly #labels = new GrowingColumn(Uint8Array);

  write(input: Uint8Array, label: Uint8Array): void {
    this.#inputs.append(input);
    this.#labels.append(label);
  }

  finish(builder: SplitBuilder, metadata: SplitMetadata): PuzzleSplit {
    const inputs = this.#inputs.numbers.slice();
    const labels = this.#labels.numbers.slice();
    return { metadata, inputs, labels, ...builder.index() };
  }
}

/**
 * Numbers of which more are added at the end, in a typed array that doubles. V8 ends the process if an ordinary array grows beyond
 * about 112 million elements, and the largest data sets have more puzzles.
 */
export class GrowingColumn<T extends Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>> {
  readonly #NumberArray: new (
    length: number,
  ) => T;
  #array: T;
  #length = 0;

  constructor(NumberArray: new (length: number) => T) {
    this.#NumberArray = NumberArray;
    this.#array = new NumberArray(1024);
  }

  get length(): number {
    return this.#length;
  }

  /** The numbers so far, as a view: a copy of the largest columns would occupy gigabytes. */
  get numbers(): T {
    return this.#array.subarray(0, this.#length) as T;
  }

  push(number: number): void {
    this.#reserve(1);
    this.#array[this.#length++] = number;
  }

  append(numbers: ArrayLike<number>): void {
    this.#reserve(numbers.length);
    this.#array.set(numbers, this.#length);
    this.#length += numbers.length;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#array.length) return;
    const larger = new this.#NumberArray(Math.max(needed, 2 * this.#array.length));
    larger.set(this.#array);
    this.#array = larger;
  }
}
