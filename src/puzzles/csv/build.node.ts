/**
 * Builds Sudoku and maze data sets in the official layout from train.csv and test.csv, as the official builders do. Random
 * choices are our own (NumPy's generator is not rebuilt); everything that is not random equals the official files byte for
 * byte.
 */
import { join } from "node:path";
import { FileSet } from "../../formats/index.node.ts";
import { DatasetError } from "../../formats/index.ts";
import { Random } from "../../tensor/index.ts";
import { ConfigError, type TokenPair } from "../../trm/index.ts";
import { type BuildProgress, type BuildReport, checkCount, reportOf } from "../build-report.ts";
import { MAZE_VOCABULARY, mazeRowToTokens, turnMaze } from "../maze/task.ts";
import { SplitWriter, writeNames } from "../official-layout/layout.node.ts";
import { type SplitName, splitMetadata } from "../official-layout/layout.ts";
import { SplitBuilder } from "../official-layout/split-builder.ts";
import {
  applySymmetry,
  boardToTokens,
  formatBoard,
  geometryOf,
  isSudokuSide,
  randomSymmetry,
  type SudokuSide,
  sudokuRowToTokens,
  tokensToBoard,
} from "../sudoku/task.ts";
import { readPuzzleCsvFile } from "./puzzle-csv.node.ts";
import type { PuzzleRow } from "./puzzle-csv.ts";

export interface BuildOptions {
  /** Folder with train.csv and test.csv. */
  readonly from: string;
  readonly out: string;
  /** Sudoku: random symmetric copies of every training puzzle. Mazes: 8 for the eight images in the train split. Default 0. */
  readonly augment?: number | undefined;
  /** Take only so many puzzles of train.csv, drawn at random. Default: all. */
  readonly subsample?: number | undefined;
  /** Take only puzzles rated at least this. Default: all. */
  readonly minDifficulty?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  readonly onProgress?: BuildProgress | undefined;
}

/**
 * Sudoku. The copies of a puzzle differ from it and from each other; on 4x4 and 6x6, where puzzles have few images, they also
 * differ from all others of the set, those of test.csv included.
 * @throws DatasetError naming file, line and column of a broken row.
 */
export async function buildSudoku(options: BuildOptions): Promise<BuildReport> {
  const { augment = 0, seed = 0, from } = options;
  checkCount("augment", augment);
  const random = new Random(seed);
  const side = await sideIn(join(from, "train.csv"));
  const isSmall = side < 9;
  let taken = isSmall && augment > 0 ? await questionsIn(from, side) : new Set<string>();
  let short = 0;
  const report = await buildFromCsv(options, random, {
    convert: (row, file) => sudokuRowToTokens(row, side, file, "solution"),
    *images({ question, answer }, split) {
      yield { question, answer };
      if (split === "test") return;
      if (!isSmall) taken = new Set([formatBoard(tokensToBoard(question))]);
      const copies = [...symmetricCopies({ question, answer }, side, augment, taken, random)];
      if (copies.length < augment) short++;
      yield* copies;
    },
    vocabularySize: (length) => Math.sqrt(length) + 2,
  });
  if (short === 0) return report;
  return {
    ...report,
    notes: [...report.notes, `${short} puzzles have fewer than ${augment} images not in the set yet`],
  };
}

/** So many draws in a row without a new image mean that there are hardly any left. */
const maxFruitless = 100;

/** Random images whose question is not `taken`, which it then is. */
function* symmetricCopies(
  { question, answer }: TokenPair,
  side: SudokuSide,
  count: number,
  taken: Set<string>,
  random: Random,
): Generator<TokenPair> {
  const geometry = geometryOf(side);
  const [puzzle, solution] = [tokensToBoard(question), tokensToBoard(answer)];
  for (let found = 0, fruitless = 0; found < count && fruitless < maxFruitless; ) {
    const symmetry = randomSymmetry(geometry, random);
    const image = applySymmetry(symmetry, puzzle);
    const text = formatBoard(image);
    if (taken.has(text)) {
      fruitless++;
      continue;
    }
    taken.add(text);
    yield { question: boardToTokens(image), answer: boardToTokens(applySymmetry(symmetry, solution)) };
    found++;
    fruitless = 0;
  }
}

/** The side of the first puzzle. @throws DatasetError */
async function sideIn(file: string): Promise<SudokuSide> {
  for await (const row of readPuzzleCsvFile(file)) {
    const side = Math.sqrt(row.question.length);
    if (isSudokuSide(side)) return side;
    throw new DatasetError(`question: ${row.question.length} characters, expected 16, 36 or 81`, {
      file,
      line: row.line,
      column: row.columns.question,
    });
  }
  throw new DatasetError("no puzzles", { file });
}

/** All questions of both files, in their one-line form. @throws DatasetError */
async function questionsIn(folder: string, side: SudokuSide): Promise<Set<string>> {
  const questions = new Set<string>();
  for (const name of ["train.csv", "test.csv"]) {
    const file = join(folder, name);
    for await (const row of readPuzzleCsvFile(file)) {
      const { question } = sudokuRowToTokens(row, side, file, "form");
      questions.add(formatBoard(tokensToBoard(question)));
    }
  }
  return questions;
}

/**
 * Mazes: `augment` 8 puts all eight dihedral images into the train split, 0 or 1 none but the maze itself. Answers are
 * not checked to be shortest paths, as the official builder does not.
 * @throws DatasetError naming file, line and column of a broken row; ConfigError for another `augment`.
 */
export async function buildMaze(options: BuildOptions): Promise<BuildReport> {
  const { augment = 0, seed = 0 } = options;
  if (![0, 1, 8].includes(augment)) throw new ConfigError(`augment ${augment}, expected 0 or 8 for mazes`);
  let side: number | undefined;
  return buildFromCsv(options, new Random(seed), {
    convert(row, file) {
      const pair = mazeRowToTokens(row, side, file, "form");
      side ??= Math.sqrt(pair.question.length);
      return pair;
    },
    *images({ question, answer }, split) {
      const count = split === "train" && augment === 8 ? 8 : 1;
      for (let id = 0; id < count; id++) {
        yield { question: turnMaze(question, side!, id), answer: turnMaze(answer, side!, id) };
      }
    },
    vocabularySize: () => MAZE_VOCABULARY,
  });
}

interface CsvTask {
  /** A row as tokens; @throws DatasetError */
  convert(row: PuzzleRow, file: string): TokenPair;
  /** The puzzles of the group, the original first. */
  images(pair: TokenPair, split: SplitName): Iterable<TokenPair>;
  vocabularySize(length: number): number;
}

/** Both splits are read and written before a file takes its place: a broken row leaves what was there as it was. */
async function buildFromCsv(options: BuildOptions, random: Random, task: CsvTask): Promise<BuildReport> {
  const { out, subsample } = options;
  if (subsample !== undefined) checkCount("subsample", subsample);
  const files = new FileSet();
  const notes: string[] = [];
  try {
    writeNames(files, out, ["<blank>"]);
    const splits = [];
    for (const split of ["train", "test"] as const) {
      const builder = await writeSplit(options, split, new SplitWriter(files, out, split), { random, task, notes });
      splits.push(reportOf(split, builder));
    }
    files.finish();
    return { splits, notes };
  } catch (error) {
    files.abandon();
    throw error;
  }
}

async function writeSplit(
  options: BuildOptions,
  split: SplitName,
  writer: SplitWriter,
  { random, task, notes }: { random: Random; task: CsvTask; notes: string[] },
): Promise<SplitBuilder> {
  const { subsample, onProgress } = options;
  const file = join(options.from, `${split}.csv`);
  const builder = new SplitBuilder(writer);
  let length = 0;
  const addGroup = (pair: TokenPair) => {
    length = pair.question.length;
    for (const { question, answer } of task.images(pair, split)) {
      builder.addExample(Uint8Array.from(question), Uint8Array.from(answer));
      builder.endPuzzle(0);
    }
    builder.endGroup();
  };
  const rows = convertRows(file, options, task);
  if (split === "train" && subsample !== undefined) {
    const drawn = await sampleRows(rows, subsample, random);
    if (drawn.length < subsample) notes.push(`${file}: ${drawn.length} puzzles, fewer than the ${subsample} asked`);
    drawn.forEach((pair, at) => {
      addGroup(pair);
      onProgress?.("writing train", (at + 1) / drawn.length);
    });
  } else {
    for await (const pair of rows) addGroup(pair);
  }
  if (builder.groupCount === 0) throw new DatasetError("no puzzles (of this difficulty)", { file });
  const shape = { vocabularySize: task.vocabularySize(length), sequenceLength: length, identifierCount: 1 };
  // The official builders count groups as puzzles here, and one example per puzzle.
  writer.end(builder, { ...splitMetadata(builder, shape), puzzleCount: builder.groupCount, meanPuzzleExamples: 1 });
  return builder;
}

async function* convertRows(file: string, options: BuildOptions, task: CsvTask): AsyncGenerator<TokenPair> {
  const { minDifficulty, onProgress } = options;
  for await (const row of readPuzzleCsvFile(file, (share) => onProgress?.(`reading ${file}`, share))) {
    if (minDifficulty === undefined || row.rating >= minDifficulty) yield task.convert(row, file);
  }
}

/** `count` rows, every choice equally likely, in file order, holding only so many (reservoir sampling). */
async function sampleRows(rows: AsyncIterable<TokenPair>, count: number, random: Random): Promise<TokenPair[]> {
  const kept: { place: number; pair: TokenPair }[] = [];
  let seen = 0;
  for await (const pair of rows) {
    const place = seen++;
    if (kept.length < count) kept.push({ place, pair });
    else {
      const slot = random.integer(seen);
      if (slot < count) kept[slot] = { place, pair };
    }
  }
  return kept.sort((a, b) => a.place - b.place).map(({ pair }) => pair);
}
