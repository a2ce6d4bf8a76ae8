/**
 * Sudoku as a task: 4x4, 6x6 (boxes of 2 rows and 3 columns) and 9x9.
 *
 * Tokens are digit + 1, blank 1, padding 0; vocabulary side + 2 (9x9: 11, as in the official code). The parts are in
 * sudoku/: board (text and tokens), solver, validate, generator, symmetry, canonical, dataset.
 */

import { DatasetError } from "../../formats/index.ts";
import type { Random } from "../../tensor/index.ts";
import { ConfigError, type Examples, PuzzleError, packExamples, type Task, type TokenPair } from "../../trm/index.ts";
import type { PuzzleRow } from "../csv/puzzle-csv.ts";
import { readPuzzleCsv } from "../csv/puzzle-csv.ts";
import {
  boardToTokens,
  drawBoard,
  geometryOf,
  isSudokuSide,
  parseBoard,
  type SudokuSide,
  tokensToBoard,
} from "./board.ts";
import { generateDataset } from "./dataset.ts";
import { applySymmetry, randomSymmetry } from "./symmetry.ts";
import { puzzleProblem, solutionProblem, validatePuzzle } from "./validate.ts";

export {
  type Board,
  boardToTokens,
  drawBoard,
  formatBoard,
  type Geometry,
  geometryOf,
  isSudokuSide,
  parseBoard,
  type SudokuSide,
  tokensToBoard,
} from "./board.ts";
export { canonicalForm } from "./canonical.ts";
export { generateDataset, puzzleKey, type SudokuDatasetOptions } from "./dataset.ts";
export { generatePuzzle, generateSolution, type PuzzleOptions, type SudokuPuzzle } from "./generator.ts";
export { rateGuesses, type SearchResult, search } from "./solver.ts";
export { applySymmetry, randomSymmetry, type Symmetry } from "./symmetry.ts";
export {
  contradiction,
  puzzleProblem,
  solutionProblem,
  type ValidateOptions,
  validatePuzzle,
} from "./validate.ts";

export interface SudokuTaskOptions {
  /** Generated puzzles: stop removing clues at this many; default: minimal puzzles. */
  readonly clues?: number | undefined;
}

/** @throws ConfigError if there is no Sudoku of this side here. */
export function sudokuTask(side: number, { clues }: SudokuTaskOptions = {}): Task {
  if (!isSudokuSide(side)) throw new ConfigError(`sudoku${side}: expected sudoku4, sudoku6 or sudoku9`);
  const geometry = geometryOf(side);
  return {
    name: `sudoku${side}`,
    rows: side,
    columns: side,
    sequenceLength: geometry.cells,
    vocabularySize: side + 2,
    parse: (question) => boardToTokens(validatePuzzle(question, geometry)),
    format: (tokens) => Array.from(tokens, symbol).join(""),
    draw(tokens, paint = (cell) => cell) {
      return drawBoard(
        Array.from(tokens, (token, position) => paint(symbol(token), position)),
        geometry,
      );
    },
    mistake: (question, answer) => solutionProblem(tokensToBoard(question), tokensToBoard(answer), geometry),
    canJudge: true,
    generate: (wanted) => generateDataset({ ...wanted, side, clues }),
    augment(question: Int32Array, answer: Int32Array, random: Random): TokenPair {
      // All 4x4 puzzles are images of few: the image of a training puzzle could be an unseen one.
      if (side === 4) return { question, answer };
      const symmetry = randomSymmetry(geometry, random);
      const turn = (tokens: ArrayLike<number>) => boardToTokens(applySymmetry(symmetry, tokensToBoard(tokens)));
      return { question: turn(question), answer: turn(answer) };
    },
  };
}

function symbol(token: number): string {
  return token === 0 ? "?" : token === 1 ? "." : String(token - 1);
}

/**
 * Reads Sudokus from the official CSV form.
 * @throws DatasetError naming file, line and column for a broken row, and, with `check` "solution" (the default), for an
 * answer that does not solve its question; "form" checks lengths and characters only, as the official builder does.
 */
export function readSudokuCsv(
  text: string,
  fileName: string,
  { side, check = "solution" }: { readonly side: SudokuSide; readonly check?: "form" | "solution" },
): { readonly examples: Examples; readonly rows: readonly PuzzleRow[] } {
  const rows = readPuzzleCsv(text, fileName);
  const pairs = rows.map((row) => sudokuRowToTokens(row, side, fileName, check));
  return { examples: packExamples(pairs, geometryOf(side).cells), rows };
}

/** One row of the CSV as tokens. @throws DatasetError as readSudokuCsv. */
export function sudokuRowToTokens(
  row: PuzzleRow,
  side: SudokuSide,
  fileName: string,
  check: "form" | "solution",
): TokenPair {
  const geometry = geometryOf(side);
  const read = (column: "question" | "answer") => {
    try {
      return parseBoard(row[column], geometry);
    } catch (error) {
      if (!(error instanceof PuzzleError)) throw error;
      throw new DatasetError(`${column}: ${error.message}`, {
        file: fileName,
        line: row.line,
        column: row.columns[column],
      });
    }
  };
  const question = read("question");
  const answer = read("answer");
  if (check === "solution") {
    const place = (column: "question" | "answer") => ({ file: fileName, line: row.line, column: row.columns[column] });
    const clash = puzzleProblem(question, geometry);
    if (clash !== undefined) throw new DatasetError(`question: sudoku${side}: ${clash}`, place("question"));
    const wrong = solutionProblem(question, answer, geometry);
    if (wrong !== undefined) throw new DatasetError(`answer: sudoku${side}: ${wrong}`, place("answer"));
  }
  return { question: boardToTokens(question), answer: boardToTokens(answer) };
}
