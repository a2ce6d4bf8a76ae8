// The official layout on disk: writes a data set, and reads a split example by example, so that its memory does not depend on its size.
// Files of the official builders are read too.
import { closeSync, existsSync, fstatSync } from "node:fs";
import { join } from "node:path";
import { type FileSet, openFile, readAt, readBytes } from "../../formats/index.node.ts";
import {
  DatasetError,
  decodeText,
  NPY_HEADER_LIMIT,
  type NpyHeader,
  npyNumbers,
  npyToInt32,
  parseNpy,
  parseNpyHeader,
  pythonJson,
} from "../../formats/index.ts";
import type { ArcTasks } from "../arc/tasks.ts";
import { arcTasksToJson, parseArcChallenges } from "../arc/tasks.ts";
import type { IndexColumn } from "./group-sampler.ts";
import {
  boundaryProblem,
  checkBoundaries,
  checkTokenShape,
  checkTokens,
  DATASET_JSON,
  decodeSplit,
  encodeIndex,
  formatMetadata,
  IDENTIFIERS_JSON,
  type PuzzleSplit,
  parseIdentifiers,
  parseMetadata,
  type SplitField,
  type SplitMetadata,
  type SplitName,
  splitFile,
  TEST_PUZZLES_JSON,
} from "./layout.ts";
import { NpyRowWriter } from "./npy-row-writer.node.ts";
import { type ExampleSource, sourceBatches } from "./split-batches.ts";
import type { ExampleSink, SplitBuilder } from "./split-builder.ts";

/** Writes the examples of a split one by one; `end` adds the index and then dataset.json. The methods throw FileError. */
export class SplitWriter implements ExampleSink {
  readonly #files: FileSet;
  readonly #folder: string;
  readonly #inputs: NpyRowWriter;
  readonly #labels: NpyRowWriter;

  constructor(files: FileSet, dir: string, split: SplitName) {
    this.#files = files;
    this.#folder = join(dir, split);
    this.#inputs = new NpyRowWriter(files.open(join(this.#folder, splitFile("inputs"))));
    this.#labels = new NpyRowWriter(files.open(join(this.#folder, splitFile("labels"))));
  }

  write(input: Uint8Array, label: Uint8Array): void {
    this.#inputs.write(input);
    this.#labels.write(label);
  }

  end(builder: SplitBuilder, metadata: SplitMetadata): void {
    this.#inputs.end(metadata.sequenceLength);
    this.#labels.end(metadata.sequenceLength);
    for (const [name, bytes] of encodeIndex(builder.index())) this.#files.write(join(this.#folder, name), bytes);
    this.#files.write(join(this.#folder, DATASET_JSON), formatMetadata(metadata));
  }
}

export const hasSplit = (dir: string, split: SplitName): boolean => existsSync(join(dir, split, DATASET_JSON));

/** Whether a folder contains a split of a data set. */
export const holdsDataset = (dir: string): boolean => hasSplit(dir, "train") || hasSplit(dir, "test");

/** Writes the files beside the splits. @throws FileError */
export function writeNames(files: FileSet, dir: string, identifiers: readonly string[], testPuzzles?: ArcTasks): void {
  files.write(join(dir, IDENTIFIERS_JSON), pythonJson(identifiers));
  const arcFile = join(dir, TEST_PUZZLES_JSON);
  if (testPuzzles) files.write(arcFile, pythonJson(arcTasksToJson(testPuzzles)));
  else if (holdsDataset(dir)) files.remove(arcFile); // of an ARC data set that is replaced
}

/** Reads the names of the puzzle identifiers. @throws DatasetError, FileError */
export function readIdentifiers(dir: string): string[] {
  const file = join(dir, IDENTIFIERS_JSON);
  return parseIdentifiers(decodeText(readBytes(file), file), file);
}

/** Reads the test tasks of an ARC data set; undefined for other data sets. @throws DatasetError, FileError */
export function readTestPuzzles(dir: string): ArcTasks | undefined {
  const file = join(dir, TEST_PUZZLES_JSON);
  return existsSync(file) ? parseArcChallenges({ text: decodeText(readBytes(file), file), file }) : undefined;
}

/** Reads a whole split into memory. @throws DatasetError, also for a split without examples; FileError */
export function readSplit(dir: string, split: SplitName): PuzzleSplit {
  const folder = join(dir, split);
  const decoded = decodeSplit((name) => readBytes(join(folder, name)), folder);
  checkHasExamples(decoded.inputs.length, folder);
  return decoded;
}

function checkHasExamples(count: number, folder: string): void {
  if (count === 0) throw new DatasetError("the split has no examples, expected at least one", { file: folder });
}

/**
 * Opens a split that stays on disk: examples are read on demand. The groups are kept in memory; the rest of the index is read in
 * pages.
 * @throws DatasetError if a file is broken, the files do not match, or there are no examples; FileError
 */
export function openSplit(dir: string, split: SplitName): ExampleSource {
  const folder = join(dir, split);
  const open: { close(): void }[] = [];
  const keep = <T extends { close(): void }>(file: T): T => {
    open.push(file);
    return file;
  };
  const close = () => {
    for (const file of open.splice(0)) file.close();
  };
  try {
    const json = join(folder, DATASET_JSON);
    const metadata = parseMetadata(decodeText(readBytes(json), json), json);
    const path = (field: SplitField) => join(folder, splitFile(field));
    const inputs = keep(new NpyFile(path("inputs")));
    const labels = keep(new NpyFile(path("labels")));
    for (const file of [inputs, labels]) checkTokenShape(file.header.shape, metadata, file.path);
    const count = inputs.header.shape[0]!;
    checkHasExamples(count, folder);
    if (labels.header.shape[0] !== count) {
      throw new DatasetError(`${labels.header.shape[0]} examples, expected ${count} as in the inputs`, {
        file: labels.path,
      });
    }
    const puzzleIndices = keep(new FileColumn(path("puzzle_indices")));
    const puzzleIdentifiers = keep(new FileColumn(path("puzzle_identifiers")));
    const groupIndices = npyToInt32(parseNpy(readBytes(path("group_indices")), path("group_indices")));
    puzzleIndices.check(boundaryProblem(puzzleIndices.length, count, "examples"));
    checkBoundaries(groupIndices, puzzleIndices.length - 1, path("group_indices"), "puzzles");
    if (puzzleIdentifiers.length !== puzzleIndices.length - 1) {
      throw new DatasetError(`${puzzleIdentifiers.length} puzzles, expected ${puzzleIndices.length - 1}`, {
        file: path("puzzle_identifiers"),
      });
    }
    puzzleIdentifiers.check((id, at) =>
      id >= 0 && id < metadata.identifierCount
        ? undefined
        : `identifier ${id} of puzzle ${at}, expected 0 to ${metadata.identifierCount - 1}`,
    );
    return {
      metadata,
      folder: dir,
      count,
      batches(batchSize) {
        return sourceBatches(this, batchSize);
      },
      groupIndices,
      puzzleIndices,
      puzzleIdentifiers,
      read(example, input, label) {
        for (const [file, target, range] of [
          [inputs, input, { ...metadata, ignoreLabel: null }],
          [labels, label, metadata],
        ] as const) {
          target.set(file.read(example * metadata.sequenceLength, metadata.sequenceLength));
          checkTokens(target, range, file.path, example);
        }
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** An .npy file of integers that is read in pieces. */
class NpyFile {
  readonly path: string;
  readonly header: NpyHeader;
  readonly #descriptor: number;

  constructor(path: string) {
    this.path = path;
    this.#descriptor = openFile(path);
    try {
      const size = fstatSync(this.#descriptor).size;
      const start = new Uint8Array(Math.min(size, NPY_HEADER_LIMIT));
      readAt(this.#descriptor, start, 0, path);
      this.header = parseNpyHeader(start, path);
      const { length, itemSize, dataOffset, dtype, shape } = this.header;
      if (size !== dataOffset + length * itemSize) {
        const got = size - dataOffset;
        throw new DatasetError(`${got} bytes of data, expected ${length * itemSize} for ${dtype} of shape (${shape})`, {
          file: path,
        });
      }
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
  }

  /** Reads `count` numbers, beginning with number `first`. */
  read(first: number, count: number): Uint8Array | Int32Array {
    const { dtype, itemSize, dataOffset } = this.header;
    const bytes = new Uint8Array(count * itemSize);
    readAt(this.#descriptor, bytes, dataOffset + first * itemSize, this.path);
    if (dtype === "|u1") return bytes;
    return npyToInt32({ dtype, shape: [count], data: npyNumbers(dtype, bytes) }, this.path);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** One column of integers, read in pages of which the latest are kept in memory. */
class FileColumn implements IndexColumn {
  static readonly #PAGE = 1024;
  static readonly #PAGES = 8192; // 32 MB

  readonly length: number;
  readonly #file: NpyFile;
  readonly #pages = new Map<number, ArrayLike<number>>();

  constructor(path: string) {
    this.#file = new NpyFile(path);
    const { shape } = this.#file.header;
    if (shape.length !== 1) {
      this.#file.close();
      throw new DatasetError(`${shape.length} axes, expected one`, { file: path });
    }
    this.length = shape[0]!;
  }

  at(index: number): number | undefined {
    if (index < 0 || index >= this.length) return undefined;
    const number = Math.floor(index / FileColumn.#PAGE);
    let page = this.#pages.get(number);
    if (page === undefined) {
      if (this.#pages.size >= FileColumn.#PAGES) this.#pages.delete(this.#pages.keys().next().value!);
      page = this.#readPage(number);
      this.#pages.set(number, page);
    }
    return page[index % FileColumn.#PAGE];
  }

  /** Visits the whole column once and throws the first problem. */
  check(problem: (value: number, at: number) => string | undefined): void {
    for (let number = 0; number * FileColumn.#PAGE < this.length; number++) {
      const page = this.#readPage(number);
      for (let offset = 0; offset < page.length; offset++) {
        const at = number * FileColumn.#PAGE + offset;
        const found = problem(page[offset]!, at);
        if (found !== undefined) throw new DatasetError(found, { file: this.#file.path });
      }
    }
  }

  close(): void {
    this.#file.close();
  }

  #readPage(number: number): ArrayLike<number> {
    const first = number * FileColumn.#PAGE;
    return this.#file.read(first, Math.min(FileColumn.#PAGE, this.length - first));
  }
}
