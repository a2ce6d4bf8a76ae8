/**
 * Examples in memory as a split of the official layout, and back: for `encodeSplit`, which gives its files. A group is one puzzle
 * with its augmented copies, the puzzle as it is first; every puzzle has the one blank identifier.
 */
import { Random } from "../../tensor/index.ts";
import type { Examples, Task, TokenPair } from "../../trm/index.ts";
import { type PuzzleSplit, splitMetadata } from "./layout.ts";
import { MemorySink, SplitBuilder } from "./split-builder.ts";

/** Names of the identifiers of such a set, for identifiers.json. */
export const identifierNames: readonly string[] = ["<blank>"];

/** @param copies  random images of every puzzle, different from it and from each other as far as there are so many */
export function toSplit(examples: Examples, task: Task, copies = 0, random = new Random(0)): PuzzleSplit {
  const { count, length, inputs, labels } = examples;
  const sink = new MemorySink();
  const builder = new SplitBuilder(sink);
  for (let i = 0; i < count; i++) {
    const question = inputs.slice(i * length, (i + 1) * length);
    const answer = labels.slice(i * length, (i + 1) * length);
    for (const image of [{ question, answer }, ...images(question, answer, task, copies, random)]) {
      builder.addExample(Uint8Array.from(image.question), Uint8Array.from(image.answer));
      builder.endPuzzle(0);
    }
    builder.endGroup();
  }
  const { vocabularySize, sequenceLength } = task;
  const metadata = splitMetadata(builder, { vocabularySize, sequenceLength, identifierCount: 1 });
  return sink.finish(builder, { ...metadata, puzzleCount: count }); // the groups, as the official Sudoku builder counts
}

/** Draws in a row without a new image after which there are taken to be no more. */
const maxFruitless = 50;

function images(question: Int32Array, answer: Int32Array, task: Task, wanted: number, random: Random): TokenPair[] {
  const known = new Set([question.join()]);
  const found: TokenPair[] = [];
  for (let fruitless = 0; found.length < wanted && fruitless < maxFruitless; fruitless++) {
    const image = task.augment(question, answer, random);
    if (known.has(image.question.join())) continue;
    known.add(image.question.join());
    found.push(image);
    fruitless = 0;
  }
  return found;
}

/** The examples of the first puzzle of every group: without augmented copies. */
export function toExamples(split: PuzzleSplit): Examples {
  const { sequenceLength: length, ignoreLabel } = split.metadata;
  const rows: number[] = [];
  for (let group = 0; group + 1 < split.groupIndices.length; group++) {
    const puzzle = split.groupIndices[group]!;
    for (let row = split.puzzleIndices[puzzle]!; row < split.puzzleIndices[puzzle + 1]!; row++) rows.push(row);
  }
  const pick = (tokens: Uint8Array | Int32Array): Int32Array => {
    const picked = new Int32Array(rows.length * length);
    rows.forEach((row, i) => {
      picked.set(tokens.subarray(row * length, (row + 1) * length), i * length);
    });
    return picked;
  };
  const tokens = { inputs: pick(split.inputs), labels: pick(split.labels) };
  return { count: rows.length, length, ...tokens, ...(ignoreLabel !== 0 && { ignoreLabel }) };
}
