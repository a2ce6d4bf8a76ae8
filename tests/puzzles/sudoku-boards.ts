// Arbitrary Sudokus.
import fc from "fast-check";
import { geometryOf, type SudokuSide } from "../../src/puzzles/sudoku/board.ts";
import { generatePuzzle } from "../../src/puzzles/sudoku/generator.ts";
import { Random } from "../../src/tensor/random.ts";

export const sides: fc.Arbitrary<SudokuSide> = fc.constantFrom(4, 6, 9);

/** A generated puzzle and a generator for further draws. */
export const sudokus = fc.record({ side: sides, seed: fc.nat() }).map(({ side, seed }) => {
  const random = new Random(seed);
  const geometry = geometryOf(side);
  return { side, geometry, random, ...generatePuzzle(geometry, random) };
});

/** A hard 9x9 puzzle with 17 clues. */
export const SEVENTEEN = "000000010400000000020000000000050407008000300001090000300400200050100000000806000";
export const SEVENTEEN_SOLUTION = "693784512487512936125963874932651487568247391741398625319475268856129743274836159";
