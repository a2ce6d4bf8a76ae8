// Generated puzzles as rows of the official CSV, with ratings on scales of this project.
import { expectObject } from "../tensor/index.ts";
import { type Examples, expectExamples, type Task } from "../trm/index.ts";
import type { WritableRow } from "./csv/puzzle-csv.ts";
import { formatMaze } from "./maze/board.ts";
import { choiceOf } from "./named-task.ts";
import { geometryOf, type SudokuSide, tokensToBoard } from "./sudoku/board.ts";
import { rateGuesses } from "./sudoku/solver.ts";

/** The meaning of the rating of a generated puzzle. None is the scale of the published sets. */
export const ratingMeaning = {
  sudoku: "number of guesses of the solver, 0 if singles suffice",
  maze: "number of steps of the shortest path",
  own: "0 for every puzzle",
} as const;

type RatingName = keyof typeof ratingMeaning;

/** The rating that the generated puzzles of a task have. */
export function ratingName(task: Task): RatingName {
  const { name } = choiceOf(task);
  return name === "maze" ? "maze" : name.startsWith("sudoku") ? "sudoku" : "own";
}

const ratings: Record<RatingName, (question: Int32Array, answer: Int32Array, task: Task) => number> = {
  sudoku: (question, _, { rows }) => rateGuesses(tokensToBoard(question), geometryOf(rows as SudokuSide)),
  maze: (_, answer) => formatMaze(answer).split("o").length, // one step per marked cell, and one to the goal
  own: () => 0,
};

/** Rates puzzles of a task by question and answer, according to `ratingMeaning`; undefined if all have the same rating. */
export function ratingOf(task: Task): ((question: Int32Array, answer: Int32Array) => number) | undefined {
  const name = ratingName(task);
  return name === "own" ? undefined : (question, answer) => ratings[name](question, answer, task);
}

/** Rows for `writePuzzleCsv`, rated according to `ratingMeaning`. */
export function* generatedRows(task: Task, examples: Examples): Generator<WritableRow> {
  expectObject("generatedRows", "the task", task, ["name", "format"]);
  expectExamples("generatedRows", examples);
  const { count, length, inputs, labels } = examples;
  const rate = ratings[ratingName(task)];
  for (let at = 0; at < count * length; at += length) {
    const question = inputs.subarray(at, at + length);
    const answer = labels.subarray(at, at + length);
    const rating = rate(question, answer, task);
    yield { source: "trm-ts", question: task.format(question), answer: task.format(answer), rating };
  }
}
