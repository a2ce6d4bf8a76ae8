// Runs written and continued by a program: the same folders that `trm train` writes.
import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { CheckpointError } from "../formats/index.ts";
import { resolveTask } from "../puzzles/index.node.ts";
import { choiceOf, SplitBatches } from "../puzzles/index.ts";
import { expectArray, expectInstance, expectObject, expectString } from "../tensor/index.ts";
import {
  type BatchSource,
  type Config,
  ConfigError,
  configKeys,
  type Evaluation,
  type Examples,
  flattenConfig,
  misfitOf,
  RevealedExamples,
  ShuffledExamples,
  type Task,
  Training,
  type TrainingHooks,
} from "../trm/index.ts";
import {
  type CheckpointAbout,
  type CheckpointFiles,
  type CheckpointSide,
  expectBetweenSteps,
  expectEnoughWeights,
  packCheckpoint,
  parseSide,
  restoreTraining,
  sideFile,
  tensorFiles,
} from "./checkpoint.ts";
import { type Checkpoint, readCheckpoint, runFolderOf } from "./checkpoint-folder.node.ts";
import { fingerprintOfFolder, fingerprintOfSets, verifyData } from "./data-fingerprint.node.ts";
import { expectTaskFits } from "./load-model.ts";
import { type CheckpointPlace, placeOfCheckpoint } from "./load-run.node.ts";
import {
  folderState,
  moveRunAside,
  OccupiedError,
  previousOf,
  type RunAbout,
  readRun,
  readSets,
  runFileIn,
  WritableRun,
} from "./run-folder.node.ts";
import {
  augmentationOf,
  augmentsAsRecorded,
  noExamples,
  puzzlesInMemory,
  puzzlesOfRun,
  type RunPuzzles,
  storedPuzzles,
} from "./run-puzzles.node.ts";
import type { RunSets } from "./run-sets.ts";

/** Options of `saveRun`. */
export interface SaveRunOptions {
  readonly task: Task;
  /** Puzzles that `trm train --resume` evaluates during training. Stored when the run is created. */
  readonly watch?: Examples | undefined;
  /** Puzzles for `trm eval`. Stored when the run is created. */
  readonly unseen?: Examples | undefined;
  /** The evaluation of these weights, by which the best checkpoint is found. */
  readonly evaluation?: Pick<Evaluation, "puzzles" | "exact" | "cell"> | undefined;
  /** Seconds of training so far. Default: as in the checkpoint before. */
  readonly seconds?: number | undefined;
  /** Whether another run in the folder, or one that cannot be read, is moved to FOLDER.previous; otherwise it is an error. */
  readonly force?: boolean | undefined;
}

/**
 * Saves a training in a run folder: creates the folder the first time, and adds a checkpoint each later time. The last three
 * checkpoints are kept, and the best one. After a crash the folder holds a complete checkpoint. Call it between two steps, and await
 * it before the next one.
 *
 * The training puzzles are stored with the run if they are in memory (ShuffledExamples). A data set on the disk (SplitBatches) is
 * named by its path. A training on a source of your own is saved without its puzzles: `resumeRun` takes the source again.
 *
 * @throws OccupiedError if the folder holds another run, another state of this step, or a later step; CheckpointError for a damaged
 *   run; LockError while another process writes to it; ConfigError for puzzles that a run cannot store; DatasetError; FileError; Error
 *   while a supervision step is running, or if one is made before the state is read
 */
export async function saveRun(folder: string, training: Training, options: SaveRunOptions): Promise<void> {
  expectString("saveRun", "the folder", folder);
  expectInstance("saveRun", "the training", training, Training);
  expectObject("saveRun", "the options", options, ["task"]);
  const { task, force = false } = options;
  expectObject("saveRun", "the task", task, ["name", "sequenceLength", "vocabularySize"]);
  const misfit = misfitOf(task, training.config.model);
  if (misfit !== undefined) throw new ConfigError(`saveRun: ${misfit}`);
  expectBetweenSteps("saveRun", training);
  const puzzles = puzzlesOf(givenSource(training), task, options);
  const isRun = folderState(folder) === "run";
  if (isRun) {
    const conflict = conflictOf(folder, training, puzzles, options) ?? (await addCheckpoint(folder, training, options));
    if (conflict === undefined) return;
    if (!force) throw new OccupiedError(`${folder} holds ${conflict} (force: true moves it to ${previousOf(folder)})`);
  }
  const { sets, augmenting, dataFolder } = puzzles;
  const choice = choiceOf(task);
  const { data, fingerprint, close } =
    dataFolder === undefined
      ? puzzlesInMemory(sets, task, training.config, augmenting !== undefined)
      : storedPuzzles(dataFolder, training.config, watchedPuzzles);
  close();
  const about: RunAbout = {
    task: choice,
    preset: "own",
    data,
    goal: { steps: null, minutes: null },
    fingerprint,
    ...(augmenting && { augmentation: augmentationOf(choice, sets.train, augmenting) }),
    ...(dataFolder !== undefined && { dataFolder }),
  };
  const files = await pack(training, options, { task: choice, data: fingerprint, seconds: 0 });
  if (isRun) moveRunAside(folder);
  WritableRun.create(folder, about, sets, { step: training.step, files }).close();
}

/** Number of test puzzles of a stored data set that `trm train --resume` evaluates during training. */
const watchedPuzzles = 100;

/** Adds a checkpoint to a run that `conflictOf` accepts, or returns what it holds if that is another state of the same step. */
async function addCheckpoint(folder: string, training: Training, options: SaveRunOptions): Promise<string | undefined> {
  const { step } = training;
  const run = WritableRun.open(folder);
  try {
    const newest = readNewest(folder, step);
    const files = await pack(training, options, newest.side);
    if (newest.side.step === step && !isSameState(newest, files)) return `another state of step ${step}`;
    run.save(step, files);
    return undefined;
  } finally {
    run.close();
  }
}

/** The newest checkpoint of a run; its tensors are read only if it is of the given step. @throws CheckpointError, ConfigError */
const readNewest = (folder: string, step: number): Checkpoint =>
  readCheckpoint(folder, (side) => (side.step === step ? tensorFiles(side) : []));

/** Whether files that were packed at the same step hold the state of a checkpoint. Times, backend and evaluation may differ. */
function isSameState({ side, files }: Checkpoint, packed: CheckpointFiles): boolean {
  const stateOf = ({ optimizerSteps, random, source, carry }: CheckpointSide) => [
    optimizerSteps,
    random,
    source,
    carry,
  ];
  return (
    isDeepStrictEqual(stateOf(side), stateOf(parseSide(packed.get(sideFile)!, sideFile))) &&
    [...files].every(([name, bytes]) => Buffer.compare(bytes, packed.get(name)!) === 0)
  );
}

function pack(
  training: Training,
  { seconds, evaluation }: SaveRunOptions,
  known: Pick<CheckpointAbout, "task" | "data" | "seconds">,
): Promise<CheckpointFiles> {
  const { name, build } = training.model.embedding.weight.value.backend;
  const about = {
    task: known.task,
    data: known.data,
    seconds: seconds ?? known.seconds,
    backend: { name, build },
    madeBy: "trm-ts saveRun",
  };
  if (!evaluation) return packCheckpoint(training, about);
  const { puzzles, exact, cell } = evaluation;
  expectArray("saveRun", "exact of the evaluation", exact);
  expectArray("saveRun", "cell of the evaluation", cell);
  return packCheckpoint(training, { ...about, evaluation: { puzzles, exact: exact.at(-1)!, cell: cell.at(-1)! } });
}

/**
 * Why the run in a folder is not this training or an earlier state of it; undefined if it is, as far as the descriptions tell.
 *
 * @throws CheckpointError, ConfigError for a run that cannot be read, unless it is moved aside
 */
function conflictOf(
  folder: string,
  training: Training,
  { sets, augmenting, dataFolder }: StoredPuzzles,
  { task, force }: SaveRunOptions,
): string | undefined {
  let about: RunAbout;
  let side: CheckpointSide;
  try {
    about = readRun(folder);
    side = readNewest(folder, training.step).side;
  } catch (error) {
    if (force && (error instanceof CheckpointError || error instanceof ConfigError)) return "a run that cannot be read";
    throw error;
  }
  const { module: _, ...recorded } = about.task;
  const own = choiceOf(task);
  if (own.name !== recorded.name || own.title !== recorded.title) return `a run of ${recorded.title ?? recorded.name}`;
  const [theirs, ours] = [settingsOf(side.config), settingsOf(training.config)];
  const changed = configKeys.find((key) => ours[key] !== theirs[key]);
  if (changed !== undefined) return `a run with ${changed} ${theirs[changed]}, got ${ours[changed]}`;
  if (!hasPuzzlesOf(about, dataFolder, sets)) return "a run on other training puzzles";
  if (about.data.augment !== (augmenting !== undefined)) {
    return `a run ${about.data.augment ? "with" : "without"} augmentation`;
  }
  if (augmenting && !augmentsAsRecorded(about, sets.train, augmenting)) return "a run with another augmentation";
  if (side.step > training.step) return `a checkpoint of step ${side.step}, got step ${training.step}`;
  return undefined;
}

/** Whether these are the training puzzles of a run. A data set on the disk may have been moved. */
function hasPuzzlesOf({ dataFolder, fingerprint }: RunAbout, folder: string | undefined, sets: RunSets): boolean {
  if ((folder === undefined) !== (dataFolder === undefined)) return false;
  if (folder === undefined) return fingerprint?.train === fingerprintOfSets(sets).train;
  return folder === dataFolder || fingerprint?.train === fingerprintOfFolder(folder).train;
}

/** All settings, with the default of layersY written out. */
function settingsOf(config: Config): Record<string, unknown> {
  const { layersY = config.model.layers, ...settings } = flattenConfig(config);
  return { ...settings, layersY };
}

/** The puzzles of a run, as its folder stores them. */
interface StoredPuzzles {
  readonly sets: RunSets;
  /** The task that augments the puzzles. */
  readonly augmenting: Task | undefined;
  /** The data set on the disk that the training reads. */
  readonly dataFolder: string | undefined;
}

/** The source that the training was given. */
const givenSource = ({ source, config }: Training): BatchSource =>
  config.training.revealProbability > 0 && source instanceof RevealedExamples ? source.source : source;

/** @throws ConfigError for puzzles that a run cannot store */
function puzzlesOf(source: BatchSource, task: Task, { watch, unseen }: SaveRunOptions): StoredPuzzles {
  const none = noExamples(task.sequenceLength);
  const sets = { train: none, watch: watch ?? none, unseen: unseen ?? none };
  if (source instanceof SplitBatches) {
    const { folder } = source.source;
    if (folder === undefined) {
      throw new ConfigError("saveRun: got a data set in memory, expected one on the disk (writeDataset, openDataset)");
    }
    if (watch || unseen) {
      throw new ConfigError(
        `saveRun: got watch or unseen puzzles, expected none (the test split of ${folder} is used)`,
      );
    }
    return { sets, augmenting: undefined, dataFolder: resolve(folder) };
  }
  const isInMemory = source instanceof ShuffledExamples;
  const all = { ...sets, train: isInMemory ? source.examples : none };
  for (const [name, examples] of Object.entries(all)) checkStorable(examples, task, name);
  return { sets: all, augmenting: isInMemory ? source.augment : undefined, dataFolder: undefined };
}

/** @throws ConfigError for examples that data.safetensors cannot hold: it has one byte per token and no puzzle ids */
function checkStorable({ length, puzzleIds, ignoreLabel = 0 }: Examples, task: Task, name: string): void {
  const problem =
    length !== task.sequenceLength
      ? `examples of ${length} cells, expected ${task.sequenceLength}`
      : task.vocabularySize > 256
        ? `a vocabulary of ${task.vocabularySize}, expected at most 256`
        : puzzleIds?.some((id) => id !== 0) || ignoreLabel !== 0
          ? "puzzle ids or another ignoreLabel than 0, expected a data set on the disk (openDataset)"
          : undefined;
  if (problem !== undefined) throw new ConfigError(`saveRun: ${name}: got ${problem}`);
}

/** Options of `resumeRun`. */
export interface ResumeRunOptions {
  /** Which checkpoint of the run: the last one (default), the best one, or the name or path of its folder. */
  readonly checkpoint?: CheckpointPlace | undefined;
  /** The task. Default: the one that the run stores. Needed if the training augments its puzzles by a function of your own. */
  readonly task?: Task | undefined;
  /** Replaces the puzzles of the run. Needed for a training on batches of your own, which the run does not store. */
  readonly source?: BatchSource | undefined;
  /** Hooks of the training. */
  readonly hooks?: TrainingHooks | undefined;
}

/** A training that continues, with what its run stores. */
export interface ResumedRun {
  readonly training: Training;
  readonly task: Task;
  readonly config: Config;
  /** Seconds of training before the checkpoint. */
  readonly seconds: number;
  /**
   * The puzzles that are stored with the run to be watched during training, and for `trm eval`. Of a data set on the disk,
   * `watch` is taken from the test split unless the option `source` replaces the data set, and `unseen` is empty.
   */
  readonly watch: Examples;
  readonly unseen: Examples;
  /** Closes the files of a data set on the disk, when the training has ended. `training.dispose()` releases the training itself. */
  close(): void;
}

/**
 * Continues a run, bit for bit on the same backend. `saveRun` into the same folder saves it again.
 *
 * @param folder  a run folder, or a checkpoint folder in it
 * @throws CheckpointError, ConfigError, DatasetError, FileError
 */
export async function resumeRun(folder: string, options: ResumeRunOptions = {}): Promise<ResumedRun> {
  expectString("resumeRun", "the folder", folder);
  expectObject("resumeRun", "the options", options);
  const { checkpoint = "last", hooks = {} } = options;
  const { path: place, choice } = placeOfCheckpoint(folder, checkpoint);
  const run = runFolderOf(place);
  const about = readRun(run);
  const { side, files, path } = readCheckpoint(place, undefined, choice);
  const { config, seconds } = side;
  const task = options.task ?? (await resolveTask(about.task)).task;
  expectTaskFits(task, config, options.task ? path : runFileIn(run));
  const puzzles = options.source
    ? givenPuzzles(options.source, run, about, config)
    : verifiedPuzzles(run, about, side, task);
  let training: Training | undefined;
  try {
    if (!hooks.createModel) expectEnoughWeights(side, files, path);
    training = new Training(config, puzzles.source, hooks);
    restoreTraining(training, side, files, path);
  } catch (error) {
    training?.dispose();
    puzzles.close();
    throw error;
  }
  const { watch, unseen } = puzzles.sets;
  return { training, task, config, seconds, watch, unseen, close: () => puzzles.close() };
}

type OpenPuzzles = Pick<RunPuzzles, "source" | "sets" | "close">;

/** A source of the caller, beside the puzzles in the run folder. A data set on the disk is not opened. */
function givenPuzzles(source: BatchSource, run: string, { dataFolder }: RunAbout, { model }: Config): OpenPuzzles {
  const none = noExamples(model.sequenceLength);
  const sets = dataFolder === undefined ? readSets(run) : { train: none, watch: none, unseen: none };
  return { source, sets, close() {} };
}

/** The puzzles of a run. @throws CheckpointError if it has none, or others than the checkpoint was trained on */
function verifiedPuzzles(run: string, about: RunAbout, side: CheckpointSide, task: Task): OpenPuzzles {
  if (about.dataFolder === undefined && about.data.train === 0) {
    throw new CheckpointError(`${run}: contains no training puzzles, expected the option source`);
  }
  const puzzles = puzzlesOfRun(run, about, side.config, task);
  try {
    const where = about.dataFolder ?? `the puzzles in ${run}`;
    verifyData({ path: where, actual: puzzles.fingerprint, expected: side.data ?? about.fingerprint, run });
    return puzzles;
  } catch (error) {
    puzzles.close();
    throw error;
  }
}
