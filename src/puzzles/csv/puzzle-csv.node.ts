// Reads a file of puzzles from disk row by row: the published Sudoku set (700 MB) is longer than a string can be.
import { closeSync, createReadStream, fstatSync } from "node:fs";
import { createInterface } from "node:readline";
import { parse } from "csv-parse";
import { openFile, readAt } from "../../formats/index.node.ts";
import { DatasetError, FileError } from "../../formats/index.ts";
import { CSV_OPTIONS, CsvRows, csvProblem, isPuzzleList, listRow, type PuzzleRow } from "./puzzle-csv.ts";

/** Bytes at the start of a file that show which form it has. */
const START = 65_536;

/**
 * @param onRead called with the share of the file that has been read
 * @throws DatasetError that names file, line and column of the first broken row; FileError
 */
export async function* readPuzzleFile(path: string, onRead?: (share: number) => void): AsyncGenerator<PuzzleRow> {
  const descriptor = openFile(path);
  let start: Uint8Array;
  let size: number;
  try {
    size = fstatSync(descriptor).size;
    start = new Uint8Array(Math.min(size, START));
    readAt(descriptor, start, 0, path);
  } finally {
    closeSync(descriptor);
  }
  const file = createReadStream(path);
  const rows = isPuzzleList(new TextDecoder().decode(start)) ? readList(file) : readCsv(file, path);
  try {
    for await (const row of rows) {
      onRead?.(file.bytesRead / size);
      yield row;
    }
  } catch (error) {
    const problem = csvProblem(error, path);
    throw problem instanceof DatasetError ? problem : new FileError(path, "read", error);
  } finally {
    file.destroy();
  }
}

type Stream = ReturnType<typeof createReadStream>;

async function* readList(file: Stream): AsyncGenerator<PuzzleRow> {
  let line = 0;
  for await (const text of createInterface({ input: file, crlfDelay: Number.POSITIVE_INFINITY })) {
    const row = listRow(text, ++line);
    if (row !== undefined) yield row;
  }
}

async function* readCsv(file: Stream, path: string): AsyncGenerator<PuzzleRow> {
  const parser = parse(CSV_OPTIONS);
  file.on("error", (error) => parser.destroy(error));
  const rows = new CsvRows(path);
  for await (const { record, info } of file.pipe(parser) as AsyncIterable<{
    record: string[];
    info: { lines: number };
  }>) {
    const row = rows.read(record, info.lines);
    if (row !== undefined) yield row;
  }
  rows.end();
}
