// The trained models that come with the package: weights/NAME holds config.json, model.safetensors and card.json.
import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod/mini";
import { readBytes } from "../formats/index.node.ts";
import { CheckpointError, decodeText } from "../formats/index.ts";
import { type TaskChoice, taskChoiceSchema, taskOf } from "../puzzles/index.ts";
import { PuzzleError, type Task } from "../trm/index.ts";
import { intervalText, percent, thousands } from "./format.ts";

const weightsFolder = fileURLToPath(new URL("../../weights", import.meta.url));
const files = ["config.json", "model.safetensors", "card.json"];

/** What --init accepts, for help texts. */
export const initialWeightsText = (): string =>
  `the averaged weights of a run or checkpoint, a folder with config.json and model.safetensors, or a shipped model (${shippedNames().join(", ")})`;

/** The names of the shipped models, in alphabetical order. */
export function shippedNames(): string[] {
  if (!existsSync(weightsFolder)) return [];
  return readdirSync(weightsFolder)
    .filter((name) => files.every((file) => existsSync(join(weightsFolder, name, file))))
    .sort();
}

/** Where a command finds a model. */
export interface ModelPlace {
  /** Path of a run, a checkpoint, or a folder with a model. */
  readonly path: string;
  /** What the user calls it: the path, or the name of a shipped model. */
  readonly name: string;
  readonly isShipped: boolean;
}

/**
 * The model that a user names: a path, or a shipped model. A file or folder of that name in the current directory comes first, so
 * that a name means the same as in every other command; weights of the package never hide a run.
 *
 * @throws CheckpointError for a name that is neither
 */
export function placeOfModel(name: string): ModelPlace {
  if (existsSync(name)) return { path: name, name, isShipped: false };
  const names = shippedNames();
  if (names.includes(name)) return shippedPlace(name);
  if (/[\\/]/.test(name)) return { path: name, name, isShipped: false }; // Opening it reports what is missing.
  throw new CheckpointError(`${name} is neither a folder nor a shipped model (${names.join(", ")})`);
}

/** The shipped model of that name, also if the current directory has a file or folder of that name. */
export const shippedPlace = (name: string): ModelPlace => ({ path: join(weightsFolder, name), name, isShipped: true });

/** "sudoku6 (shipped with trm-ts)", or the path. */
export const placeText = ({ name, isShipped }: ModelPlace): string =>
  isShipped ? `${name} (shipped with trm-ts)` : name;

/** Says which of two models of the same name is used; undefined if there is only one. */
export function shadowNote({ name, isShipped }: ModelPlace): string | undefined {
  if (isShipped || !shippedNames().includes(name)) return undefined;
  return `note: ${name} is the folder here, not the shipped model (${relative(process.cwd(), join(weightsFolder, name))})`;
}

const cardSchema = z.object({
  /** The task of the measured puzzles, with the number of clues. */
  task: z.optional(taskChoiceSchema),
  stages: z.optional(
    z.array(
      z.object({
        seed: z.number(),
        data: z.optional(z.object({ train: z.number(), watch: z.number(), unseen: z.number() })),
      }),
    ),
  ),
  measurements: z.array(
    z.object({
      puzzles: z.string(),
      count: z.number(),
      exact: z.array(z.number()).check(z.minLength(1)),
      interval95: z.array(z.tuple([z.number(), z.number()])).check(z.minLength(1)),
    }),
  ),
});

/** What a command needs of card.json. */
export interface CardSummary {
  /** The task whose generated puzzles the card is about; undefined if the card does not say so. */
  readonly task: TaskChoice | undefined;
  /** How the trainings drew their puzzles, as far as the card says so. */
  readonly drawn: readonly { readonly seed: number; readonly train: number; readonly test: number }[];
  /** "99.6% exact (95% interval 99.0% to 99.8%), measured on 1,000" and "unseen generated 6x6 Sudokus with 10 clues" */
  readonly accuracy: readonly [figures: string, puzzles: string];
}

/** The card of a model folder; undefined if it has none. @throws CheckpointError if it is broken */
export function readCardSummary(folder: string): CardSummary | undefined {
  const path = join(folder, "card.json");
  if (!existsSync(path)) return undefined;
  const parsed = cardSchema.safeParse(readJson(path));
  const first = parsed.data?.measurements[0];
  if (!parsed.success || first === undefined) throw new CheckpointError(`${path}: expected a model card`);
  return {
    task: parsed.data.task,
    drawn: (parsed.data.stages ?? []).flatMap(({ seed, data }) =>
      data === undefined ? [] : [{ seed, train: data.train, test: data.watch + data.unseen }],
    ),
    accuracy: [
      `${percent(first.exact.at(-1)!)} exact (95% interval ${intervalText(first.interval95.at(-1)!)}), measured on ${thousands(first.count)}`,
      first.puzzles,
    ],
  };
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(decodeText(readBytes(path), path));
  } catch (error) {
    throw new CheckpointError(`${path}: ${(error as Error).message.split("\n")[0]}`);
  }
}

const configSchema = z.object({ task: taskChoiceSchema });

/**
 * The tasks that a shipped model solves. The model for puzzles of a task is the one that bears its name, so that the other models
 * (baselines, say) are used only by name.
 */
export function shippedTasks(): Task[] {
  return shippedNames().flatMap((name) => {
    const path = join(weightsFolder, name, "config.json");
    const parsed = configSchema.safeParse(readJson(path));
    if (!parsed.success) throw new CheckpointError(`${path}: expected the configuration of a model`);
    const task = taskOf(parsed.data.task);
    return task.name === name ? [task] : [];
  });
}

/** The first of some tasks that understands a puzzle, with the puzzle as tokens. @throws PuzzleError that names the closest task */
export function taskOfPuzzle(text: string, tasks: readonly Task[]): { task: Task; question: Int32Array } {
  const errors: { task: Task; error: PuzzleError }[] = [];
  for (const task of tasks) {
    try {
      return { task, question: task.parse(text) };
    } catch (error) {
      if (!(error instanceof PuzzleError)) throw error;
      errors.push({ task, error });
    }
  }
  const looksLikeMaze = /[#SG]/.test(text);
  const fits = errors
    .filter(({ task }) => lengthsOf(text).includes(task.sequenceLength))
    .sort((a, b) => Number(isMaze(b.task) === looksLikeMaze) - Number(isMaze(a.task) === looksLikeMaze));
  if (fits[0]) throw fits[0].error;
  const known = tasks.map(({ name, sequenceLength }) => `${name}: ${sequenceLength}`).join(", ");
  throw new PuzzleError(
    `the puzzle has ${lengthsOf(text)[0]} cells, but no shipped model takes this number (${known})`,
  );
}

const isMaze = ({ name }: Task): boolean => name.startsWith("maze");

/** The number of cells of a board without and with its spaces. */
const lengthsOf = (text: string): number[] => [text.replace(/[\s|+-]/g, "").length, text.replace(/[\r\n]/g, "").length];
