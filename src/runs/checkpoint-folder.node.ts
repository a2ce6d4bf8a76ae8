// Checkpoint folders of a run. Writing is atomic: after a crash the run still holds a complete checkpoint. Reading tolerates
// another process that writes at the same time, and detects corrupted files by their checksums.
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { crc32 } from "node:zlib";
import { createFolder, isThere, readBytes, removeFolder, replaceFile, writeFlushed } from "../formats/index.node.ts";
import { CheckpointError, quoted, shortened } from "../formats/index.ts";
import { ConfigError } from "../trm/index.ts";
import {
  type CheckpointEvaluation,
  type CheckpointFiles,
  type CheckpointSide,
  isAsGood,
  parseSide,
  sideFile,
  tensorFiles,
} from "./checkpoint.ts";
import { parseJson } from "./model-files.ts";

/** Which checkpoint of a run: the one with the best evaluation on the watched puzzles, or the newest. */
export const checkpointChoices = ["best", "last"] as const;
export type CheckpointChoice = (typeof checkpointChoices)[number];

export interface Checkpoint {
  /** Path of the checkpoint folder. */
  readonly path: string;
  readonly side: CheckpointSide;
  readonly files: CheckpointFiles;
}

/**
 * Reads a checkpoint of a run folder, or the given checkpoint folder.
 *
 * @param needed  names of the files to read besides the JSON side file; default: all
 * @param choice  which checkpoint of a run folder
 * @param instead  how the caller lets a user choose another checkpoint, for the error about a corrupted one
 * @throws CheckpointError
 */
export function readCheckpoint(
  path: string,
  needed?: (side: CheckpointSide) => readonly string[],
  choice: CheckpointChoice = "last",
  instead = "the path of its folder",
): Checkpoint {
  // A training process may replace the checkpoint between listing the folder and reading the files, hence the retries.
  for (let attempt = 1; ; attempt++) {
    const folder = checkpointFolder(path, choice);
    try {
      const where = join(folder, sideFile);
      const bytes = readBytes(where);
      const side = parseSide(bytes, where);
      const names = (needed ?? tensorFiles)(side);
      const files = new Map(names.map((name) => [name, readBytes(join(folder, name))]));
      checkSums(folder, parseJson(bytes, where), files, instead);
      checkName(folder, side);
      return { path: folder, side, files };
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (!isGone) throw error;
      if (attempt === 3) {
        const missing = basename(String((error as NodeJS.ErrnoException).path));
        throw new CheckpointError(`${folder}: incomplete: no ${missing}${otherCheckpoints(folder, instead)}`);
      }
    }
  }
}

/**
 * Compares files with the checksums in the side file. Checkpoints written before checksums existed have none.
 *
 * @throws CheckpointError for a corrupted file
 */
function checkSums(folder: string, side: unknown, files: CheckpointFiles, instead: string): void {
  const { checksums, ...rest } = side as { checksums?: unknown };
  if (checksums === undefined) return;
  const stored = Object(checksums) as Readonly<Record<string, unknown>>;
  const actual = new Map([...files].map(([name, bytes]) => [name, checksumOf(bytes)]));
  actual.set(sideFile, checksumOf(JSON.stringify(rest)));
  for (const [name, sum] of actual) {
    const expected = stored[name];
    if (sum === expected) continue;
    throw new CheckpointError(
      `${join(folder, name)}: is corrupted: checksum ${sum}, expected ${typeof expected === "string" ? shortened(expected) : quoted(expected)}${otherCheckpoints(folder, instead)}`,
    );
  }
}

/** The other checkpoints of a run, for the error about a broken one. */
function otherCheckpoints(folder: string, instead: string): string {
  const others = stepsIn(dirname(folder)).filter((step) => step !== stepOfFolder(basename(folder)));
  return others.length === 0 ? "" : `; the run has other checkpoints, of steps ${others.join(", ")} (${instead})`;
}

/** A run finds its checkpoints by the steps in their names. @throws CheckpointError for a folder that was renamed to another step */
function checkName(folder: string, { step }: CheckpointSide): void {
  const named = stepOfFolder(basename(resolve(folder)));
  if (named === undefined || named === step) return;
  throw new CheckpointError(`${folder}: holds step ${step}, expected step ${named}, as in its name`);
}

const checksumOf = (contents: Uint8Array | string): string => crc32(contents).toString(16).padStart(8, "0");

/** The files of a checkpoint with CRC-32 checksums in the side file, of the other files and of the side file's own contents. */
function withChecksums(files: CheckpointFiles): CheckpointFiles {
  const side = parseJson(files.get(sideFile)!, sideFile) as object;
  const checksums: Record<string, string> = { [sideFile]: checksumOf(JSON.stringify(side)) };
  for (const [name, bytes] of files) if (name !== sideFile) checksums[name] = checksumOf(bytes);
  return new Map(files).set(sideFile, sideBytes({ ...side, checksums }));
}

const sideBytes = (side: object): Uint8Array => Buffer.from(`${JSON.stringify(side, null, 2)}\n`);

/** Path of a checkpoint in a run folder, or the path itself if it is a checkpoint folder. @throws CheckpointError */
export function checkpointFolder(path: string, choice: CheckpointChoice = "last"): string {
  if (!isThere(path)) throw new CheckpointError(`${path}: no such folder`);
  if (!statSync(path).isDirectory()) throw new CheckpointError(`${path}: is a file, expected the folder of a run`);
  if (isThere(join(path, sideFile))) return path;
  const newest = checkpointsIn(path).at(-1);
  if (!newest) throw new CheckpointError(`${path}: contains no checkpoint, expected the folder of a run`);
  if (choice === "last") return join(path, newest);
  const best = bestIn(path);
  if (best) return checkpointOfStep(path, best.step);
  throw new CheckpointError(`${path}: none of its checkpoints has been evaluated, expected the checkpoint "last"`);
}

export interface EvaluatedStep extends CheckpointEvaluation {
  readonly step: number;
}

/** The checkpoint of a run folder with the best evaluation, the latest of equally good ones; undefined if none was evaluated. */
export function bestIn(path: string): EvaluatedStep | undefined {
  let best: EvaluatedStep | undefined;
  for (const step of stepsIn(path)) {
    const evaluation = evaluationOf(checkpointOfStep(path, step));
    if (evaluation && (!best || isAsGood(evaluation, best))) best = { step, ...evaluation };
  }
  return best;
}

/** Undefined also for a checkpoint that a training process has just removed, or whose side file is corrupted. */
function evaluationOf(folder: string): CheckpointEvaluation | undefined {
  try {
    return parseSide(readBytes(join(folder, sideFile)), folder).evaluation;
  } catch (error) {
    const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (!isGone && !(error instanceof CheckpointError) && !(error instanceof ConfigError)) throw error;
    return undefined;
  }
}

/** The run folder for a path given by a user: the parent of a checkpoint folder, else the path itself. */
export function runFolderOf(path: string): string {
  if (!existsSync(join(path, sideFile))) return path;
  // A link to a checkpoint may stand outside of its run.
  const [parent, real] = [dirname(resolve(path)), dirname(realpathSync(path))];
  return existsSync(join(parent, "run.json")) || !existsSync(join(real, "run.json")) ? parent : real;
}

/** Steps of the checkpoints in a run folder, oldest first. */
export const stepsIn = (path: string): number[] => checkpointsIn(path).map((name) => stepOfFolder(name)!);

/** Path of the checkpoint of a step in a run folder. */
export const checkpointOfStep = (path: string, step: number): string => join(path, folderName(step));

const folderName = (step: number): string => `checkpoint-${String(step).padStart(7, "0")}`;

/** Names of the checkpoint folders, oldest first. They are complete, because a folder receives such a name only when it is. */
function checkpointsIn(path: string): string[] {
  return readdirSync(path)
    .filter((name) => stepOfFolder(name) !== undefined)
    .sort((a, b) => stepOfFolder(a)! - stepOfFolder(b)!);
}

/** Step number in the name of a checkpoint folder; undefined for any name that `saveCheckpoint` does not give. */
export const stepOfFolder = (name: string): number | undefined => {
  const digits = /^checkpoint-(\d{1,15})$/.exec(name)?.[1];
  return digits !== undefined && folderName(Number(digits)) === name ? Number(digits) : undefined;
};

/**
 * Saves a checkpoint, then removes the oldest ones, so that the folder always holds a complete checkpoint.
 *
 * @param keep  number of recent checkpoints to keep, beside the one with the best evaluation
 * @param write  writes one file; tests replace it
 */
export function saveCheckpoint(
  path: string,
  step: number,
  files: CheckpointFiles,
  { keep = 3, write = writeFlushed } = {},
): void {
  const folder = checkpointOfStep(path, step);
  // Training is deterministic: the state of a step is always the same. Only an evaluation may be new.
  if (existsSync(folder)) {
    addEvaluation(folder, files);
    return;
  }
  createFolder(folder, withChecksums(files), write);
  const best = bestIn(path)?.step;
  for (const old of stepsIn(path).slice(0, -keep)) if (old !== best) removeFolder(checkpointOfStep(path, old));
}

/** Stores the evaluation of new files in a checkpoint that was saved before it was evaluated. */
function addEvaluation(folder: string, files: CheckpointFiles): void {
  const { evaluation } = parseSide(files.get(sideFile)!, sideFile);
  if (!evaluation || evaluationOf(folder)) return;
  const where = join(folder, sideFile);
  const { checksums, ...side } = parseJson(readBytes(where), where) as { readonly checksums?: object };
  const evaluated = { ...side, evaluation };
  const own = { [sideFile]: checksumOf(JSON.stringify(evaluated)) };
  replaceFile(where, sideBytes({ ...evaluated, ...(checksums && { checksums: { ...checksums, ...own } }) }));
}
