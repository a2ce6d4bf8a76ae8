// Generates puzzles with one solution: clues are removed from a random full grid in random order while the solution stays unique.
//
// One pass gives a minimal puzzle (no clue can be removed): a clue that was needed stays needed, because fewer clues have more
// solutions. On 4x4 there are 85,632 minimal puzzles with 4 to 6 clues; the generated ones have 4.3 on average.
import type { Random } from "../../tensor/index.ts";
import type { Board, Geometry } from "./board.ts";
import { hasOtherDigit, search } from "./solver.ts";
import { applySymmetry, randomSymmetry } from "./symmetry.ts";

export interface SudokuPuzzle {
  readonly puzzle: Board;
  readonly solution: Board;
}

export interface PuzzleOptions {
  /** Number of clues to keep; a puzzle that is minimal earlier keeps more. Default 0: always minimal. */
  readonly clues?: number | undefined;
}

/** A random full grid. The grids of one orbit are equally likely; the random search weights the orbits. */
export function generateSolution(geometry: Geometry, random: Random): Board {
  const { first } = search(new Uint8Array(geometry.cells), geometry, 1, random);
  return applySymmetry(randomSymmetry(geometry, random), first!); // An empty board has solutions.
}

export function generatePuzzle(geometry: Geometry, random: Random, { clues = 0 }: PuzzleOptions = {}): SudokuPuzzle {
  const solution = generateSolution(geometry, random);
  const puzzle = solution.slice();
  let left = geometry.cells;
  for (const cell of random.permutation(geometry.cells)) {
    if (left <= clues) break;
    puzzle[cell] = 0;
    if (hasOtherDigit(puzzle, geometry, cell, solution[cell]!)) puzzle[cell] = solution[cell]!;
    else left--;
  }
  return { puzzle, solution };
}
