/** The official puzzle CSV read from disk row by row: the published Sudoku set (700 MB) is longer than a string can be. */
import { createReadStream } from "node:fs";
import { parse } from "csv-parse";
import { DatasetError, shortened } from "../errors.ts";
import { checkPuzzleHeader, checkPuzzleRow, csvProblem, type PuzzleRow } from "./puzzle-csv.ts";

/** @throws DatasetError naming file, line and column of the first broken row, or why the file cannot be read. */
export async function* readPuzzleCsvFile(path: string): AsyncGenerator<PuzzleRow> {
  const file = createReadStream(path);
  const parser = parse({ bom: true, info: true, relax_column_count: true, skip_empty_lines: true });
  file.on("error", (error) => parser.destroy(error));
  let header = true;
  try {
    for await (const { record, info } of file.pipe(parser) as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      if (header) checkPuzzleHeader(record, path, info.lines);
      else yield checkPuzzleRow(record, path, info.lines);
      header = false;
    }
  } catch (error) {
    const problem = csvProblem(error, path);
    if (problem instanceof DatasetError) throw problem;
    throw new DatasetError(`cannot read: ${shortened(error instanceof Error ? error.message : String(error), 160)}`, {
      file: path,
    });
  } finally {
    file.destroy();
  }
  if (header) throw new DatasetError("empty, expected the header source,question,answer,rating", { file: path });
}
