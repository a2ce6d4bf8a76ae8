// Files of puzzles as text: the official CSV (source,question,answer,rating), the headers of Kaggle's sets (quizzes,solutions and
// puzzle,solution), and lists with one puzzle per line and comments after "#" (tdoku, .sdm).
//
// Spaces are part of a field (they are cells of a maze), so nothing is trimmed. csv-parse's build for the browser is used
// everywhere, because the other one imports Node's modules.
import { type CsvError, parse } from "csv-parse/browser/esm/sync";
import { DatasetError, quoted, shortened } from "../../formats/index.ts";
import { ArgumentError, expectObject, expectString, showValue } from "../../tensor/index.ts";

/** One puzzle of a file. */
export interface PuzzleRow {
  readonly source: string;
  readonly question: string;
  /** Undefined if the file has no answers. */
  readonly answer: string | undefined;
  /** The difficulty, on the scale of the source; undefined if the file has no ratings. */
  readonly rating: number | undefined;
  /** First line of the record in the file, from 1. */
  readonly line: number;
  /** Where the fields begin in that line, from 1 (exact unless an earlier field is quoted). */
  readonly columns: { readonly question: number; readonly answer: number };
}

/** One puzzle to write. */
export interface WritableRow {
  readonly source: string;
  readonly question: string;
  readonly answer: string;
  readonly rating: number;
}

/** The names of the fields in the files that are read. */
const FIELD_NAMES = {
  source: ["source"],
  question: ["question", "quizzes", "quiz", "puzzle", "puzzles"],
  answer: ["answer", "solutions", "solution"],
  rating: ["rating", "difficulty"],
} as const;

type Field = keyof typeof FIELD_NAMES;

/** csv-parse's build for the browser copies a text into an array, and V8 ends the process if that has more than 112 million elements. */
const MAX_TEXT = 100_000_000;

/** The options of csv-parse for both readers. */
export const CSV_OPTIONS = {
  bom: true,
  info: true,
  record_delimiter: ["\r\n", "\n", "\r"],
  relax_column_count: true,
  skip_empty_lines: true,
};

const EXPECTED_HEADER = "expected source,question,answer,rating (or quizzes,solutions or puzzle,solution)";

/** Turns the records of a CSV file into rows. The first record must be the header. */
export class CsvRows {
  readonly #file: string;
  #columns: Partial<Record<Field, number>> | undefined;
  #width = 0;
  /** csv-parse counts a quoted "\r\n" as two lines. */
  #extraLines = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * @param lastLine line of the end of the record, as csv-parse counts
   * @returns undefined for the header
   * @throws DatasetError
   */
  read(record: readonly string[], lastLine: number): PuzzleRow | undefined {
    const text = record.join(",");
    this.#extraLines += text.split("\r\n").length - 1;
    const line = lastLine - this.#extraLines - (text.split(/\r\n|\r|\n/).length - 1);
    if (this.#columns === undefined) {
      this.#columns = this.#header(record, line);
      this.#width = record.length;
      return undefined;
    }
    return this.#row(record, line, this.#columns);
  }

  /** Call after the last record. @throws DatasetError if there was no header */
  end(): void {
    if (this.#columns === undefined)
      throw new DatasetError(`the file is empty, ${EXPECTED_HEADER}`, { file: this.#file });
  }

  #header(record: readonly string[], line: number): Partial<Record<Field, number>> {
    const names = record.map((name) => name.trim().toLowerCase());
    const columns: Partial<Record<Field, number>> = {};
    for (const field of Object.keys(FIELD_NAMES) as Field[]) {
      const known: readonly string[] = FIELD_NAMES[field];
      const at = names.findIndex((name) => known.includes(name));
      if (at >= 0) columns[field] = at;
    }
    if (columns.question !== undefined && columns.answer !== undefined) return columns;
    throw new DatasetError(`header ${quoted(record.join(","))}, ${EXPECTED_HEADER}`, {
      file: this.#file,
      line,
      column: 1,
    });
  }

  #row(record: readonly string[], line: number, columns: Partial<Record<Field, number>>): PuzzleRow {
    if (record.length !== this.#width) {
      const isLonger = record.length > this.#width;
      throw new DatasetError(
        `${record.length} ${record.length === 1 ? "field" : "fields"}, expected ${this.#width} as in the header`,
        {
          file: this.#file,
          line,
          column: isLonger ? columnOf(record, this.#width) : columnOf(record, record.length) - 1,
        },
      );
    }
    const field = (name: Field) => (columns[name] === undefined ? undefined : record[columns[name]]);
    const rating = field("rating");
    const isNumber = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
    if (rating !== undefined && !(isNumber.test(rating) && Number.isFinite(Number(rating)))) {
      throw new DatasetError(`rating ${quoted(rating)}, expected a number`, {
        file: this.#file,
        line,
        column: columnOf(record, columns.rating!),
      });
    }
    return {
      source: field("source") ?? "",
      question: field("question")!,
      answer: field("answer"),
      rating: rating === undefined ? undefined : Number(rating),
      line,
      columns: { question: columnOf(record, columns.question!), answer: columnOf(record, columns.answer!) },
    };
  }
}

/** An error about a field of a row. */
export function rowError(row: PuzzleRow, file: string, field: "question" | "answer", problem: string): DatasetError {
  return new DatasetError(`${field}: ${problem}`, { file, line: row.line, column: row.columns[field] });
}

/** Column, from 1, at which a field of a record begins. */
function columnOf(record: readonly string[], field: number): number {
  return record.slice(0, field).reduce((sum, text) => sum + text.length + 1, 1);
}

/** Whether a file is a list with one puzzle per line: its first line that is neither empty nor a comment is a puzzle. */
export function isPuzzleList(start: string): boolean {
  const first = /^(?!\ufeff?#|[^\S\r\n\u2028\u2029]*$).*/m.exec(start)?.[0].replace(/^\ufeff/, "");
  return first !== undefined && /^[\d.]{4,}\s*(#.*)?$/.test(first);
}

/** One line of a list of puzzles; undefined for an empty line and for a comment. */
export function listRow(text: string, line: number): PuzzleRow | undefined {
  const question = text
    .replace(/^\ufeff/, "")
    .replace(/#.*$/s, "")
    .trim();
  if (question === "") return undefined;
  return { source: "", question, answer: undefined, rating: undefined, line, columns: { question: 1, answer: 1 } };
}

/**
 * Reads a file of puzzles: CSV with a header, or a list with one puzzle per line.
 *
 * @throws DatasetError that names file, line and column of the first broken row
 */
export function readPuzzleCsv(text: string, fileName: string): PuzzleRow[] {
  expectString("readPuzzleCsv", "the text", text);
  expectString("readPuzzleCsv", "the name of the file", fileName);
  if (text.length > MAX_TEXT) {
    throw new DatasetError(`${text.length} characters, expected at most ${MAX_TEXT} in memory`, { file: fileName });
  }
  if (isPuzzleList(text)) {
    return text.split(/\r\n|\n|\r/).flatMap((line, index) => listRow(line, index + 1) ?? []);
  }
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parse(text, CSV_OPTIONS) as unknown as typeof records;
  } catch (error) {
    throw csvProblem(error, fileName, text);
  }
  const rows = new CsvRows(fileName);
  const result = records.flatMap(({ record, info }) => rows.read(record, info.lines) ?? []);
  rows.end();
  return result;
}

/**
 * Turns an error of csv-parse, such as an unclosed quote, into a DatasetError.
 * @param text the file, if it is in memory; then the column is known too
 */
export function csvProblem(error: unknown, fileName: string, text?: string): unknown {
  if (!isCsvError(error)) return error;
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

/** The two builds of csv-parse have a class of this name each. */
function isCsvError(error: unknown): error is CsvError {
  return error instanceof Error && "bytes_records" in error;
}

/** Writes rows in the official form. @throws DatasetError if a field contains a line break */
export function writePuzzleCsv(rows: Iterable<WritableRow>): string {
  expectIterable("writePuzzleCsv", "the rows", rows);
  const lines = ["source,question,answer,rating"];
  for (const row of rows) {
    expectObject("writePuzzleCsv", `row ${lines.length}`, row, ["source", "question", "answer", "rating"]);
    const { source, question, answer, rating } = row;
    for (const field of [source, question, answer]) {
      expectString("writePuzzleCsv", `a field of row ${lines.length}`, field);
      if (/[\r\n]/.test(field)) {
        throw new DatasetError(`cannot write the field ${quoted(field)}: it contains a line break`);
      }
    }
    lines.push(`${csvField(source)},${csvField(question)},${csvField(answer)},${rating}`);
  }
  return `${lines.join("\n")}\n`;
}

function expectIterable(where: string, name: string, value: unknown): void {
  if (typeof value === "object" && value !== null && Symbol.iterator in value) return;
  throw new ArgumentError(`${where}: got ${showValue(value)} as ${name}, expected an array`);
}

/** A field as CSV: in quotes if it contains a comma or a quote, as symbols of a grid task may. */
const csvField = (text: string): string => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
