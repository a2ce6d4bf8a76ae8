// Puzzles of a custom grid task from a file of puzzles (csv/puzzle-csv.ts), as tokens.
import { DatasetError } from "../formats/index.ts";
import { type Examples, PuzzleError, packExamples, type Task, type TokenPair } from "../trm/index.ts";
import { type PuzzleRow, readPuzzleCsv, rowError } from "./csv/puzzle-csv.ts";

/**
 * @param tokensOf  the tokens of a text that need not be a valid question, such as an answer. @throws PuzzleError
 * @throws DatasetError that names file, line and column, also for a wrong answer; and for a file without puzzles
 */
export function readGridCsv(
  text: string,
  fileName: string,
  task: Task,
  tokensOf: (text: string) => Int32Array,
): Examples {
  const rows = readPuzzleCsv(text, fileName);
  if (rows.length === 0) throw new DatasetError("no puzzles", { file: fileName });
  const pairOf = (row: PuzzleRow): TokenPair => {
    const problem = (field: "question" | "answer", what: string) => rowError(row, fileName, field, what);
    const read = (field: "question" | "answer", parse: (cells: string) => Int32Array): Int32Array => {
      const cells = row[field];
      if (cells === undefined) throw problem(field, `${task.name}: missing, expected a file with answers`);
      try {
        return parse(cells);
      } catch (error) {
        throw error instanceof PuzzleError ? problem(field, error.message) : error;
      }
    };
    const question = read("question", task.parse);
    const answer = read("answer", tokensOf);
    const mistake = task.mistake(question, answer);
    if (mistake !== undefined) throw problem("answer", `${task.name}: ${mistake}`);
    return { question, answer };
  };
  return packExamples(rows.map(pairOf), task.sequenceLength);
}
