// The rating of a Sudoku: the number of guesses that find the solution and prove that it is the only one.
import fc from "fast-check";
import { expect, it } from "vitest";
import { geometryOf, parseBoard } from "../../src/puzzles/sudoku/board.ts";
import { rateGuesses, search } from "../../src/puzzles/sudoku/solver.ts";
import { sudokus } from "./sudoku-boards.ts";

it("counts the guesses after the first solution too, which prove that there is no other", () => {
  const six = geometryOf(6);
  const board = parseBoard("5.6..31...2...34.........41..6......", six);
  expect(search(board, six, 1).guesses).toBe(1);
  expect(rateGuesses(board, six)).toBe(2);
});

it("does not depend on the names of the digits", () => {
  // A search that stops at the first solution finds it earlier or later, depending on the order of the digits.
  fc.assert(
    fc.property(sudokus, fc.nat(), ({ geometry, puzzle }, shift) => {
      const { side } = geometry;
      const renamed = puzzle.map((digit) => (digit === 0 ? 0 : ((digit + shift) % side) + 1));
      expect(rateGuesses(renamed, geometry)).toBe(rateGuesses(puzzle, geometry));
    }),
  );
});
