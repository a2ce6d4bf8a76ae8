// The puzzles that `trm eval` and `trm probe` measure a model on: the unseen ones of the run, a CSV file, or a data set.
import { Option } from "commander";
import { readBytes } from "../formats/index.node.ts";
import { DatasetError, decodeText } from "../formats/index.ts";
import { openDataSplit } from "../puzzles/index.node.ts";
import { type ExampleSource, pickExamples, readTaskCsv, type TaskChoice, taskOf } from "../puzzles/index.ts";
import {
  dataFolderOf,
  evaluationFingerprint,
  fingerprintOfSets,
  isModelFolder,
  type LoadedRun,
  readSets,
  runFolderOf,
  unseenFile,
  verifyData,
} from "../runs/index.node.ts";
import type { Backend } from "../tensor/index.ts";
import { ConfigError, type Examples, packExamples, sliceExamples, type Task, type TokenPair } from "../trm/index.ts";
import { backendText, taskText } from "./describe-run.ts";
import { counted, thousands } from "./format.ts";
import { wholeNumber } from "./options.ts";
import { drawPuzzles } from "./run-puzzles.ts";
import { type ModelPlace, placeText, readCardSummary, shadowNote } from "./shipped-models.ts";
import type { Terminal } from "./terminal.ts";

/** Puzzles in memory, or a split that stays on the disk. */
export type PuzzleSet = Examples | ExampleSource;

export interface PuzzleChoice {
  readonly csv?: string;
  readonly data?: string;
  readonly limit?: number;
}

export const puzzleOptions = (): Option[] => [
  new Option(
    "--csv <file>",
    "puzzles as source,question,answer,rating (default: the unseen puzzles of the run; for a shipped model newly generated ones)",
  ),
  new Option("--data <dir>", "the test split of a data set in the official layout").conflicts("csv"),
  new Option("--limit <n>", "evaluate only n puzzles: the first n, or n spread evenly over a data set").argParser(
    wholeNumber(1),
  ),
];

interface ShownSettings {
  readonly place: ModelPlace;
  readonly options: PuzzleChoice;
  readonly loaded: LoadedRun;
  readonly backend: Backend;
}

export function showSettings({ place, options, loaded, backend }: ShownSettings, { remark }: Terminal): void {
  const note = shadowNote(place);
  if (note !== undefined) remark(note);
  const task = place.isShipped ? "" : `, ${loaded.task.name}`;
  remark(`model    ${placeText(place)}${task}, after training step ${loaded.step ?? "-"}`);
  const card = readCardSummary(place.path);
  if (card) remark(`card     ${card.accuracy.join("\n         ")}`);
  remark(`puzzles  ${puzzlesText(place.path, options, loaded)}`);
  remark(`backend  ${backendText(backend)}`);
}

function puzzlesText(path: string, { csv, data, limit }: PuzzleChoice, loaded: LoadedRun): string {
  if (csv !== undefined || data !== undefined) return (csv ?? data)!;
  if (isModelFolder(path)) {
    return `${counted(limit ?? generatedCount, "newly generated puzzle")} of ${taskText(generatedChoiceOf(path, loaded))} (seed ${generatedSeed})`;
  }
  return dataFolderOf(runFolderOf(path)) ?? `unseen puzzles of the run (${unseenFile})`;
}

/** By default, a model folder is evaluated on puzzles of a seed that no training uses, and on as many as a run keeps unseen. */
const generatedSeed = 2026;
const generatedCount = 200;

/** What the model was trained on: as the card says, else the task of the configuration. */
const generatedChoiceOf = (path: string, { choice }: LoadedRun): TaskChoice => readCardSummary(path)?.task ?? choice;

/** Newly drawn puzzles, without those that the model was trained on. */
function generatePuzzles(path: string, loaded: LoadedRun, count: number, terminal: Terminal): Examples {
  const ofCard = readCardSummary(path)?.task;
  const task = ofCard === undefined ? loaded.task : taskOf(ofCard); // a task from a module generates puzzles with the functions of that module
  const isTrained = trainingPuzzles(path, task);
  const draw = (test: number): Examples => {
    try {
      return drawPuzzles(task, { train: 0, test, seed: generatedSeed }, terminal).test;
    } catch (error) {
      if (!(error instanceof ConfigError) || isTrained.size === 0) throw error;
      const others = `puzzles besides the ${thousands(isTrained.size)} that the model was trained on`;
      throw new ConfigError(`--limit: got ${count}, but ${task.name} has fewer ${others}`);
    }
  };
  const enough = count + isTrained.size; // drawn puzzles differ, so that at least `count` of them are not in the training
  for (let drawn = count; ; drawn = Math.min(2 * drawn, enough)) {
    const test = draw(drawn);
    const unseen = pairsOf(test).filter(({ question }) => !isTrained.has(question.join()));
    if (unseen.length >= count) return packExamples(unseen.slice(0, count), test.length);
  }
}

/**
 * The training puzzles of a model, drawn again. Only 4x4 Sudokus are so few that newly drawn ones are often among them; for every
 * other task the set is empty.
 */
function trainingPuzzles(path: string, task: Task): ReadonlySet<string> {
  const drawn = task.name === "sudoku4" ? (readCardSummary(path)?.drawn ?? []) : [];
  return new Set(
    drawn.flatMap((options) => pairsOf(task.generate(options).train).map(({ question }) => question.join())),
  );
}

const pairsOf = ({ count, length, inputs, labels }: Examples): TokenPair[] =>
  Array.from({ length: count }, (_, i) => {
    const [start, end] = [i * length, (i + 1) * length];
    return { question: inputs.subarray(start, end), answer: labels.subarray(start, end) };
  });

/**
 * Checks that the puzzles belong to the data set of the model: all of them if they are the run's own, else the ids if the model
 * has a puzzle embedding. Returns a note if that cannot be verified.
 *
 * @throws CheckpointError for another data set
 */
export function verifyPuzzles(path: string, { csv, data }: PuzzleChoice, loaded: LoadedRun): string | undefined {
  if (csv !== undefined || isModelFolder(path)) return undefined;
  const run = runFolderOf(path);
  const own = data === undefined ? dataFolderOf(run) : undefined;
  const expected = loaded.data;
  if (data === undefined && own === undefined) {
    const { test } = fingerprintOfSets(readSets(run));
    return verifyData({ path: `the puzzles in ${run}`, actual: { test }, expected, run: path });
  }
  const { puzzleEmbeddingSize, puzzleIds } = loaded.config.model;
  const hasIds = puzzleEmbeddingSize > 0 && puzzleIds > 1;
  if (data !== undefined && !hasIds) return undefined;
  const folder = data ?? own!;
  const { test, identifiers } = evaluationFingerprint(folder);
  const actual = data === undefined ? { test, identifiers } : { identifiers };
  return verifyData({ path: folder, actual, expected, run });
}

/** @throws DatasetError */
export function openPuzzles(
  path: string,
  { csv, data, limit }: PuzzleChoice,
  loaded: LoadedRun,
  terminal: Terminal,
): PuzzleSet {
  if (csv !== undefined) return firstOf(readCsv(csv, loaded), limit);
  if (data === undefined && isModelFolder(path))
    return generatePuzzles(path, loaded, limit ?? generatedCount, terminal);
  const folder = data ?? dataFolderOf(runFolderOf(path));
  if (folder === undefined) {
    const run = runFolderOf(path);
    const { unseen } = readSets(run);
    if (unseen.count === 0) {
      throw new DatasetError("contains no unseen puzzles, expected --csv FILE or --data DIR", { file: run });
    }
    return firstOf(unseen, limit);
  }
  const source = openDataSplit(folder, "test", loaded.config.model);
  if (limit === undefined) return source;
  const picked = pickExamples(source, limit);
  source.close();
  return picked;
}

/** @throws DatasetError naming file, line and column of a broken row */
function readCsv(file: string, { task }: LoadedRun): Examples {
  const examples = readTaskCsv(task, decodeText(readBytes(file), file), file);
  if (examples.count === 0) throw new DatasetError("no puzzles after the header", { file });
  return examples;
}

const firstOf = (examples: Examples, limit = examples.count): Examples => sliceExamples(examples, 0, limit);
