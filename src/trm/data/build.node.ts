/**
 * Builds data sets in the official layout from the published sources, as the official builders do: Sudoku and mazes from
 * train.csv and test.csv, ARC from its JSON. Random choices are our own (NumPy's generator is not rebuilt); everything
 * that is not random equals the official files byte for byte.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { Random } from "../../tensor/random.ts";
import { ConfigError, DatasetError } from "../errors.ts";
import { type ArcSubset, type ArcTask, arcMetadata, buildArc, parseArcChallenges, parseArcTask } from "../tasks/arc.ts";
import { MAZE_VOCABULARY, mazeRowToTokens, turnMaze } from "../tasks/maze.ts";
import {
  applySymmetry,
  boardToTokens,
  geometryOf,
  isSudokuSide,
  randomSymmetry,
  type SudokuSide,
  sudokuRowToTokens,
  tokensToBoard,
} from "../tasks/sudoku.ts";
import type { TokenPair } from "../tasks/task.ts";
import { readBytes } from "./files.node.ts";
import { SplitWriter, writeNames } from "./layout.node.ts";
import type { SplitMetadata, SplitName } from "./layout.ts";
import { readPuzzleCsvFile } from "./puzzle-csv.node.ts";
import type { PuzzleRow } from "./puzzle-csv.ts";
import { SplitBuilder } from "./split-builder.ts";
import { decodeText } from "./text.ts";

export interface BuildOptions {
  /** Folder with train.csv and test.csv. */
  readonly from: string;
  readonly out: string;
  /** Take only so many puzzles of train.csv, drawn at random. Default: all. */
  readonly subsample?: number | undefined;
  /** Take only puzzles rated at least this (Sudoku). Default: all. */
  readonly minDifficulty?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
}

/** What was written. */
export interface BuildReport {
  readonly splits: readonly { readonly name: SplitName; readonly groups: number; readonly examples: number }[];
  /** Lines for the user: what is not as asked. */
  readonly notes: readonly string[];
}

/**
 * Sudoku: with `augment`, that many random symmetric copies after every training puzzle.
 * @throws DatasetError naming file, line and column of a broken row.
 */
export async function buildSudoku(options: BuildOptions & { readonly augment?: number }): Promise<BuildReport> {
  const { augment = 0, seed = 0 } = options;
  checkCount("augment", augment);
  const random = new Random(seed);
  let side: SudokuSide | undefined;
  return buildFromCsv(options, random, {
    convert(row, file) {
      side ??= sideOf(row, file);
      return sudokuRowToTokens(row, side, file, "solution");
    },
    *images({ question, answer }, split) {
      yield { question, answer };
      const geometry = geometryOf(side!);
      for (let copy = 0; split === "train" && copy < augment; copy++) {
        const symmetry = randomSymmetry(geometry, random);
        const turn = (tokens: Int32Array) => boardToTokens(applySymmetry(symmetry, tokensToBoard(tokens)));
        yield { question: turn(question), answer: turn(answer) };
      }
    },
    vocabularySize: (length) => Math.sqrt(length) + 2,
  });
}

/**
 * Mazes: `augment` 8 puts all eight dihedral images into the train split, 0 or 1 none but the maze itself. Answers are
 * not checked to be shortest paths, as the official builder does not.
 * @throws DatasetError naming file, line and column of a broken row; ConfigError for another `augment`.
 */
export async function buildMaze(options: BuildOptions & { readonly augment?: number }): Promise<BuildReport> {
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

export interface ArcSourceOptions {
  /** PREFIX_SUBSET_challenges.json (and ..._solutions.json), or the folders PREFIX/SUBSET with one JSON per task. */
  readonly prefix: string;
  readonly subsets: readonly string[];
  /** The subset whose test pairs become the test split. */
  readonly testSet: string;
  readonly out: string;
  /** Augmentations per task. Default 1000, as the official builder. */
  readonly augment?: number | undefined;
  /** Default 42, as the official builder. */
  readonly seed?: number | undefined;
}

/** @throws DatasetError for a missing or broken file; ConfigError if the test subset is not among the subsets. */
export function buildArcFiles(options: ArcSourceOptions): BuildReport {
  const { prefix, subsets, testSet, out, augment = 1000, seed = 42 } = options;
  checkCount("augment", augment);
  if (!subsets.includes(testSet)) {
    throw new ConfigError(`test set ${testSet}, expected one of the subsets ${subsets.join(", ")}`);
  }
  const loaded = subsets.map((name) => loadArcSubset(prefix, name));
  const writers = { train: new SplitWriter(out, "train"), test: new SplitWriter(out, "test") };
  const builders = { train: new SplitBuilder(writers.train), test: new SplitBuilder(writers.test) };
  try {
    const random = new Random(seed);
    const { identifiers, testPuzzles, short } = buildArc({ subsets: loaded, testSet, augment, random, builders });
    writeNames(out, identifiers, testPuzzles);
    for (const split of ["train", "test"] as const) {
      writers[split].finish(builders[split], arcMetadata(builders[split], identifiers.length));
    }
    return {
      splits: (["train", "test"] as const).map((name) => reportOf(name, builders[name])),
      notes: short.map(({ name, found }) => `task ${name}: only ${found} different augmentations of ${augment} found`),
    };
  } catch (error) {
    writers.train.abandon();
    writers.test.abandon();
    throw error;
  }
}

/** One subset of tasks from disk. @throws DatasetError */
export function loadArcSubset(prefix: string, name: string): ArcSubset {
  const challenges = `${prefix}_${name}_challenges.json`;
  const folder = join(prefix, name);
  if (existsSync(challenges)) {
    const solutions = `${prefix}_${name}_solutions.json`;
    const read = (file: string) => ({ file, text: decodeText(readBytes(file), file) });
    return { name, tasks: parseArcChallenges(read(challenges), existsSync(solutions) ? read(solutions) : undefined) };
  }
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new DatasetError(`neither ${challenges} nor a folder ${folder} is there`);
  }
  const tasks = new Map<string, ArcTask>();
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".json"));
  for (const file of files.sort()) {
    const path = join(folder, file);
    const task = basename(file, ".json");
    if (tasks.has(task)) throw new DatasetError(`a second task of the name ${task}`, { file: path });
    tasks.set(task, parseArcTask(decodeText(readBytes(path), path), path));
  }
  if (tasks.size === 0) throw new DatasetError("no .json files", { file: folder });
  return { name, tasks };
}

interface CsvTask {
  /** A row as tokens; @throws DatasetError */
  convert(row: PuzzleRow, file: string): TokenPair;
  /** The puzzles of the group, the original first. */
  images(pair: TokenPair, split: SplitName): Iterable<TokenPair>;
  vocabularySize(length: number): number;
}

async function buildFromCsv(options: BuildOptions, random: Random, task: CsvTask): Promise<BuildReport> {
  const { subsample } = options;
  if (subsample !== undefined) checkCount("subsample", subsample);
  const splits: BuildReport["splits"][number][] = [];
  const notes: string[] = [];
  for (const split of ["train", "test"] as const) {
    const file = join(options.from, `${split}.csv`);
    const writer = new SplitWriter(options.out, split);
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
    try {
      const rows = convertRows(file, options.minDifficulty, task);
      if (split === "train" && subsample !== undefined) {
        const drawn = await sampleRows(rows, subsample, random);
        if (drawn.length < subsample) notes.push(`${file}: ${drawn.length} puzzles, fewer than the ${subsample} asked`);
        drawn.forEach(addGroup);
      } else {
        for await (const pair of rows) addGroup(pair);
      }
      if (builder.groupCount === 0) throw new DatasetError("no puzzles (of this difficulty)", { file });
      writer.finish(builder, csvMetadata(builder, length, task.vocabularySize(length)));
    } catch (error) {
      writer.abandon();
      throw error;
    }
    splits.push(reportOf(split, builder));
  }
  writeNames(options.out, ["<blank>"]);
  return { splits, notes };
}

async function* convertRows(file: string, minDifficulty: number | undefined, task: CsvTask): AsyncGenerator<TokenPair> {
  for await (const row of readPuzzleCsvFile(file)) {
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

/** The official builders count groups as puzzles here, and one example per puzzle. */
function csvMetadata(builder: SplitBuilder, length: number, vocabularySize: number): SplitMetadata {
  return {
    padToken: 0,
    ignoreLabel: 0,
    blankIdentifier: 0,
    vocabularySize,
    sequenceLength: length,
    identifierCount: 1,
    groupCount: builder.groupCount,
    meanPuzzleExamples: 1,
    puzzleCount: builder.groupCount,
    sets: ["all"],
  };
}

function sideOf(row: PuzzleRow, file: string): SudokuSide {
  const side = Math.sqrt(row.question.length);
  if (isSudokuSide(side)) return side;
  throw new DatasetError(`question: ${row.question.length} characters, expected 16, 36 or 81`, {
    file,
    line: row.line,
    column: row.columns.question,
  });
}

function reportOf(name: SplitName, builder: SplitBuilder) {
  return { name, groups: builder.groupCount, examples: builder.exampleCount };
}

function checkCount(name: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 0)
    throw new ConfigError(`${name} ${count}, expected a whole number from 0`);
}
