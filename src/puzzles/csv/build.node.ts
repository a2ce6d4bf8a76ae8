// Builds Sudoku and maze data sets in the official layout from two files of puzzles, train.csv and test.csv, as the official builders
// do. The random choices differ from NumPy's; everything that is not random equals the official files byte for byte.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { FileSet } from "../../formats/index.node.ts";
import { DatasetError } from "../../formats/index.ts";
import { Random } from "../../tensor/index.ts";
import { ConfigError, type TokenPair } from "../../trm/index.ts";
import { type BuildProgress, type BuildReport, checkCount, reportOf, unlabelledNote } from "../build-report.ts";
import { checkSize } from "../check-size.node.ts";
import { mazeRowToTokens } from "../maze/csv.ts";
import { MAZE_VOCABULARY, turnMaze } from "../maze/task.ts";
import { taskOf, taskOfData } from "../named-task.ts";
import { writeTask } from "../official-layout/dataset.node.ts";
import { SplitWriter, writeNames } from "../official-layout/layout.node.ts";
import { type SplitName, splitMetadata } from "../official-layout/layout.ts";
import { SplitBuilder } from "../official-layout/split-builder.ts";
import {
  boardToTokens,
  formatBoard,
  geometryOf,
  isSudokuSide,
  type SudokuSide,
  tokensToBoard,
} from "../sudoku/board.ts";
import { sudokuRowToTokens } from "../sudoku/csv.ts";
import { search } from "../sudoku/solver.ts";
import { applySymmetry, randomSymmetry } from "../sudoku/symmetry.ts";
import { readPuzzleFile } from "./puzzle-csv.node.ts";
import type { PuzzleRow } from "./puzzle-csv.ts";

export interface BuildOptions {
  /** Folder with train.csv and test.csv, or with lists of puzzles: train.txt or train.sdm, and so on. */
  readonly from: string;
  readonly out: string;
  /** Sudoku: number of random symmetric copies of every training puzzle. Mazes: 8 for all eight images. Default 0. */
  readonly augment?: number | undefined;
  /** Number of training puzzles to draw at random. Default: all. */
  readonly subsample?: number | undefined;
  /** Smallest rating of the puzzles to use. Default: all puzzles. */
  readonly minDifficulty?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  readonly onProgress?: BuildProgress | undefined;
}

/** The first puzzles of a split, at most this many, are checked for several solutions; hard ones take about a millisecond each. */
const SOLUTIONS_CHECKED = 20_000;

/**
 * Sudoku. The copies of a puzzle differ from it and from each other; on 4x4 and 6x6, where puzzles have few images, they also differ
 * from all other puzzles of the data set, those of the test file included.
 * @throws DatasetError that names file, line and column of a broken row; ConfigError for an invalid option; FileError
 */
export async function buildSudoku(options: BuildOptions): Promise<BuildReport> {
  const { augment = 0, seed = 0, from } = options;
  checkCount("augment", augment);
  const random = new Random(seed);
  const side = await sideIn(puzzleFile(from, "train"));
  const isSmall = side < 9;
  let taken = isSmall && augment > 0 ? await questionsIn(from, side) : new Set<string>();
  let short = 0;
  const report = await buildFromFiles(options, random, {
    cells: side * side,
    copies: augment,
    convert: (row, file) => sudokuRowToTokens(row, side, file, "solution"),
    *images({ question, answer }, split) {
      yield { question, answer };
      if (split === "test") return;
      if (!isSmall) taken = new Set([formatBoard(tokensToBoard(question))]);
      let found = 0;
      for (const copy of symmetricCopies({ question, answer }, side, augment, taken, random)) {
        found++;
        yield copy;
      }
      if (found < augment) short++;
    },
    isEmpty: (question) => question.every((token) => token === 1),
    hasSeveralSolutions: (question) => search(tokensToBoard(question), geometryOf(side), 2).solutions > 1,
    vocabularySize: side + 2,
  });
  if (short === 0) return report;
  const note = `puzzles with fewer than ${augment} images that are not in the data set yet: ${short}`;
  return { ...report, notes: [...report.notes, note] };
}

/** After this many draws in a row without a new image, a puzzle is assumed to have no more. */
const MAX_FRUITLESS = 100;

/** Random images whose question is not `taken`; they are added to `taken`. */
function* symmetricCopies(
  { question, answer }: TokenPair,
  side: SudokuSide,
  count: number,
  taken: Set<string>,
  random: Random,
): Generator<TokenPair> {
  const geometry = geometryOf(side);
  const puzzle = tokensToBoard(question);
  const solution = tokensToBoard(answer);
  for (let found = 0, fruitless = 0; found < count && fruitless < MAX_FRUITLESS; ) {
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

/** The file of puzzles of a split. Without one, the path of the CSV file, which then cannot be read. */
function puzzleFile(folder: string, split: SplitName): string {
  const names = ["csv", "txt", "sdm"].map((extension) => join(folder, `${split}.${extension}`));
  return names.find((name) => existsSync(name)) ?? names[0]!;
}

/** The side of the first puzzle. @throws DatasetError */
async function sideIn(file: string): Promise<SudokuSide> {
  for await (const row of readPuzzleFile(file)) {
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

/** All questions of both files, in one line each. @throws DatasetError */
async function questionsIn(folder: string, side: SudokuSide): Promise<Set<string>> {
  const questions = new Set<string>();
  for (const split of ["train", "test"] as const) {
    const file = puzzleFile(folder, split);
    for await (const row of readPuzzleFile(file)) {
      const { question } = sudokuRowToTokens(row, side, file, "form");
      questions.add(formatBoard(tokensToBoard(question)));
    }
  }
  return questions;
}

/**
 * Mazes. With `augment` 8, all eight dihedral images go to the train split; with 0 or 1, only the maze itself. As in the official
 * builder, the answers need not be shortest paths.
 * @throws DatasetError that names file, line and column of a broken row; ConfigError for another `augment`; FileError
 */
export async function buildMaze(options: BuildOptions): Promise<BuildReport> {
  const { augment = 0, seed = 0, from } = options;
  if (![0, 1, 8].includes(augment)) throw new ConfigError(`augment ${augment}, expected 0 or 8 for mazes`);
  const side = await mazeSideIn(puzzleFile(from, "train"));
  return buildFromFiles(options, new Random(seed), {
    cells: side * side,
    copies: augment === 8 ? 7 : 0,
    convert: (row, file) => mazeRowToTokens(row, side, file, "form"),
    *images({ question, answer }, split) {
      const count = split === "train" && augment === 8 ? 8 : 1;
      for (let id = 0; id < count; id++) {
        yield { question: turnMaze(question, side, id), answer: turnMaze(answer, side, id) };
      }
    },
    isEmpty: () => false,
    hasSeveralSolutions: () => false, // Any shortest path is correct.
    vocabularySize: MAZE_VOCABULARY,
  });
}

/** The side of the first maze. @throws DatasetError */
async function mazeSideIn(file: string): Promise<number> {
  for await (const row of readPuzzleFile(file)) {
    return Math.sqrt(mazeRowToTokens(row, undefined, file, "form").question.length);
  }
  throw new DatasetError("no puzzles", { file });
}

interface PuzzleKind {
  /** Number of cells of a puzzle. */
  readonly cells: number;
  /** Number of copies of a training puzzle. */
  readonly copies: number;
  /** Converts a row to tokens. @throws DatasetError */
  convert(row: PuzzleRow, file: string): TokenPair;
  /** The puzzles of a group, the original first. */
  images(pair: TokenPair, split: SplitName): Iterable<TokenPair>;
  isEmpty(question: Int32Array): boolean;
  hasSeveralSolutions(question: Int32Array): boolean;
  readonly vocabularySize: number;
}

/** What the notes report about the puzzles of a split. */
interface Findings {
  readonly file: string;
  readonly empty: number[];
  readonly several: number[];
  readonly shared: number[];
  checked: number;
  puzzles: number;
}

/** A converted row, with its line in the file. */
interface Puzzle extends TokenPair {
  readonly line: number;
}

/** Both splits are complete before a file gets its name, so a broken row leaves an existing data set unchanged. */
async function buildFromFiles(options: BuildOptions, random: Random, kind: PuzzleKind): Promise<BuildReport> {
  const { from, out, subsample } = options;
  if (subsample !== undefined) checkCount("subsample", subsample);
  const files = new FileSet();
  const notes: string[] = [];
  try {
    writeNames(files, out, ["<blank>"]);
    writeTask(files, out, taskOf(taskOfData({ vocabularySize: kind.vocabularySize, sequenceLength: kind.cells })));
    const tests = new Set<string>();
    for await (const { question } of convertRows(puzzleFile(from, "test"), options, kind)) tests.add(question.join());
    const splits = [];
    for (const split of ["train", "test"] as const) {
      const build = new SplitBuild(options, split, kind, new SplitWriter(files, out, split));
      await build.run(random, split === "train" ? tests : new Set());
      splits.push(reportOf(split, build.builder));
      notes.push(...build.notes());
    }
    files.finish();
    return { splits, notes };
  } catch (error) {
    files.abandon();
    throw error;
  }
}

/** Writes one split. */
class SplitBuild {
  readonly builder: SplitBuilder;
  readonly #file: string;
  readonly #findings: Findings;
  #drawn: number | undefined;

  constructor(
    private readonly options: BuildOptions,
    private readonly split: SplitName,
    private readonly kind: PuzzleKind,
    private readonly writer: SplitWriter,
  ) {
    this.builder = new SplitBuilder(writer);
    this.#file = puzzleFile(options.from, split);
    this.#findings = { file: this.#file, empty: [], several: [], shared: [], checked: 0, puzzles: 0 };
  }

  /** @param others questions of the other split */
  async run(random: Random, others: ReadonlySet<string>): Promise<void> {
    const { options, split, kind, builder } = this;
    const { subsample, onProgress } = options;
    const rows = convertRows(this.#file, options, kind);
    if (split === "train" && subsample !== undefined) {
      const drawn = await sampleRows(rows, subsample, random);
      this.#drawn = drawn.length;
      this.#checkSize(drawn.length);
      for (const [at, puzzle] of drawn.entries()) {
        await this.#addGroup(puzzle, others);
        await onProgress?.("writing train", (at + 1) / drawn.length);
      }
    } else {
      for await (const puzzle of rows) {
        if (builder.groupCount === 0) this.#checkSize(this.#estimatedPuzzles());
        await this.#addGroup(puzzle, others);
      }
    }
    if (builder.groupCount === 0) throw new DatasetError("no puzzles (of this difficulty)", { file: this.#file });
    const shape = { vocabularySize: kind.vocabularySize, sequenceLength: kind.cells, identifierCount: 1 };
    // The official builders count groups as puzzles here, and one example per puzzle.
    this.writer.end(builder, {
      ...splitMetadata(builder, shape),
      puzzleCount: builder.groupCount,
      meanPuzzleExamples: 1,
    });
  }

  notes(): string[] {
    const { split, builder } = this;
    const { subsample } = this.options;
    const { empty, several, shared, checked, puzzles, file } = this.#findings;
    const notes: string[] = [];
    if (this.#drawn !== undefined && this.#drawn < subsample!) {
      notes.push(`${file}: ${this.#drawn} puzzles, fewer than the ${subsample} of the subsample`);
    }
    const found = (lines: readonly number[], what: string): void => {
      if (lines.length > 0) notes.push(`${file}: ${what}: ${lines.length} (the first in line ${lines[0]})`);
    };
    found(shared, "puzzles that are in the test file too");
    found(empty, "puzzles with an empty board");
    found(several, `puzzles with several solutions${checked < puzzles ? ` among the first ${checked}` : ""}`);
    notes.push(...unlabelledNote(split, builder));
    return notes;
  }

  async #addGroup({ question, answer, line }: Puzzle, others: ReadonlySet<string>): Promise<void> {
    const { kind, split, builder, options } = this;
    const findings = this.#findings;
    findings.puzzles++;
    if (others.has(question.join())) findings.shared.push(line);
    if (kind.isEmpty(question)) findings.empty.push(line);
    if (findings.checked < SOLUTIONS_CHECKED) {
      findings.checked++;
      if (kind.hasSeveralSolutions(question)) findings.several.push(line);
    }
    let copies = 0;
    for (const image of kind.images({ question, answer }, split)) {
      builder.addExample(Uint8Array.from(image.question), Uint8Array.from(image.answer));
      builder.endPuzzle(0);
      if (++copies % 1000 === 0) await options.onProgress?.("augmenting a puzzle", copies / (kind.copies + 1));
    }
    builder.endGroup();
  }

  #checkSize(puzzles: number): void {
    if (this.split === "test") return;
    const { kind, options } = this;
    const examples = puzzles * (kind.copies + 1);
    checkSize(`augment ${options.augment ?? 0}`, { examples, cells: kind.cells }, options.out);
  }

  /** A lower bound of the number of puzzles, by the size of the file. */
  #estimatedPuzzles(): number {
    if (this.options.minDifficulty !== undefined) return 1;
    const longestRow = 2 * this.kind.cells + 100;
    return Math.max(1, Math.floor(statSync(this.#file).size / longestRow));
  }
}

async function* convertRows(file: string, options: BuildOptions, kind: PuzzleKind): AsyncGenerator<Puzzle> {
  const { minDifficulty, onProgress } = options;
  let share = 0;
  const onRead = (read: number): void => {
    share = read;
  };
  for await (const row of readPuzzleFile(file, onRead)) {
    await onProgress?.(`reading ${file}`, share);
    if (minDifficulty !== undefined && row.rating === undefined) {
      throw new DatasetError("no ratings, expected them for a smallest difficulty", { file, line: row.line });
    }
    if (minDifficulty !== undefined && row.rating! < minDifficulty) continue;
    yield { ...kind.convert(row, file), line: row.line };
  }
}

/** Draws `count` rows with equal probability, in the order of the file, while holding no more (reservoir sampling). */
async function sampleRows(rows: AsyncIterable<Puzzle>, count: number, random: Random): Promise<Puzzle[]> {
  const kept: { place: number; puzzle: Puzzle }[] = [];
  let seen = 0;
  for await (const puzzle of rows) {
    const place = seen++;
    if (kept.length < count) kept.push({ place, puzzle });
    else {
      const slot = random.integer(seen);
      if (slot < count) kept[slot] = { place, puzzle };
    }
  }
  return kept.sort((a, b) => a.place - b.place).map(({ puzzle }) => puzzle);
}
