/** Generated puzzles as rows of the official CSV, with a rating on this project's own scales. */

import type { Examples, Task } from "../trm/index.ts";
import type { PuzzleRow } from "./csv/puzzle-csv.ts";
import { formatMaze } from "./maze/task.ts";
import { formatBoard, geometryOf, isSudokuSide, rateGuesses, tokensToBoard } from "./sudoku/task.ts";

/** What the rating of a generated puzzle counts. Neither is the scale of the published sets. */
export const ratingMeaning = {
  sudoku: "guesses that our solver needs, 0 where singles suffice",
  maze: "steps of the shortest path",
} as const;

/** Rows for `writePuzzleCsv`, rated as `ratingMeaning` says. */
export function* generatedRows(
  task: Task,
  { count, length, inputs, labels }: Examples,
): Generator<Pick<PuzzleRow, "source" | "question" | "answer" | "rating">> {
  const sudoku = task.name.startsWith("sudoku") && isSudokuSide(task.rows) ? geometryOf(task.rows) : undefined;
  for (let at = 0; at < count * length; at += length) {
    const question = inputs.subarray(at, at + length);
    const answer = labels.subarray(at, at + length);
    if (sudoku === undefined) {
      const steps = formatMaze(answer).split("o").length; // marked cells, and one more to the goal
      yield { source: "trm-ts", question: task.format(question), answer: task.format(answer), rating: steps };
    } else {
      const board = tokensToBoard(question);
      const solution = formatBoard(tokensToBoard(answer));
      yield { source: "trm-ts", question: formatBoard(board), answer: solution, rating: rateGuesses(board, sudoku) };
    }
  }
}
