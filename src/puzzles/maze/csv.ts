// Mazes from a file of puzzles (csv/puzzle-csv.ts), as tokens.
import { DatasetError } from "../../formats/index.ts";
import { expectObject, expectString, expectWhole } from "../../tensor/index.ts";
import { type Examples, PuzzleError, packExamples, type TokenPair } from "../../trm/index.ts";
import { type PuzzleRow, readPuzzleCsv, rowError } from "../csv/puzzle-csv.ts";
import { mazeMistake, mazeProblem, parseMaze } from "./board.ts";

/**
 * "path": a question must have one S, one G and a path between them, and its answer must mark a shortest one. "form": only lengths
 * and characters are checked, as in the official builder.
 */
export type MazeCheck = "form" | "path";

/** Reads mazes of one side. @throws DatasetError that names file, line and column; also for a file without puzzles */
export function readMazeCsv(
  text: string,
  fileName: string,
  options: { readonly side?: number; readonly check?: MazeCheck } = {},
): { readonly side: number; readonly examples: Examples; readonly rows: readonly PuzzleRow[] } {
  expectString("readMazeCsv", "the text", text);
  expectString("readMazeCsv", "the name of the file", fileName);
  expectObject("readMazeCsv", "the options", options);
  const { side, check = "path" } = options;
  if (side !== undefined) expectWhole("readMazeCsv", "the side", side);
  const rows = readPuzzleCsv(text, fileName);
  if (rows.length === 0) throw new DatasetError("no puzzles", { file: fileName });
  const expected = side ?? Math.sqrt(rows[0]!.question.length);
  const pairs = rows.map((row) =>
    mazeRowToTokens(row, Number.isInteger(expected) ? expected : undefined, fileName, check),
  );
  return { side: expected, examples: packExamples(pairs, expected * expected), rows };
}

/** Converts one row to tokens. @param side expected side; any square if undefined. @throws DatasetError */
export function mazeRowToTokens(
  row: PuzzleRow,
  side: number | undefined,
  fileName: string,
  check: MazeCheck,
): TokenPair {
  const read = (field: "question" | "answer", text: string) => {
    try {
      return parseMaze(text, side);
    } catch (error) {
      throw error instanceof PuzzleError ? rowError(row, fileName, field, error.message) : error;
    }
  };
  const question = read("question", row.question);
  if (row.answer === undefined) throw rowError(row, fileName, "answer", "maze: missing, expected a file with answers");
  const answer = read("answer", row.answer);
  if (answer.length !== question.length) {
    throw rowError(
      row,
      fileName,
      "answer",
      `maze: ${answer.length} cells, expected ${question.length} as the question`,
    );
  }
  if (check === "path") {
    const width = Math.sqrt(question.length);
    const problem = mazeProblem(question, width);
    if (problem !== undefined) throw rowError(row, fileName, "question", `maze: ${problem}`);
    const mistake = mazeMistake(question, answer, width);
    if (mistake !== undefined) throw rowError(row, fileName, "answer", `maze: ${mistake}`);
  }
  return { question, answer };
}
