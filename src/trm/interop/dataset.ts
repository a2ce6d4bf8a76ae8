/**
 * A run's puzzles in the official on-disk layout, and back. A group is one puzzle with its augmented copies, the puzzle as it
 * is first. Beside "train" and "test" there is a folder "watch" of the same form, which the official code does not look at:
 * the puzzles that a run of ours watches during training, kept apart from those of the final test.
 */
import type { Random } from "../../tensor/index.ts";
import type { PuzzleSplit } from "../data/layout.ts";
import { MemorySink, SplitBuilder } from "../data/split-builder.ts";
import type { Examples, Task } from "../tasks/task.ts";

/** @param copies  random symmetries of every puzzle, after the puzzle itself */
export function toSplit(examples: Examples, task: Task, copies: number, random: Random): PuzzleSplit {
  const { count, length, inputs, labels } = examples;
  const sink = new MemorySink();
  const builder = new SplitBuilder(sink);
  const add = (question: Int32Array, answer: Int32Array): void => {
    builder.addExample(Uint8Array.from(question), Uint8Array.from(answer));
    builder.endPuzzle(blank);
  };
  for (let i = 0; i < count; i++) {
    const question = inputs.slice(i * length, (i + 1) * length);
    const answer = labels.slice(i * length, (i + 1) * length);
    add(question, answer);
    for (let copy = 0; copy < copies; copy++) {
      const image = task.augment(question, answer, random);
      add(image.question, image.answer);
    }
    builder.endGroup();
  }
  return sink.finish(builder, {
    padToken: 0,
    ignoreLabel: 0,
    blankIdentifier: blank,
    vocabularySize: task.vocabularySize,
    sequenceLength: task.sequenceLength,
    identifierCount: 1,
    groupCount: count,
    meanPuzzleExamples: 1,
    puzzleCount: count, // the groups, as the official Sudoku builder counts
    sets: ["all"],
  });
}

/** Every puzzle of the set has the one blank identifier. */
const blank = 0;

/** Names of the identifiers of such a set. */
export const identifierNames: readonly string[] = ["<blank>"];

/** The examples of the first puzzle of every group: without augmented copies. */
export function toExamples(split: PuzzleSplit): Examples {
  const length = split.metadata.sequenceLength;
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
  return { count: rows.length, length, inputs: pick(split.inputs), labels: pick(split.labels) };
}
