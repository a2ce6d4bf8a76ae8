/**
 * The official puzzle CSV: a header line source,question,answer,rating, then one puzzle per line.
 *
 * Spaces count (mazes are made of them), so nothing is trimmed. Reads strings, so it runs in a page; csv-parse's browser
 * build is used everywhere, as the other one imports Node's modules.
 */
import { CsvError, parse } from "csv-parse/browser/esm/sync";
import { DatasetError, quoted, shortened } from "../../formats/index.ts";

export interface PuzzleRow {
  readonly source: string;
  readonly question: string;
  readonly answer: string;
  /** The difficulty, on whatever scale the source uses. */
  readonly rating: number;
  /** Line in the file, from 1. */
  readonly line: number;
  /** Where the fields begin in that line, from 1 (exact unless fields before are quoted). */
  readonly columns: { readonly question: number; readonly answer: number; readonly rating: number };
}

export const PUZZLE_CSV_HEADER = ["source", "question", "answer", "rating"] as const;

/** @throws DatasetError naming file, line and column of the first broken row. */
export function readPuzzleCsv(text: string, fileName: string): PuzzleRow[] {
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parse(text, {
      bom: true,
      info: true,
      relax_column_count: true, // counted in checkPuzzleRow, which knows the place
      skip_empty_lines: true,
    }) as unknown as typeof records;
  } catch (error) {
    throw csvProblem(error, fileName, text);
  }
  const header = records[0];
  if (header === undefined)
    throw new DatasetError("empty, expected the header source,question,answer,rating", { file: fileName });
  checkPuzzleHeader(header.record, fileName, header.info.lines);
  return records.slice(1).map(({ record, info }) => checkPuzzleRow(record, fileName, info.lines));
}

/** Turns csv-parse's error (an unclosed quote and the like) into ours; with the text at hand, the column is known too. */
export function csvProblem(error: unknown, fileName: string, text?: string): unknown {
  if (!(error instanceof CsvError)) return error;
  const line = typeof error.lines === "number" ? error.lines : undefined;
  const field = typeof error.column === "number" ? error.column : undefined;
  const fields = line === undefined ? undefined : text?.split(/\r\n|\n|\r/, line)[line - 1]?.split(",");
  const before = field === undefined ? undefined : fields?.slice(0, field).join(",");
  return new DatasetError(`broken CSV: ${shortened(error.message, 120)}`, {
    file: fileName,
    line,
    column: before === undefined ? undefined : before.length + (field === 0 ? 1 : 2),
  });
}

/** @throws DatasetError if the header is another. */
export function checkPuzzleHeader(fields: readonly string[], fileName: string, line = 1): void {
  if (fields.length === PUZZLE_CSV_HEADER.length && PUZZLE_CSV_HEADER.every((name, index) => fields[index] === name))
    return;
  throw new DatasetError(`header ${quoted(fields.join(","))}, expected source,question,answer,rating`, {
    file: fileName,
    line,
    column: 1,
  });
}

/** The fields of one row, checked. @throws DatasetError */
export function checkPuzzleRow(fields: readonly string[], fileName: string, line: number): PuzzleRow {
  const [source, question, answer, rating] = fields;
  if (
    source === undefined ||
    question === undefined ||
    answer === undefined ||
    rating === undefined ||
    fields.length > 4
  ) {
    const width = fields.slice(0, 4).reduce((sum, field) => sum + field.length + 1, 0);
    throw new DatasetError(
      `${fields.length} ${fields.length === 1 ? "field" : "fields"}, expected 4 (source,question,answer,rating)`,
      { file: fileName, line, column: width + (fields.length > 4 ? 1 : 0) },
    );
  }
  const columns = {
    question: source.length + 2,
    answer: source.length + question.length + 3,
    rating: source.length + question.length + answer.length + 4,
  };
  if (!/^-?\d+(\.\d+)?$/.test(rating)) {
    throw new DatasetError(`rating ${quoted(rating)}, expected a number`, {
      file: fileName,
      line,
      column: columns.rating,
    });
  }
  return { source, question, answer, rating: Number(rating), line, columns };
}

/** Writes rows in the same form. @throws DatasetError if a field has a comma, a quote or a line break. */
export function writePuzzleCsv(rows: Iterable<Pick<PuzzleRow, "source" | "question" | "answer" | "rating">>): string {
  const lines = [PUZZLE_CSV_HEADER.join(",")];
  for (const { source, question, answer, rating } of rows) {
    for (const field of [source, question, answer]) {
      if (/[",\r\n]/.test(field))
        throw new DatasetError(`cannot write the field ${quoted(field)}: it has a comma, a quote or a line break`);
    }
    lines.push(`${source},${question},${answer},${rating}`);
  }
  return `${lines.join("\n")}\n`;
}
