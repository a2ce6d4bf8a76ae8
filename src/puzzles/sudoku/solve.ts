// The answer of a Sudoku as tokens, for programs that take puzzles from a person.
import { ArgumentError, showValue } from "../../tensor/index.ts";
import { PuzzleError } from "../../trm/index.ts";
import { boardToTokens, geometryOf, isSudokuSide, tokensToBoard } from "./board.ts";
import { search } from "./solver.ts";

/**
 * The solution of a Sudoku: [side · side] tokens, or null if it has none or more than one.
 * @throws PuzzleError unless the question has 16, 36 or 81 tokens
 */
export function solveSudoku(question: ArrayLike<number>): Int32Array | null {
  if (typeof question !== "object" || question === null || !("length" in question)) {
    throw new ArgumentError(`solveSudoku: got ${showValue(question)} as the question, expected an array of tokens`);
  }
  const side = Math.sqrt(question.length);
  if (!isSudokuSide(side)) throw new PuzzleError(`solveSudoku: got ${question.length} tokens, expected 16, 36 or 81`);
  const { solutions, first } = search(tokensToBoard(question), geometryOf(side), 2);
  return solutions === 1 ? boardToTokens(first!) : null;
}
