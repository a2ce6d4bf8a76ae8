// Training and test sets of Sudoku puzzles that share no puzzle and, on 6x6 and 9x9, no symmetric image of one.
//
// 4x4 has 288 grids, which are two up to symmetry, so almost every puzzle is an image of another. There, only equal puzzles are
// excluded.
import { Random } from "../../tensor/index.ts";
import { ConfigError, type ExampleSets, type GenerateOptions, packExamples, type TokenPair } from "../../trm/index.ts";
import { drawApart } from "../draw-apart.ts";
import { boardToTokens, formatBoard, type Geometry, geometryOf, type SudokuSide } from "./board.ts";
import { canonicalForm } from "./canonical.ts";
import { generatePuzzle, type SudokuPuzzle } from "./generator.ts";

export interface SudokuDatasetOptions extends GenerateOptions {
  readonly side: SudokuSide;
  /** Number of clues to keep; by default puzzles are minimal. */
  readonly clues?: number | undefined;
}

/** The number of 4x4 puzzles with one solution from which no clue can be removed. They have 4 to 6 clues. */
const MINIMAL_PUZZLES_4 = 85_632;

/** Two sets of different puzzles from one distribution. @throws ConfigError if there are fewer different puzzles */
export function generateDataset(options: SudokuDatasetOptions): ExampleSets {
  const { side, seed, clues = 0, train, test } = options;
  const geometry = geometryOf(side);
  if (side === 4 && clues <= 4 && train + test > MINIMAL_PUZZLES_4) {
    throw new ConfigError(
      `sudoku4: train ${train} + test ${test} puzzles, expected at most ${MINIMAL_PUZZLES_4} (more with more clues)`,
    );
  }
  const sets = drawApart({
    ...options,
    name: `sudoku${side}`,
    random: new Random(seed),
    draw: (random) => generatePuzzle(geometry, random, { clues }),
    key: (puzzle) => puzzleKey(puzzle, geometry),
  });
  const pack = (puzzles: readonly SudokuPuzzle[]) => packExamples(puzzles.map(toTokens), geometry.cells);
  return { train: pack(sets.train), test: pack(sets.test) };
}

/** Equal for puzzles that must not be in both sets: the canonical form; on 4x4 the puzzle itself. */
export function puzzleKey({ puzzle, solution }: SudokuPuzzle, geometry: Geometry): string {
  return geometry.side === 4 ? formatBoard(puzzle) : canonicalForm(puzzle, geometry, solution);
}

function toTokens({ puzzle, solution }: SudokuPuzzle): TokenPair {
  return { question: boardToTokens(puzzle), answer: boardToTokens(solution) };
}
