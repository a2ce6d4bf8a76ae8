// Builds a split example by example. The tokens go to a sink (memory here, files in layout.node.ts); the index stays in memory.
import type { PuzzleSplit, SplitIndex, SplitMetadata } from "./layout.ts";

/** Receives the tokens of one example after the other. */
export interface ExampleSink {
  write(input: Uint8Array, label: Uint8Array): void;
}

export class SplitBuilder {
  readonly #sink: ExampleSink;
  readonly #identifiers: number[] = [];
  readonly #puzzles = [0];
  readonly #groups = [0];
  #examples = 0;
  #unlabelled = 0;

  constructor(sink: ExampleSink) {
    this.#sink = sink;
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

  index(): SplitIndex {
    return {
      puzzleIdentifiers: Int32Array.from(this.#identifiers),
      puzzleIndices: Int32Array.from(this.#puzzles),
      groupIndices: Int32Array.from(this.#groups),
    };
  }
}

/** Stores the examples in memory, in arrays that double. */
export class MemorySink implements ExampleSink {
  #inputs = new Uint8Array(1024);
  #labels = new Uint8Array(1024);
  #used = 0;

  write(input: Uint8Array, label: Uint8Array): void {
    while (this.#used + input.length > this.#inputs.length) {
      this.#inputs = doubled(this.#inputs);
      this.#labels = doubled(this.#labels);
    }
    this.#inputs.set(input, this.#used);
    this.#labels.set(label, this.#used);
    this.#used += input.length;
  }

  finish(builder: SplitBuilder, metadata: SplitMetadata): PuzzleSplit {
    const inputs = this.#inputs.slice(0, this.#used);
    const labels = this.#labels.slice(0, this.#used);
    return { metadata, inputs, labels, ...builder.index() };
  }
}

function doubled(array: Uint8Array): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(2 * array.length);
  result.set(array);
  return result;
}
