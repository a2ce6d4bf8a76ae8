// Puzzles of a grid task of one's own from a file of puzzles (csv/puzzle-csv.ts), as tokens.
import { DatasetError } from "../formats/index.ts";
import { type Examples, PuzzleError, packExamples, type Task } from "../trm/index.ts";
import { type PuzzleRow, readPuzzleCsv, rowError } from "./csv/puzzle-csv.ts";

/** @throws DatasetError that names file, line and column; also for a file without puzzles */
export function readGridCsv(text: string, fileName: string, task: Task): Examples {
  const rows = readPuzzleCsv(text, fileName);
  if (rows.length === 0) throw new DatasetError("no puzzles", { file: fileName });
  const tokensOf = (row: PuzzleRow, field: "question" | "answer"): Int32Array => {
    const cells = row[field];
    if (cells === undefined) throw rowError(row, fileName, field, "missing, expected a file with answers");
    try {
      return task.parse(cells);
    } catch (error) {
      throw error instanceof PuzzleError ? rowError(row, fileName, field, error.message) : error;
    }
  };
  const pairs = rows.map((row) => ({ question: tokensOf(row, "question"), answer: tokensOf(row, "answer") }));
  return packExamples(pairs, task.sequenceLength);
}
