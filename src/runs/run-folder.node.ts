// A run is a training that is stored in a folder. `trm train` writes the folder; `trm eval`, `solve` and `info` read it.
//
//   run.json            description: task, preset, sizes and fingerprint of the data, goal
//   identifiers.json    names of the puzzle ids, if the run trains on a data set that has names
//   data.safetensors    puzzles: train, watch (evaluated during training), unseen (for trm eval)
//   unseen.csv          the unseen puzzles as text, in the official form
//   metrics.jsonl       one line per step and per evaluation
//   checkpoint-N/       state after step N (see checkpoint.ts), renamed into place when complete; the last three are kept, and the
//                       one with the best evaluation
//   lock                present while a process writes
import { existsSync, readdirSync, realpathSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import * as z from "zod/mini";
import {
  expectNoLink,
  isTemporaryName,
  isThere,
  makeFolders,
  readBytes,
  removeFolder,
  removeTemporaries,
  replaceFile,
} from "../formats/index.node.ts";
import { CheckpointError } from "../formats/index.ts";
import { IDENTIFIERS_JSON, taskChoiceSchema } from "../puzzles/index.ts";
import type { CheckpointFiles } from "./checkpoint.ts";
import {
  bestIn,
  type Checkpoint,
  checkpointOfStep,
  type EvaluatedStep,
  readCheckpoint,
  runFolderOf,
  saveCheckpoint,
  stepOfFolder,
  stepsIn,
} from "./checkpoint-folder.node.ts";
import { readIdentifierNames } from "./data-fingerprint.node.ts";
import { fingerprintSchema } from "./data-fingerprint.ts";
import { type FolderLock, isLocked, lockFile, lockFolder } from "./folder-lock.node.ts";
import { MetricsLog, metricsFile } from "./metrics-log.node.ts";
import { parseAs, parseJson } from "./model-files.ts";
import { packSets, parseSets, type RunSets, setAsCsv } from "./run-sets.ts";

const runFile = "run.json";
/** Path of the description of the run in a folder. */
export const runFileIn = (path: string): string => join(path, runFile);

const dataFile = "data.safetensors";
export const unseenFile = "unseen.csv";

const count = z.number().check(z.int(), z.minimum(0));

/** The weights from which a training started: those of a run, or the stored ones of a model. */
export const initSchema = z.object({
  source: z.string(),
  /** Training steps behind the weights; null if the files of the model do not record them. */
  step: z.nullable(count),
  weights: z.enum(["averaged", "raw", "stored"]),
  sha256: z.string(),
});

const runSchema = z.object({
  format: z.literal("trm-ts run"),
  version: z.literal(1),
  task: taskChoiceSchema,
  preset: z.string(),
  data: z.object({ train: count, watch: count, unseen: count, augment: z.boolean() }),
  /**
   * Whether the puzzles are augmented as `task` does it, or by a function that cannot be stored. Absent without augmentation, in
   * runs of `trm train`, which augment as their task does, and in runs of earlier versions.
   */
  augmentation: z.optional(z.enum(["task", "own"])),
  /** Data set in the official layout that the run trains on. Absent: the puzzles were generated and are in the run folder. */
  dataFolder: z.optional(z.string()),
  /** The data set, for checks. Absent in runs written before fingerprints existed. */
  fingerprint: z.optional(fingerprintSchema),
  /** The command line that started the run. */
  command: z.optional(z.string()),
  /** Absent if the initial weights were random. */
  init: z.optional(initSchema),
  /** When training ends, unless a resumed training sets another goal. */
  goal: z.object({ steps: z.nullable(count), minutes: z.nullable(z.number()) }),
});

/** Description of a run. Unlike the checkpoints it does not change during training. */
export type RunAbout = Omit<z.output<typeof runSchema>, "format" | "version">;

/** The path exists and must not be overwritten. */
export class OccupiedError extends Error {
  override name = "OccupiedError";
}

/** A run folder opened for writing. It is locked against other processes until `close`. */
export class WritableRun {
  #metrics: MetricsLog | undefined;

  private constructor(
    readonly path: string,
    private readonly lock: FolderLock,
    /** Step from which the run continues. */
    private readonly step: number,
    /** Whether this process created the run. */
    readonly isNew: boolean,
  ) {}

  /** Steps of the checkpoints on the disk, oldest first. */
  get steps(): number[] {
    return stepsIn(this.path);
  }

  /** Whether the checkpoint of a step is on the disk: the folder can be removed during the training. */
  has(step: number): boolean {
    return existsSync(checkpointOfStep(this.path, step));
  }

  /** The checkpoint on the disk with the best evaluation; undefined if none was evaluated. */
  get best(): EvaluatedStep | undefined {
    return bestIn(this.path);
  }

  /** The log of a run that continues. The first access removes checkpoints and metrics of later steps. */
  get metrics(): MetricsLog {
    this.#metrics ??= this.#continue();
    return this.#metrics;
  }

  #continue(): MetricsLog {
    removeTemporaries(this.path);
    for (const step of stepsIn(this.path).reverse()) {
      if (step > this.step) removeFolder(checkpointOfStep(this.path, step));
    }
    return new MetricsLog(join(this.path, metricsFile), this.step);
  }

  /**
   * Creates a run folder with a first checkpoint. The path must not exist or must be an empty folder. A failure leaves nothing
   * behind.
   *
   * @throws OccupiedError
   */
  static create(
    path: string,
    about: RunAbout,
    sets: RunSets,
    checkpoint: { readonly step: number; readonly files: CheckpointFiles },
  ): WritableRun {
    const state = folderState(path);
    if (state === "run") throw new OccupiedError(`${path} holds a run already`);
    if (state === "other") throw new OccupiedError(`${path} exists and is not a run of trm`);
    makeFolders(path);
    let lock: FolderLock | undefined;
    try {
      lock = lockFolder(path);
      removeRemains(path);
      if (about.dataFolder === undefined) {
        replaceFile(join(path, dataFile), packSets(sets));
        replaceFile(join(path, unseenFile), Buffer.from(setAsCsv(about.task, sets.unseen)));
      } else {
        const names = readIdentifierNames(about.dataFolder);
        if (names) replaceFile(join(path, IDENTIFIERS_JSON), Buffer.from(JSON.stringify(names)));
      }
      saveCheckpoint(path, checkpoint.step, checkpoint.files);
      const run = new WritableRun(path, lock, checkpoint.step, true);
      run.#metrics = new MetricsLog(join(path, metricsFile), checkpoint.step);
      // Written last, because run.json marks the folder as a run.
      writeAbout(path, about);
      return run;
    } catch (error) {
      if (lock) removeRemains(path);
      lock?.release();
      if (state === "absent" && readdirSync(path).length === 0) rmdirSync(path);
      throw error;
    }
  }

  /** Opens a run to add a checkpoint. @throws LockError */
  static open(path: string): WritableRun {
    return new WritableRun(path, lockFolder(path), stepsIn(path).at(-1) ?? 0, false);
  }

  /**
   * Opens a run to continue it. The folder does not change before the first access to `metrics`.
   *
   * @param from  step of the checkpoint; default: the newest
   * @throws CheckpointError, LockError
   */
  static resume(path: string, from?: number): { run: WritableRun; about: RunAbout; checkpoint: Checkpoint } {
    const about = readRun(path);
    const lock = lockFolder(path);
    try {
      const steps = stepsIn(path);
      if (from !== undefined && !steps.includes(from)) {
        throw new CheckpointError(`${path}: no checkpoint of step ${from}, expected one of steps ${steps.join(", ")}`);
      }
      const checkpoint = readCheckpoint(
        from === undefined ? path : checkpointOfStep(path, from),
        undefined,
        "last",
        "--from STEP",
      );
      const run = new WritableRun(path, lock, checkpoint.side.step, false);
      return { run, about, checkpoint };
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  save(step: number, files: CheckpointFiles): void {
    saveCheckpoint(this.path, step, files);
  }

  /** Replaces the description of the run, for a data set that has been moved. */
  record(about: RunAbout): void {
    writeAbout(this.path, about);
  }

  close(): void {
    this.#metrics?.close();
    this.lock.release();
  }

  /** Closes the run and deletes it, as is appropriate for a run that has not completed a step. */
  discard(): void {
    this.#metrics?.close();
    if (!existsSync(this.path)) return; // Another process removed or moved it, and the caller reports that error.
    rmSync(runFileIn(this.path), { force: true }); // first, as for a creation that is interrupted
    removeRemains(this.path);
    this.lock.release();
    if (readdirSync(this.path).length === 0) rmdirSync(this.path);
  }
}

function writeAbout(path: string, about: RunAbout): void {
  const run = { format: "trm-ts run", version: 1, ...about } satisfies z.input<typeof runSchema>;
  replaceFile(runFileIn(path), Buffer.from(`${JSON.stringify(run, null, 2)}\n`));
}

export type FolderState = "absent" | "empty" | "run" | "other";

/**
 * A folder whose creation a crash interrupted counts as empty. It contains the lock of the creating process, and at most the first
 * checkpoint and no metrics, unlike a run that has lost its run.json, which must not be overwritten.
 *
 * @throws FileError for a dangling symbolic link
 */
export function folderState(path: string): FolderState {
  if (!existsSync(path)) {
    expectNoLink(path);
    return "absent";
  }
  if (!statSync(path).isDirectory()) return "other";
  const names = readdirSync(path).filter((name) => !isTemporaryName(name));
  if (names.includes(runFile)) return "run";
  if (names.length === 0) return "empty";
  const hasTrained =
    stepsIn(path).length > 1 || (names.includes(metricsFile) && statSync(join(path, metricsFile)).size > 0);
  return names.every(isOurs) && isLocked(path) && !hasTrained ? "empty" : "other";
}

/** Whether a name in the folder of a run is one that `trm train` gives, temporary names aside. */
const isOurs = (name: string): boolean =>
  [runFile, dataFile, unseenFile, metricsFile, IDENTIFIERS_JSON, lockFile].includes(name) ||
  stepOfFolder(name) !== undefined;

/** Where `moveRunAside` moves a run: PATH.previous. */
export const previousOf = (path: string): string => `${path.replace(/[\\/]+$/, "")}.previous`;

/**
 * Moves the run at `path` to PATH.previous and returns that path. An existing run at PATH.previous is deleted.
 *
 * @throws OccupiedError if either path exists and is not a run, or the current folder is in `path`; LockError if another process writes to either
 */
export function moveRunAside(path: string): string {
  const aside = previousOf(path);
  for (const each of [path, aside]) {
    if (folderState(each) === "other") throw new OccupiedError(`${each} exists and is not a run of trm`);
  }
  expectNotCurrent(path);
  const locks = [lockFolder(path)];
  try {
    if (existsSync(aside)) {
      const place = realpathSync(aside); // stays if PATH.previous is a link
      locks.push(lockFolder(aside));
      removeFolder(aside);
      rmSync(join(place, lockFile), { force: true });
    }
    renameSync(path, aside);
  } catch (error) {
    for (const lock of locks) lock.release();
    throw error;
  }
  rmSync(join(aside, lockFile), { force: true });
  return aside;
}

/** The system refuses to move the current folder, or relative paths would afterwards lead into PATH.previous. @throws OccupiedError */
function expectNotCurrent(path: string): void {
  const inside = relative(realpathSync(path), process.cwd());
  if (inside.split(sep)[0] === ".." || isAbsolute(inside)) return;
  const relation = inside === "" ? "is" : "contains";
  throw new OccupiedError(
    `${path} ${relation} the current folder, which cannot be moved aside: change to another folder first`,
  );
}

/** Reads the description of the run at `path`. @throws CheckpointError */
export function readRun(path: string): RunAbout {
  const file = runFileIn(path);
  if (!isThere(path)) throw new CheckpointError(`${path}: no such folder`);
  if (!isThere(file)) throw new CheckpointError(`${path}: contains no ${runFile}, expected the folder of a run`);
  return parseAs(runSchema, parseJson(readBytes(file), file), file);
}

/**
 * The run that a file belongs to, as its path is written or behind links: the run's own files and all files of its checkpoints do.
 * Undefined for any other file, also in the folder of a run.
 */
export function runOfFile(path: string): string | undefined {
  const real = statSync(path, { throwIfNoEntry: false })?.isFile() ? realpathSync.native(path) : path;
  return ownerOf(path) ?? ownerOf(real);
}

function ownerOf(file: string): string | undefined {
  const folder = dirname(file);
  const run = runFolderOf(folder);
  if (!existsSync(runFileIn(run)) && !existsSync(join(run, metricsFile))) return undefined;
  return run !== folder || isOurs(basename(file)) ? run : undefined;
}

/** The data set that the run at `path` trains on; undefined if its puzzles are in the run folder. @throws CheckpointError */
export const dataFolderOf = (path: string): string | undefined => readRun(path).dataFolder;

/** Reads the puzzles in the folder of the run at `path`. @throws CheckpointError */
export function readSets(path: string): RunSets {
  const file = join(path, dataFile);
  const elsewhere = isThere(runFileIn(path)) ? dataFolderOf(path) : undefined;
  if (elsewhere !== undefined)
    throw new CheckpointError(`${path}: contains no puzzles, they are in the data set ${elsewhere}`);
  if (!isThere(file)) throw new CheckpointError(`${path}: contains no ${dataFile}, expected the folder of a run`);
  return parseSets(readBytes(file), file);
}

/** Removes everything that `create` writes except the lock. */
function removeRemains(path: string): void {
  for (const name of readdirSync(path)) {
    if (name !== lockFile && isOurs(name)) rmSync(join(path, name), { recursive: true, force: true });
  }
  removeTemporaries(path);
}
