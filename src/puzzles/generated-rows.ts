// Generated puzzles as rows of the official CSV, with ratings on scales of this project.
import type { Examples, Task } from "../trm/index.ts";
import type { WritableRow } from "./csv/puzzle-csv.ts";
import { formatMaze } from "./maze/board.ts";
import { formatBoard, geometryOf, isSudokuSide, tokensToBoard } from "./sudoku/board.ts";
import { rateGuesses } from "./sudoku/solver.ts";

/** The meaning of the rating of a generated puzzle. Neither is the scale of the published sets. */
export const ratingMeaning = {
  sudoku: "number of guesses of the solver, 0 if singles suffice",
  maze: "number of steps of the shortest path",
} as const;

/** Rows for `writePuzzleCsv`, rated according to `ratingMeaning`. */
export function* generatedRows(task: Task, { count, length, inputs, labels }: Examples): Generator<WritableRow> {
  const sudoku = task.name.startsWith("sudoku") && isSudokuSide(task.rows) ? geometryOf(task.rows) : undefined;
  for (let at = 0; at < count * length; at += length) {
    const question = inputs.subarray(at, at + length);
    const answer = labels.subarray(at, at + length);
    if (sudoku === undefined) {
      const steps = formatMaze(answer).split("o").length; // one step per marked cell, and one to the goal
      yield { source: "trm-ts", question: task.format(question), answer: task.format(answer), rating: steps };
    } else {
      const board = tokensToBoard(question);
      const solution = formatBoard(tokensToBoard(answer));
      yield { source: "trm-ts", question: formatBoard(board), answer: solution, rating: rateGuesses(board, sudoku) };
    }
  }
}
