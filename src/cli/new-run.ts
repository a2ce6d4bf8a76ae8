// A run from its beginning: settings, generated puzzles, a fresh model, and the folder that holds them.

import { type TaskChoice, taskOf, withClues } from "../puzzles/index.ts";
import { folderState, moveRunAside, OccupiedError, type RunAbout, WritableRun } from "../runs/index.node.ts";
import { type DataSizes, type PresetName, presetFor, type RunSets } from "../runs/index.ts";
import { Random } from "../tensor/index.ts";
import { type Config, type Examples, ShuffledExamples, type Task, Training } from "../trm/index.ts";
import { thousands } from "./format.ts";
import { startProgress } from "./progress.ts";
import { openRunData } from "./run-data.ts";
import { mergeSettings, type SettingSource } from "./settings.ts";
import type { Terminal } from "./terminal.ts";
import { packState, TrainingRun } from "./training-run.ts";

export interface NewRun {
  readonly out: string;
  readonly choice: TaskChoice;
  /** Data set in the official layout to train on; without, puzzles are generated. */
  readonly dataFolder?: string | undefined;
  readonly preset: PresetName;
  /** What the user has set beyond the preset, the weakest first. */
  readonly settings: readonly SettingSource[];
  /** Over the preset's. */
  readonly sizes: Partial<DataSizes>;
  /** What to do with a run that is there already. */
  readonly existing: "refuse" | "move aside";
  readonly goal: RunAbout["goal"];
}

/** Everything is checked before anything is written. */
export async function startRun(wanted: NewRun, terminal: Terminal): Promise<TrainingRun> {
  const { out, choice: asked, dataFolder, preset: name } = wanted;
  const preset = presetFor(name, asked.name);
  const sizes = { ...preset.data, ...wanted.sizes };
  const choice = withClues(asked, sizes.clues);
  const task = taskOf(choice);
  const sources = [{ where: `preset ${name}`, settings: preset.settings }, ...wanted.settings];
  const config = mergeSettings(sources, task);
  checkPlace(wanted);

  const { stream, sets, data } =
    dataFolder === undefined ? generated(task, sizes, config, terminal) : stored(dataFolder, config, sizes);
  const training = new Training(config, stream);
  const about = {
    task: choice,
    preset: name,
    data,
    goal: wanted.goal,
    ...(dataFolder !== undefined && { dataFolder }),
  };
  const files = await packState(training, about, 0);
  if (wanted.existing === "move aside" && folderState(out) === "run") {
    terminal.remark(`the run that was in ${out} is now in ${moveRunAside(out)}`);
  }
  const run = WritableRun.create(out, about, sets, { step: 0, files });
  return new TrainingRun(training, run, about, sets, 0);
}

function generated(task: Task, sizes: DataSizes, config: Config, terminal: Terminal) {
  const { train, watch, unseen, augment } = sizes;
  const sets = generateSets(task, sizes, config.training.seed, terminal);
  const stream = streamOf(sets.train, config, augment ? task : undefined);
  return { stream, sets, data: { train, watch, unseen, augment } };
}

function stored(folder: string, config: Config, sizes: DataSizes) {
  const { stream, sets, counts } = openRunData(folder, config, sizes.watch);
  return { stream, sets, data: { ...counts, watch: sets.watch.count, augment: false } };
}

/** @throws OccupiedError */
function checkPlace({ out, existing }: NewRun): void {
  const state = folderState(out);
  if (state === "other") throw new OccupiedError(`${out} exists and is no run of trm: choose another --out`);
  if (state === "run" && existing === "refuse") {
    throw new OccupiedError(`${out} holds a run already: --resume ${out} goes on with it, --force starts anew`);
  }
}

/** The order in which a run sees its training puzzles follows from its seed too. */
export const streamOf = (train: Examples, { training }: Config, augment: Task | undefined): ShuffledExamples =>
  new ShuffledExamples(train, new Random(training.seed).integer(2 ** 31), augment);

export function generateSets(
  task: Task,
  { train, watch, unseen }: DataSizes,
  seed: number,
  terminal: Terminal,
): RunSets {
  const progress = startProgress(terminal, { after: 2_000 });
  const onProgress = (done: number, total: number): void =>
    progress.update(done / total, `generating puzzles: ${thousands(done)} of ${thousands(total)}`);
  const sets = task.generate({ train, test: watch + unseen, seed, onProgress });
  progress.clear();
  return { train: sets.train, watch: slice(sets.test, 0, watch), unseen: slice(sets.test, watch, watch + unseen) };
}

function slice({ length, inputs, labels }: Examples, from: number, to: number): Examples {
  const cut = (tokens: Int32Array): Int32Array => tokens.slice(from * length, to * length);
  return { count: to - from, length, inputs: cut(inputs), labels: cut(labels) };
}
