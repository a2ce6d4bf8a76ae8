// The answer of a Sudoku as tokens, for programs that take puzzles from a person.
import { PuzzleError } from "../../trm/index.ts";
import { boardToTokens, geometryOf, isSudokuSide, tokensToBoard } from "./board.ts";
import { search } from "./solver.ts";

/**
 * The solution of a Sudoku: [side · side] tokens, or null if it has none or more than one.
 * @throws PuzzleError unless the question has 16, 36 or 81 tokens
 */
export function solveSudoku(question: ArrayLike<number>): Int32Array | null {
  const side = Math.sqrt(question.length);
  if (!isSudokuSide(side)) throw new PuzzleError(`sudoku: ${question.length} tokens, expected 16, 36 or 81`);
  const { solutions, first } = search(tokensToBoard(question), geometryOf(side), 2);
  return solutions === 1 ? boardToTokens(first!) : null;
}
