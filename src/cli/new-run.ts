// A new run: settings, puzzles, a model with initial weights, and the folder that holds them.
import { existsSync, renameSync } from "node:fs";
import { basename } from "node:path";
import { checkOutput } from "../formats/index.node.ts";
import { readDataMetadata, resolveTask } from "../puzzles/index.node.ts";
import { type TaskChoice, withClues } from "../puzzles/index.ts";
import {
  folderState,
  type InitialWeights,
  moveRunAside,
  OccupiedError,
  previousOf,
  type RunAbout,
  runFileIn,
  storedPuzzles,
  WritableRun,
} from "../runs/index.node.ts";
import { type DataSizes, examplesPerEpoch, type PresetName, presetFor, type RunSets } from "../runs/index.ts";
import { Training } from "../trm/index.ts";
import { generatePuzzles } from "./run-puzzles.ts";
import { mergeSettings, presetSources, type SettingSource, sourcesText } from "./settings.ts";
import type { Terminal } from "./terminal.ts";
import { packState, TrainingSession } from "./training-session.ts";
import { shellPath } from "./version.ts";

export interface NewRun {
  readonly out: string;
  readonly choice: TaskChoice;
  /** A data set in the official layout to train on; if left out, puzzles are generated. */
  readonly dataFolder?: string | undefined;
  /** Determines the sizes of the data, and the settings unless a configuration file determines them. */
  readonly preset: PresetName;
  /** Settings of the user, which override the preset; later sources override earlier ones. */
  readonly settings: readonly SettingSource[];
  /** Override the sizes of the preset. */
  readonly sizes: Partial<DataSizes>;
  /** Whether an existing run is moved aside; otherwise it is an error. */
  readonly force: boolean;
  readonly goal: RunAbout["goal"];
  /** The command line, as the run folder records it. */
  readonly command?: string | undefined;
  /** Weights to start from instead of random ones. */
  readonly init?: InitialWeights | undefined;
  /** Whether the source of every setting is printed. */
  readonly showSources?: boolean;
}

/** Starts a new run. Everything is checked before anything is written. */
export async function startRun(wanted: NewRun, terminal: Terminal): Promise<TrainingSession> {
  const { out, dataFolder, preset: name, goal, force, init } = wanted;
  const preset = presetFor(name, wanted.choice.name);
  const sizes = { ...preset.data, ...wanted.sizes };
  const { task, choice } = await resolveTask(
    dataFolder === undefined ? withClues(wanted.choice, sizes.clues) : wanted.choice,
  );
  const sources = [...presetSources(name, preset, wanted.settings), ...wanted.settings];
  const examples = dataFolder === undefined ? sizes.train : examplesPerEpoch(readDataMetadata(dataFolder));
  const config = mergeSettings(sources, task, examples);
  checkPlace(out, force);
  if (folderState(out) !== "run") checkOutput(runFileIn(out)); // before the puzzles are generated
  if (wanted.showSources) for (const line of sourcesText(sources, config)) terminal.remark(`settings ${line}`);

  const { source, sets, data, fingerprint } =
    dataFolder === undefined
      ? generatePuzzles(task, sizes, config, terminal)
      : storedPuzzles(dataFolder, config, sizes.watch);
  const training = new Training(config, source);
  init?.apply(training);
  const complete = sources.find(({ determines }) => determines === "all");
  const about = {
    task: choice,
    preset: complete ? basename(complete.where) : name,
    data,
    goal,
    fingerprint,
    ...(dataFolder !== undefined && { dataFolder }),
    ...(wanted.command !== undefined && { command: wanted.command }),
    ...(init && { init: init.about }),
  };
  const contents = { out, about, sets, training, force };
  return createRun(contents, terminal, (run) => new TrainingSession(training, run, about, sets, 0));
}

/** @throws OccupiedError if `out` cannot become a new run folder */
export function checkPlace(out: string, force: boolean): void {
  const state = folderState(out);
  if (state === "other") throw new OccupiedError(`${out} exists and is not a run of trm: choose another --out`);
  if (state === "run" && !force) {
    throw new OccupiedError(
      `${out} holds a run already: train --resume ${shellPath(out)} continues it, --force moves it to ${previousOf(out)}`,
    );
  }
}

export interface RunContents {
  readonly out: string;
  readonly about: RunAbout;
  readonly sets: RunSets;
  readonly training: Training;
  /** Whether an existing run is moved aside; otherwise it is an error, also if another process has created it since `checkPlace`. */
  readonly force: boolean;
}

/**
 * Writes the folder of a new run, after `checkPlace`, and opens it. If either fails, the run in `out` is moved back; an older run that
 * it replaced in DIR.previous is lost.
 *
 * @throws OccupiedError
 */
export async function createRun<T>(
  { out, about, sets, training, force }: RunContents,
  terminal: Terminal,
  open: (run: WritableRun) => T,
): Promise<T> {
  const files = await packState(training, about, { seconds: 0 });
  checkPlace(out, force); // again, because generating puzzles takes time
  let aside: string | undefined;
  if (folderState(out) === "run") {
    const replaced = folderState(previousOf(out)) === "run" ? ", in place of the run that was there" : "";
    aside = moveRunAside(out);
    terminal.remark(`the run in ${out} has been moved to ${aside}${replaced}`);
  }
  let run: WritableRun | undefined;
  try {
    run = WritableRun.create(out, about, sets, { step: 0, files });
    return open(run);
  } catch (error) {
    run?.discard();
    if (aside !== undefined && !existsSync(out)) {
      renameSync(aside, out);
      terminal.remark(`the run has been moved back to ${out}`);
    }
    throw error;
  }
}
