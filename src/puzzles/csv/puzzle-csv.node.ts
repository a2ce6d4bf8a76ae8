/** The official puzzle CSV read from disk row by row: the published Sudoku set (700 MB) is longer than a string can be. */
import { createReadStream, statSync } from "node:fs";
import { parse } from "csv-parse";
import { DatasetError, FileError } from "../../formats/index.ts";
import { checkPuzzleHeader, checkPuzzleRow, csvProblem, type PuzzleRow } from "./puzzle-csv.ts";

/**
 * @param onRead  called with the share of the file that has been read
 * @throws DatasetError naming file, line and column of the first broken row, or why the file cannot be read.
 */
export async function* readPuzzleCsvFile(path: string, onRead?: (share: number) => void): AsyncGenerator<PuzzleRow> {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
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
      onRead?.(file.bytesRead / size);
    }
  } catch (error) {
    const problem = csvProblem(error, path);
    if (problem instanceof DatasetError) throw problem;
    throw new FileError(path, "read", error);
  } finally {
    file.destroy();
  }
  if (header) throw new DatasetError("empty, expected the header source,question,answer,rating", { file: path });
}
