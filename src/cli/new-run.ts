// A new run: settings, puzzles, a model with initial weights, and the folder that holds them.
import { type TaskChoice, taskOf, withClues } from "../puzzles/index.ts";
import { folderState, moveRunAside, OccupiedError, type RunAbout, WritableRun } from "../runs/index.node.ts";
import { type DataSizes, type PresetName, presetFor, type RunSets } from "../runs/index.ts";
import { Training } from "../trm/index.ts";
import { generatePuzzles, storedPuzzles } from "./run-puzzles.ts";
import { mergeSettings, type SettingSource } from "./settings.ts";
import type { Terminal } from "./terminal.ts";
import { packState, TrainingSession } from "./training-session.ts";

export interface NewRun {
  readonly out: string;
  readonly choice: TaskChoice;
  /** A data set in the official layout to train on; if left out, puzzles are generated. */
  readonly dataFolder?: string | undefined;
  readonly preset: PresetName;
  /** Settings of the user, which override the preset; later sources override earlier ones. */
  readonly settings: readonly SettingSource[];
  /** Override the sizes of the preset. */
  readonly sizes: Partial<DataSizes>;
  /** Whether an existing run is moved aside; otherwise it is an error. */
  readonly force: boolean;
  readonly goal: RunAbout["goal"];
}

/** Starts a new run. Everything is checked before anything is written. */
export async function startRun(wanted: NewRun, terminal: Terminal): Promise<TrainingSession> {
  const { out, dataFolder, preset: name, goal, force } = wanted;
  const preset = presetFor(name, wanted.choice.name);
  const sizes = { ...preset.data, ...wanted.sizes };
  const choice = withClues(wanted.choice, sizes.clues);
  const task = taskOf(choice);
  const config = mergeSettings([{ where: `preset ${name}`, settings: preset.settings }, ...wanted.settings], task);
  checkPlace(out, force);

  const { source, sets, data } =
    dataFolder === undefined
      ? generatePuzzles(task, sizes, config, terminal)
      : storedPuzzles(dataFolder, config, sizes.watch);
  const training = new Training(config, source);
  const about = { task: choice, preset: name, data, goal, ...(dataFolder !== undefined && { dataFolder }) };
  const run = await createRun({ out, about, sets, training }, terminal);
  return new TrainingSession(training, run, about, sets, 0);
}

/** @throws OccupiedError if `out` cannot become a new run folder */
export function checkPlace(out: string, force: boolean): void {
  const state = folderState(out);
  if (state === "other") throw new OccupiedError(`${out} exists and is not a run of trm: choose another --out`);
  if (state === "run" && !force) {
    throw new OccupiedError(
      `${out} holds a run already: train --resume ${out} continues it, --force moves it to ${out}.previous`,
    );
  }
}

export interface RunContents {
  readonly out: string;
  readonly about: RunAbout;
  readonly sets: RunSets;
  readonly training: Training;
}

/** Writes the folder of a new run, after `checkPlace`. An existing run is moved aside. */
export async function createRun({ out, about, sets, training }: RunContents, terminal: Terminal): Promise<WritableRun> {
  const files = await packState(training, about, 0);
  if (folderState(out) === "run") terminal.remark(`the run in ${out} has been moved to ${moveRunAside(out)}`);
  return WritableRun.create(out, about, sets, { step: 0, files });
}
