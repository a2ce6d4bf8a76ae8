// The puzzles of a run: generated ones, which are kept in memory and in the run folder, or a data set in the official layout,
// which is read during training.
import { hasTestSplit, openDataSplit } from "../puzzles/index.node.ts";
import { pickExamples, SplitBatches } from "../puzzles/index.ts";
import { Random } from "../tensor/index.ts";
import {
  type BatchSource,
  type Config,
  type Examples,
  ignoredLabel,
  ShuffledExamples,
  type Task,
  trainingLabels,
} from "../trm/index.ts";
import { fingerprintOfFolder, fingerprintOfSets } from "./data-fingerprint.node.ts";
import type { DataFingerprint } from "./data-fingerprint.ts";
import { type RunAbout, readSets } from "./run-folder.node.ts";
import type { RunSets } from "./run-sets.ts";

export interface RunPuzzles {
  /** Training batches. */
  readonly source: BatchSource;
  /** The puzzles in memory. Of a stored data set these are only the watched ones. */
  readonly sets: RunSets;
  /** Sizes, as the run folder records them. */
  readonly data: RunAbout["data"];
  /** Identifies the data set. */
  readonly fingerprint: DataFingerprint;
}

/** Opens the puzzles of an existing run. */
export function puzzlesOfRun(path: string, { dataFolder, data }: RunAbout, config: Config, task: Task): RunPuzzles {
  if (dataFolder !== undefined) return storedPuzzles(dataFolder, config, data.watch);
  return puzzlesInMemory(readSets(path), task, config, data.augment);
}

/** @param augment  whether every training puzzle that is drawn is transformed by a random symmetry of the task */
export function puzzlesInMemory(sets: RunSets, task: Task, config: Config, augment: boolean): RunPuzzles {
  const source = new ShuffledExamples(sets.train, orderSeed(config), augment ? task : undefined);
  const data = { train: sets.train.count, watch: sets.watch.count, unseen: sets.unseen.count, augment };
  return { source, sets, data, fingerprint: fingerprintOfSets(sets) };
}

/** @param watched  number of test examples that are evaluated during training */
export function storedPuzzles(folder: string, config: Config, watched: number): RunPuzzles {
  const train = openDataSplit(folder, "train", config.model);
  const { sequenceLength } = config.model;
  train.read(0, new Int32Array(sequenceLength), new Int32Array(sequenceLength)); // an unreadable set is reported at once
  const fingerprint = fingerprintOfFolder(folder);
  const source = new SplitBatches(train, { seed: orderSeed(config) });
  const none = noExamples(sequenceLength);
  const inMemory = (watch: Examples): RunSets => ({ train: none, watch, unseen: none });
  if (!hasTestSplit(folder)) {
    const data = { train: train.count, watch: 0, unseen: 0, augment: false };
    return { source, sets: inMemory(none), data, fingerprint };
  }
  const test = openDataSplit(folder, "test", config.model);
  const picked = pickExamples(test, watched);
  test.close();
  const watch = hasLabels(picked) ? picked : none;
  const data = { train: train.count, watch: watch.count, unseen: test.count, augment: false };
  return { source, sets: inMemory(watch), data, fingerprint };
}

/** False for the questions of a competition, whose answers are unknown. They cannot be evaluated. */
const hasLabels = ({ labels, ignoreLabel }: Examples): boolean =>
  trainingLabels(labels, ignoreLabel).some((label) => label !== ignoredLabel);

/** The order of the training puzzles follows from the seed of the run. */
const orderSeed = ({ training }: Config): number => new Random(training.seed).integer(2 ** 31);

export const noExamples = (length: number): Examples => ({
  count: 0,
  length,
  inputs: new Int32Array(0),
  labels: new Int32Array(0),
});
