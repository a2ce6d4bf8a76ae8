// Sudokus from a file of puzzles (csv/puzzle-csv.ts), as tokens. Where a file has no answers, the solver finds them.
import { DatasetError } from "../../formats/index.ts";
import { ArgumentError, expectObject, expectString, showValue } from "../../tensor/index.ts";
import { type Examples, PuzzleError, packExamples, type TokenPair } from "../../trm/index.ts";
import { type PuzzleRow, readPuzzleCsv, rowError } from "../csv/puzzle-csv.ts";
import { type Board, boardToTokens, geometryOf, isSudokuSide, parseBoard, type SudokuSide } from "./board.ts";
import { search } from "./solver.ts";
import { puzzleProblem, solutionProblem } from "./validate.ts";

/** "solution": every answer must solve its question. "form": only lengths and characters are checked, as in the official builder. */
export type SudokuCheck = "form" | "solution";

/** Reads Sudokus of one side. @throws DatasetError that names file, line and column; also for a file without puzzles */
export function readSudokuCsv(
  text: string,
  fileName: string,
  options: { readonly side: SudokuSide; readonly check?: SudokuCheck },
): { readonly examples: Examples; readonly rows: readonly PuzzleRow[] } {
  expectString("readSudokuCsv", "the text", text);
  expectString("readSudokuCsv", "the name of the file", fileName);
  expectObject("readSudokuCsv", "the options", options, ["side"]);
  const { side, check = "solution" } = options;
  if (!isSudokuSide(side)) {
    throw new ArgumentError(`readSudokuCsv: got ${showValue(side)} as the side, expected 4, 6 or 9`);
  }
  const rows = readPuzzleCsv(text, fileName);
  if (rows.length === 0) throw new DatasetError("no puzzles", { file: fileName });
  const pairs = rows.map((row) => sudokuRowToTokens(row, side, fileName, check));
  return { examples: packExamples(pairs, geometryOf(side).cells), rows };
}

/** Converts one row to tokens. @throws DatasetError */
export function sudokuRowToTokens(row: PuzzleRow, side: SudokuSide, fileName: string, check: SudokuCheck): TokenPair {
  const geometry = geometryOf(side);
  const refuse = (field: "question" | "answer", problem: string) =>
    rowError(row, fileName, field, `sudoku${side}: ${problem}`);
  const read = (field: "question" | "answer", text: string): Board => {
    try {
      return parseBoard(text, geometry);
    } catch (error) {
      throw error instanceof PuzzleError ? rowError(row, fileName, field, error.message) : error;
    }
  };
  const question = read("question", row.question);
  if (check === "solution" || row.answer === undefined) {
    const clash = puzzleProblem(question, geometry);
    if (clash !== undefined) throw refuse("question", clash);
  }
  if (row.answer === undefined) {
    const { solutions, first } = search(question, geometry, 2);
    if (first === undefined) throw refuse("question", "no solution");
    if (solutions > 1)
      throw refuse("question", "more than one solution, expected one, because the file has no answers");
    return { question: boardToTokens(question), answer: boardToTokens(first) };
  }
  const answer = read("answer", row.answer);
  if (check === "solution") {
    const mistake = solutionProblem(question, answer, geometry);
    if (mistake !== undefined) throw refuse("answer", mistake);
  }
  return { question: boardToTokens(question), answer: boardToTokens(answer) };
}
