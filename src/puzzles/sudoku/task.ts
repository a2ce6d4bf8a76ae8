// Sudoku as a task: 4x4, 6x6 (boxes of 2 rows and 3 columns) and 9x9.
//
// Tokens are digit + 1, the blank is 1, padding is 0; the vocabulary has side + 2 tokens (9x9: 11, as in the official code). This
// folder holds board (text and tokens), solver, validate, generator, symmetry, canonical, dataset and csv.
import { expectObject, type Random, showValue } from "../../tensor/index.ts";
import { ConfigError, type Task, type TokenPair } from "../../trm/index.ts";
import { checkedTask } from "../checked-task.ts";
import {
  boardToTokens,
  drawBoard,
  geometryOf,
  isSudokuSide,
  joinRows,
  type SudokuSide,
  tokensToBoard,
} from "./board.ts";
import { generateDataset } from "./dataset.ts";
import { applyToTokens, identitySymmetry, invertSymmetry, randomSymmetry } from "./symmetry.ts";
import { solutionProblem, validatePuzzle } from "./validate.ts";

export interface SudokuTaskOptions {
  /**
   * Generated puzzles keep this many clues, or more where a unique solution needs them. Default 0: they are minimal (no clue can be
   * removed).
   */
  readonly clues?: number | undefined;
}

/** Sudoku of 4x4, 6x6 or 9x9 cells. @throws ConfigError unless the side is 4, 6 or 9 and the clues are 0 to side² */
export function sudokuTask(side: SudokuSide, options: SudokuTaskOptions = {}): Task {
  if (!isSudokuSide(side)) throw new ConfigError(`sudokuTask: got ${showValue(side)} as the side, expected 4, 6 or 9`);
  expectObject("sudokuTask", "the options", options);
  const { clues = 0 } = options;
  const geometry = geometryOf(side);
  if (!Number.isInteger(clues) || clues < 0 || clues > geometry.cells) {
    throw new ConfigError(
      `sudokuTask: got ${showValue(clues)} as the number of clues, expected a whole number from 0 to ${geometry.cells}`,
    );
  }
  return checkedTask({
    name: `sudoku${side}`,
    rows: side,
    columns: side,
    sequenceLength: geometry.cells,
    vocabularySize: side + 2,
    parse: (question) => boardToTokens(validatePuzzle(joinRows(question), geometry)),
    format: (tokens) => Array.from(tokens, symbol).join(""),
    draw(tokens, paint = (cell) => cell) {
      return drawBoard(
        Array.from(tokens, (token, position) => paint(symbol(token), position)),
        geometry,
      );
    },
    mistake: (question, answer) => solutionProblem(tokensToBoard(question), tokensToBoard(answer), geometry),
    canJudge: true,
    generate: (options) => generateDataset({ ...options, side, clues }),
    augment(question: Int32Array, answer: Int32Array, random: Random): TokenPair {
      // All 4x4 puzzles are images of a few, so the image of a training puzzle could be an unseen puzzle.
      if (side === 4) return { question, answer };
      const symmetry = randomSymmetry(geometry, random);
      return { question: applyToTokens(symmetry, question), answer: applyToTokens(symmetry, answer) };
    },
    symmetries(count, random) {
      const others = Array.from({ length: count - 1 }, () => randomSymmetry(geometry, random));
      return [identitySymmetry(geometry), ...others].map((symmetry) => ({
        apply: (tokens) => applyToTokens(symmetry, tokens),
        inverse: (tokens) => applyToTokens(invertSymmetry(symmetry), tokens),
      }));
    },
  });
}

function symbol(token: number): string {
  return token === 0 ? "?" : token === 1 ? "." : String(token - 1);
}
