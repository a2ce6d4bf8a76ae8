// Writes explorer/generated: the models that the page offers, with sample puzzles, a recorded trace, the basis of the positions, and
// the accuracy of every latent on 200 puzzles. Run by `npm run explorer` and `npm run explorer:build`. What takes minutes is in
// explorer/measured for the shipped models; it is measured again, and written there, when their files have changed.
//
// A model is a folder with config.json and model.safetensors in weights/ or in explorer/models/ (for models of one's own). If the
// folder has a file unseen.csv, the puzzles are its first rows; otherwise they are generated.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Examples,
  haltMargin,
  type LoadedModel,
  loadModel,
  type PositionBasis,
  readTaskCsv,
  recordTrace,
  sliceExamples,
  type Task,
  type TaskChoice,
  taskOf,
  traceBasis,
} from "trm-ts";
import { float16Bits, parseSafetensors, serializeSafetensors, toFloat32 } from "trm-ts/formats";
import type { Puzzle } from "../shared/calls.ts";
import type { Machine, Manifest, ModelEntry, Sample } from "../shared/models.ts";
import { chooseBackend, machineOf } from "../worker/machine.ts";
import { boardOf, isRight, puzzleAt, truthBeside } from "../worker/puzzles.ts";
import { summarise, traceSteps } from "../worker/solver.ts";
import { questionOf } from "../worker/step.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const generated = join(root, "explorer/generated");
const shipped = join(root, "weights");
/** Changes whenever this file would write something else for the same model. */
const recipe = 6;

/** Weights of more bytes are stored as float16, which halves the time until the first answer. */
const mostBytes = 100_000;

/** Puzzles of the class. */
const classSize = 200;
/** Puzzles from which the basis is computed. */
const basisPuzzles = 40;

export interface PrepareOptions {
  /** Folders that contain folders of models. */
  readonly from: readonly string[];
  readonly to: string;
}

export async function prepare({ from, to }: PrepareOptions): Promise<Manifest> {
  await chooseBackend({ backend: "wasm", threads: availableParallelism() });
  const folders = from.filter(existsSync).flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const models = folders.filter((folder) => existsSync(join(folder, "model.safetensors")));
  const twice = models.find((folder, index) => models.findIndex((one) => basename(one) === basename(folder)) < index);
  if (twice) throw new Error(`${twice}: a model of this name is in another folder, expected different names`);
  mkdirSync(join(to, "models"), { recursive: true });
  const entries: ModelEntry[] = [];
  for (const folder of models) entries.push(await prepareModel(folder, join(to, "models", basename(folder))));
  for (const old of readdirSync(join(to, "models"))) {
    if (!entries.some(({ name }) => name === old)) rmSync(join(to, "models", old), { recursive: true });
  }
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const manifest = { version, models: entries.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name)) };
  writeFileSync(join(to, "manifest.json"), JSON.stringify(manifest));
  return manifest;
}

/** The first model is the one that a visitor meets: 6x6 Sudoku shows recursion across steps and is small. */
function rank({ name }: ModelEntry): number {
  const order = ["sudoku6", "sudoku9", "sudoku4", "maze9"];
  const at = order.findIndex((known) => name.startsWith(known));
  return at < 0 ? order.length : at;
}

/** The files of a model. `key` changes whenever something else would be written for them. */
function filesOf(folder: string) {
  const textOf = (file: string): string | null =>
    existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8") : null;
  const config = readFileSync(join(folder, "config.json"));
  const original = readFileSync(join(folder, "model.safetensors"));
  const puzzles = textOf("unseen.csv");
  const card = JSON.parse(textOf("card.json") ?? "{}") as Card;
  const training = JSON.stringify([card.task, card.stages?.map(({ seed, data }) => [seed, data])]);
  const parts = [String(recipe), config, original, puzzles ?? "", training];
  const key = parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest("hex");
  return { config, original, puzzles, card, key };
}

/** Where the measurement of a shipped model is kept. */
export const measuredFile = (name: string): string => join(root, "explorer/measured", `${name}.json`);

/** The key under which a model is measured. */
export const keyOf = (folder: string): string => filesOf(folder).key;

async function prepareModel(folder: string, to: string): Promise<ModelEntry> {
  const name = basename(folder);
  const { config, original, puzzles, card, key } = filesOf(folder);
  const entryFile = join(to, "entry.json");
  if (existsSync(entryFile)) {
    const old = JSON.parse(readFileSync(entryFile, "utf8")) as { key: string; entry: ModelEntry };
    if (old.key === key) return old.entry;
  }
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  // Everything that is written about the model is about the weights that the page loads.
  const weights = original.length > mostBytes ? toFloat16(original) : original;
  const loaded = loadModel({ config, weights });
  const set =
    puzzles === null ? generatedPuzzles(loaded, card) : puzzlesOfFile(loaded.task, puzzles, join(folder, "unseen.csv"));
  const kept = dirname(folder) === shipped ? measuredFile(name) : null;
  const { entry, first } = await entryOf(name, loaded, set, weights.length, { key, kept });
  const { model, task } = loaded;
  const recorded = await recordTrace(model, questionOf(first), {
    steps: entry.nSup,
    task: task.name,
    name,
    basis: entry.basis,
    loss: loaded.config.training.loss,
  });
  const trace = { ...recorded, truth: truthBeside(task, first, recorded.frames.at(-1)!.tokens) };
  loaded.model.dispose();
  cpSync(join(folder, "config.json"), join(to, "config.json"));
  writeFileSync(join(to, "model.safetensors"), weights);
  writeFileSync(join(to, "trace.json"), JSON.stringify(trace));
  writeFileSync(entryFile, JSON.stringify({ key, entry }));
  return entry;
}

/** The same file with its numbers rounded to float16. */
export function toFloat16(file: Uint8Array): Uint8Array {
  const { tensors, metadata } = parseSafetensors(file);
  const halves = [...tensors].map(([name, entry]) => {
    const data = float16Bits(toFloat32(name, entry));
    return [name, { shape: entry.shape, data }] as const;
  });
  return serializeSafetensors(new Map(halves), metadata);
}

interface PuzzleSet {
  readonly examples: Examples;
  readonly source: string;
}

const puzzlesOfFile = (task: Task, text: string, path: string): PuzzleSet => ({
  examples: readTaskCsv(task, text, path),
  source: "puzzles that were kept out of the training (unseen.csv)",
});

/** The part of a model card that says which puzzles the training used. `npm run ship` writes it. */
export interface Card {
  readonly task?: TaskChoice;
  readonly stages?: readonly {
    readonly seed?: number;
    readonly data?: { readonly train: number; readonly watch: number; readonly unseen: number };
  }[];
}

/** The task with its options, such as the number of clues, of the training; that of the weights if there is no card. */
export const taskOfTraining = ({ task }: Pick<LoadedModel, "task">, { task: choice }: Card): Task =>
  choice === undefined ? task : taskOf(choice);

/** Puzzles of the kind that the model was trained on, drawn again so that they are none of the training puzzles. */
function generatedPuzzles(loaded: LoadedModel, card: Card): PuzzleSet {
  const { task, config } = loaded;
  const { data, seed = config.training.seed } = card.stages?.[0] ?? {};
  if (task.name === "sudoku4" && data !== undefined) {
    // Many 4x4 puzzles with few clues are training puzzles, so the sets of the training are drawn again, as `trm train` draws them.
    const { train, watch, unseen } = data;
    const { test } = task.generate({ train, test: watch + unseen, seed });
    const examples = sliceExamples(test, watch, watch + Math.min(unseen, classSize));
    return { examples, source: `unseen: drawn with the training puzzles (seed ${seed}) and kept out of the training` };
  }
  const own = 7_654_321;
  const { test } = taskOfTraining(loaded, card).generate({ train: 0, test: classSize, seed: own });
  return { examples: test, source: `unseen: generated with seed ${own}, the training puzzles with seed ${seed}` };
}

async function entryOf(
  name: string,
  loaded: LoadedModel,
  set: PuzzleSet,
  bytes: number,
  place: MeasurementPlace,
): Promise<{ readonly entry: ModelEntry; readonly first: Puzzle }> {
  const { model, task, config, step } = loaded;
  const { nSup } = config.training;
  const count = Math.min(classSize, set.examples.count);
  const drawn = Array.from({ length: count }, (_, index) => puzzleAt(set.examples, index));
  const { exact, slowest, solved, basis, machine } = await measurementOf(name, loaded, drawn, place);
  const order = startingWith(slowest, count);
  const puzzles = order.map((index) => drawn[index]!);
  const failed = order.flatMap((index, i) => (solved[index] ? [] : [i + 1]));
  const samples = puzzles.map(
    ({ question, truth }): Sample => ({ question: task.format(question), truth: task.format(truth!) }),
  );
  const { updates, source } = model.recursion;
  const parameters = model.parameterCount();
  const entry: ModelEntry = {
    name,
    title: titleOf(task),
    board: boardOf(task),
    parameters,
    trainingSteps: step,
    T: model.T,
    n: config.model.n,
    nSup,
    comparesContinue: haltMargin(0, 1, config.training) !== 0,
    updates,
    source: source?.file ?? null,
    samples,
    samplesFrom: set.source,
    failed,
    measured: { exact, puzzles: count, source: set.source, machine },
    basis,
    bytes,
  };
  return { entry, first: puzzles[0]! };
}

/** What is measured about a model; it takes minutes for a large one. */
interface Measurement {
  /** See `filesOf`. */
  readonly key: string;
  readonly exact: readonly number[];
  /** Whether the model solves each puzzle, as they are drawn. */
  readonly solved: readonly boolean[];
  /** The puzzle that takes the model longest; the page shows it first. */
  readonly slowest: number;
  readonly basis: PositionBasis;
  readonly machine: Machine;
}

interface MeasurementPlace {
  readonly key: string;
  /** The file with the measurement of a shipped model; null for other models. */
  readonly kept: string | null;
}

/** The numbers 0 to count - 1, with `first` in the first place. */
const startingWith = (first: number, count: number): number[] => [
  first,
  ...[...Array(count).keys()].filter((index) => index !== first),
];

/** The kept measurement, if it is of the same files, else a new one. */
async function measurementOf(
  name: string,
  loaded: LoadedModel,
  puzzles: readonly Puzzle[],
  { key, kept }: MeasurementPlace,
): Promise<Measurement> {
  if (kept !== null && existsSync(kept)) {
    const old = JSON.parse(readFileSync(kept, "utf8")) as Measurement;
    if (old.key === key) return old;
  }
  console.log(`explorer: measuring ${name}, once per version of its weights`);
  const { exact, slowest, solved } = await measure(loaded, puzzles);
  const shown = startingWith(slowest, puzzles.length).slice(0, basisPuzzles);
  const basis = await traceBasis(loaded.model, questionOf(...shown.map((index) => puzzles[index]!)), {
    steps: loaded.config.training.nSup,
  });
  const measurement = { key, exact, slowest, solved, basis, machine: machineOf(name) };
  if (kept !== null) writeFileSync(kept, `${JSON.stringify(measurement)}\n`);
  return measurement;
}

/**
 * How many puzzles each latent, decoded, answers exactly as the known answer after every update; which puzzles are solved in the end;
 * and, of these, the one that takes the most steps, or of several the one with the most wrong cells on the way.
 */
async function measure(
  { model, task, config }: LoadedModel,
  puzzles: readonly Puzzle[],
): Promise<{ readonly exact: readonly number[]; readonly slowest: number; readonly solved: readonly boolean[] }> {
  const exact: number[] = [];
  const onTheWay = new Float64Array(puzzles.length);
  let solved: readonly boolean[] = [];
  const subject = { model, config, basis: undefined };
  await traceSteps(subject, puzzles, config.training.nSup, new AbortController().signal, (frames) => {
    const summaries = summarise(frames, puzzles, 1);
    for (const { wrong } of summaries) exact.push(wrong.filter((cells) => cells === 0).length);
    const answers = frames.slice(-puzzles.length);
    solved = puzzles.map((puzzle, index) => isRight(task, puzzle, answers[index]!.tokens) === true);
    const { wrong } = summaries.at(-1)!;
    // A step without a correct answer counts more than any number of wrong cells.
    for (const [index, cells] of wrong.entries()) if (!solved[index]) onTheWay[index]! += 100 + cells;
  });
  const candidates = [...onTheWay.keys()].filter((index) => solved[index]);
  return {
    exact,
    solved,
    slowest: candidates.reduce(
      (best, index) => (onTheWay[index]! > onTheWay[best]! ? index : best),
      candidates[0] ?? 0,
    ),
  };
}

const isSudoku = ({ name }: Task): boolean => name.startsWith("sudoku");

function titleOf(task: Task): string {
  const size = `${task.rows}×${task.columns}`;
  if (isSudoku(task)) return `Sudoku ${size}`;
  return task.name.startsWith("maze") ? `Maze ${size}` : `${task.name} ${size}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const extra = process.env.TRM_EXPLORER_MODELS;
  const from = extra ? [extra] : [shipped, join(root, "explorer/models")];
  const { models } = await prepare({ from, to: generated });
  console.log(`explorer: ${models.length} models (${models.map(({ name }) => name).join(", ") || "none in weights/"})`);
}
