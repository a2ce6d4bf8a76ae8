// The rating of a Sudoku: the number of guesses that find the solution and prove that it is the only one.
import fc from "fast-check";
import { expect, it } from "vitest";
import { geometryOf, parseBoard } from "../../src/puzzles/sudoku/board.ts";
import { rateGuesses, search } from "../../src/puzzles/sudoku/solver.ts";
import { sudokus } from "./sudoku-boards.ts";

it("the rating counts the guesses after the first solution too, which prove that there is no other", () => {
  const six = geometryOf(6);
  const board = parseBoard("5.6..31...2...34.........41..6......", six);
  expect(search(board, six, 1).guesses).toBe(1);
  expect(rateGuesses(board, six)).toBe(2);
});

it("the rating is at least the number of guesses until the first solution, and 0 only without any guess", () => {
  fc.assert(
    fc.property(sudokus, ({ geometry, puzzle }) => {
      const untilFirst = search(puzzle, geometry, 1).guesses;
      const rating = rateGuesses(puzzle, geometry);
      expect(rating).toBeGreaterThanOrEqual(untilFirst);
      expect(rating === 0).toBe(untilFirst === 0);
    }),
  );
});
