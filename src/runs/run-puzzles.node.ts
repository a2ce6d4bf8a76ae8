// The puzzles of a run: generated ones, which are kept in memory and in the run folder, or a data set in the official layout,
// which is read during training.
import { isDeepStrictEqual } from "node:util";
import { CheckpointError } from "../formats/index.ts";
import { hasTestSplit, openDataSplit } from "../puzzles/index.node.ts";
import { pickExamples, SplitBatches, type TaskChoice, taskOf } from "../puzzles/index.ts";
import { Random } from "../tensor/index.ts";
import {
  type BatchSource,
  type Config,
  type Examples,
  ignoredLabel,
  ShuffledExamples,
  sliceExamples,
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
  /** Closes the files of a stored data set. */
  close(): void;
}

/** Opens the puzzles of an existing run. @throws CheckpointError if its training augments them in another way than the task */
export function puzzlesOfRun(path: string, about: RunAbout, config: Config, task: Task): RunPuzzles {
  const { dataFolder, data, augmentation } = about;
  if (dataFolder !== undefined) return storedPuzzles(dataFolder, config, data.watch);
  const sets = readSets(path);
  if (!augmentsAsRecorded(about, sets.train, task)) {
    throw new CheckpointError(
      augmentation === "own"
        ? `${path}: the training augments its puzzles by a function that run.json does not store, expected its task (option task)`
        : `${path}: the training augments its puzzles as ${about.task.title ?? about.task.name} does, got a task with another augmentation`,
    );
  }
  return puzzlesInMemory(sets, task, config, data.augment);
}

/** Whether a task augments the training puzzles of a run as the run records it. */
export const augmentsAsRecorded = (
  about: Pick<RunAbout, "task" | "augmentation">,
  train: Examples,
  task: Task,
): boolean => about.augmentation === undefined || about.augmentation === augmentationOf(about.task, train, task);

/**
 * Whether a task augments puzzles as the task that a choice describes ("task") or in another way ("own"). Functions cannot be
 * compared, so some of their images are.
 */
export const augmentationOf = (choice: TaskChoice, train: Examples, task: Task): "task" | "own" =>
  isDeepStrictEqual(someImages(train, task), someImages(train, taskOf(choice))) ? "task" : "own";

const comparedImages = 100;

/** Random images of puzzles and the random numbers that follow; undefined if the task cannot augment these puzzles. */
function someImages(train: Examples, task: Task): unknown {
  const random = new Random(0);
  try {
    const images = Array.from({ length: train.count === 0 ? 0 : comparedImages }, (_, i) => {
      const { inputs, labels } = sliceExamples(train, i % train.count, (i % train.count) + 1);
      return task.augment(inputs, labels, random);
    });
    return { images, random: random.state };
  } catch {
    return undefined;
  }
}

/** @param augment  whether every training puzzle that is drawn is transformed by a random symmetry of the task */
export function puzzlesInMemory(sets: RunSets, task: Task, config: Config, augment: boolean): RunPuzzles {
  const source = new ShuffledExamples(sets.train, orderSeed(config), augment ? task : undefined);
  const data = { train: sets.train.count, watch: sets.watch.count, unseen: sets.unseen.count, augment };
  return { source, sets, data, fingerprint: fingerprintOfSets(sets), close() {} };
}

/** @param watched  number of test examples that are evaluated during training */
export function storedPuzzles(folder: string, config: Config, watched: number): RunPuzzles {
  const train = openDataSplit(folder, "train", config.model);
  try {
    const { sequenceLength } = config.model;
    train.read(0, new Int32Array(sequenceLength), new Int32Array(sequenceLength)); // an unreadable set is reported at once
    const { watch, unseen } = testPuzzles(folder, config, watched);
    const none = noExamples(sequenceLength);
    return {
      source: new SplitBatches(train, { seed: orderSeed(config) }),
      sets: { train: none, watch, unseen: none },
      data: { train: train.count, watch: watch.count, unseen, augment: false },
      fingerprint: fingerprintOfFolder(folder),
      close: () => train.close(),
    };
  } catch (error) {
    train.close();
    throw error;
  }
}

/** The watched puzzles of a stored data set, and how many test puzzles it has. */
function testPuzzles(folder: string, { model }: Config, watched: number): { watch: Examples; unseen: number } {
  const none = noExamples(model.sequenceLength);
  if (!hasTestSplit(folder)) return { watch: none, unseen: 0 };
  const test = openDataSplit(folder, "test", model);
  try {
    const picked = pickExamples(test, watched);
    return { watch: hasLabels(picked) ? picked : none, unseen: test.count };
  } finally {
    test.close();
  }
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
