/**
 * Training and test sets of Sudoku puzzles that share no puzzle, and on 6x6 and 9x9 no symmetry of one either.
 *
 * 4x4 has 288 grids, two up to symmetry, so hardly any puzzle would be unseen in that sense: there the puzzles differ.
 */
import { Random } from "../../../tensor/random.ts";
import { ConfigError } from "../../errors.ts";
import { dealApart, drawApart } from "../apart.ts";
import { type ExampleSets, packExamples, type TokenPair } from "../task.ts";
import { boardToTokens, formatBoard, type Geometry, geometryOf, type SudokuSide } from "./board.ts";
import { canonicalForm } from "./canonical.ts";
import { generatePuzzle, type SudokuPuzzle } from "./generator.ts";
import { applySymmetry, randomSymmetry } from "./symmetry.ts";

export interface SudokuDatasetOptions {
  readonly side: SudokuSide;
  /** Puzzles in the training set (before augmentation). */
  readonly train: number;
  /** Puzzles in the test set. */
  readonly test: number;
  readonly seed: number;
  /** Stop removing clues at this many; default: minimal puzzles. */
  readonly clues?: number | undefined;
  /** Random symmetric copies added after every training puzzle (on 4x4 never a test puzzle). Default 0. */
  readonly augment?: number | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** All 4x4 puzzles with one solution in which no clue can be spared, counted. They have 4 to 6 clues. */
const minimalPuzzles4 = 85_632;

/**
 * Two sets of different puzzles from one distribution.
 * @throws ConfigError if there are not so many different puzzles.
 */
export function generateDataset(options: SudokuDatasetOptions): ExampleSets {
  const { side, seed, clues = 0, augment = 0 } = options;
  const geometry = geometryOf(side);
  const total = options.train + options.test;
  if (side === 4 && clues <= 4 && total > minimalPuzzles4) {
    throw new ConfigError(
      `sudoku4: ${total} different puzzles asked, there are ${minimalPuzzles4} (more with more clues)`,
    );
  }
  const random = new Random(seed);
  const sets = drawApart({
    ...options,
    name: `sudoku${side}`,
    random,
    draw: () => generatePuzzle(geometry, random, { clues }),
    key: (puzzle) => puzzleKey(puzzle, geometry),
  });
  return toExamples(sets, geometry, augment, random);
}

/**
 * Splits given puzzles at random into a training and a test set. Of puzzles that are the same in the sense above only the
 * first stays.
 * @throws ConfigError if fewer than `test` different puzzles are there.
 */
export function splitPuzzles(
  puzzles: readonly SudokuPuzzle[],
  options: { readonly side: SudokuSide; readonly test: number; readonly seed: number; readonly augment?: number },
): ExampleSets {
  const geometry = geometryOf(options.side);
  const different = new Map<string, SudokuPuzzle>();
  for (const puzzle of puzzles) {
    const key = puzzleKey(puzzle, geometry);
    if (!different.has(key)) different.set(key, puzzle);
  }
  if (different.size < options.test) {
    throw new ConfigError(
      `sudoku${options.side}: test set of ${options.test} asked, only ${different.size} different puzzles given`,
    );
  }
  const random = new Random(options.seed);
  const sets = dealApart([...different.values()], options.test, random);
  return toExamples(sets, geometry, options.augment ?? 0, random);
}

/** Equal for puzzles that must not be in both sets: the canonical form, on 4x4 the puzzle itself. */
export function puzzleKey({ puzzle, solution }: SudokuPuzzle, geometry: Geometry): string {
  return geometry.side === 4 ? formatBoard(puzzle) : canonicalForm(puzzle, geometry, solution);
}

function toExamples(
  sets: { readonly train: readonly SudokuPuzzle[]; readonly test: readonly SudokuPuzzle[] },
  geometry: Geometry,
  augment: number,
  random: Random,
): ExampleSets {
  const unseen = new Set(sets.test.map(({ puzzle }) => formatBoard(puzzle)));
  const train: TokenPair[] = [];
  for (const original of sets.train) {
    train.push(toTokens(original));
    for (let copy = 0; copy < augment; copy++) {
      const symmetry = randomSymmetry(geometry, random);
      const puzzle = applySymmetry(symmetry, original.puzzle);
      if (unseen.has(formatBoard(puzzle))) continue; // happens on 4x4 only
      train.push(toTokens({ puzzle, solution: applySymmetry(symmetry, original.solution) }));
    }
  }
  return { train: packExamples(train, geometry.cells), test: packExamples(sets.test.map(toTokens), geometry.cells) };
}

function toTokens({ puzzle, solution }: SudokuPuzzle): TokenPair {
  return { question: boardToTokens(puzzle), answer: boardToTokens(solution) };
}
