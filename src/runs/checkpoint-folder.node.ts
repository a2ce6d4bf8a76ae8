// Checkpoint folders of a run. Writing is atomic: after a crash the run still holds a complete checkpoint. Reading tolerates
// another process that writes at the same time.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { createFolder, removeFolder, writeFlushed } from "../formats/index.node.ts";
import { CheckpointError } from "../formats/index.ts";
import { type CheckpointFiles, type CheckpointSide, parseSide, sideFile } from "./checkpoint.ts";

export interface Checkpoint {
  /** Path of the checkpoint folder. */
  readonly path: string;
  readonly side: CheckpointSide;
  readonly files: CheckpointFiles;
}

/**
 * Reads the newest checkpoint of a run folder, or the given checkpoint folder.
 *
 * @param needed  names of the files to read besides the JSON side file; default: all
 * @throws CheckpointError
 */
export function readCheckpoint(path: string, needed?: (side: CheckpointSide) => readonly string[]): Checkpoint {
  // A training process may replace the checkpoint between listing the folder and reading the files, hence the retries.
  for (let attempt = 1; ; attempt++) {
    const folder = checkpointFolder(path);
    try {
      const where = join(folder, sideFile);
      const side = parseSide(readFileSync(where), where);
      const names = needed?.(side) ?? readdirSync(folder).filter((name) => name !== sideFile);
      return { path: folder, side, files: new Map(names.map((name) => [name, readFileSync(join(folder, name))])) };
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (!isGone) throw error;
      if (attempt === 3)
        throw new CheckpointError(
          `${folder}: incomplete: no ${basename(String((error as NodeJS.ErrnoException).path))}`,
        );
    }
  }
}

/** Path of the newest checkpoint in a run folder, or the path itself if it is a checkpoint folder. */
export function checkpointFolder(path: string): string {
  if (!existsSync(path)) throw new CheckpointError(`${path}: no such folder`);
  if (!statSync(path).isDirectory()) throw new CheckpointError(`${path}: is a file, expected the folder of a run`);
  if (existsSync(join(path, sideFile))) return path;
  const newest = checkpointsIn(path).at(-1);
  if (!newest) throw new CheckpointError(`${path}: contains no checkpoint, expected the folder of a run`);
  return join(path, newest);
}

/** The run folder for a path given by a user: the parent of a checkpoint folder, else the path itself. */
export const runFolderOf = (path: string): string => (existsSync(join(path, sideFile)) ? dirname(resolve(path)) : path);

/** Names of the checkpoint folders, oldest first. They are complete, because a folder receives such a name only when it is. */
function checkpointsIn(path: string): string[] {
  return readdirSync(path)
    .filter((name) => stepOfFolder(name) !== undefined)
    .sort((a, b) => stepOfFolder(a)! - stepOfFolder(b)!);
}

/** Step number in the name of a checkpoint folder; undefined for any other name. */
export const stepOfFolder = (name: string): number | undefined => {
  const digits = /^checkpoint-(\d{1,15})$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
};

/**
 * Saves a checkpoint, then removes the older ones, so that the folder always holds a complete checkpoint.
 *
 * @param write  writes one file; tests replace it
 */
export function saveCheckpoint(path: string, step: number, files: CheckpointFiles, write = writeFlushed): void {
  const before = checkpointsIn(path);
  const folder = join(path, `checkpoint-${String(step).padStart(7, "0")}`);
  if (existsSync(folder)) return; // training is deterministic: the state of a step is always the same
  createFolder(folder, files, write);
  for (const name of before) removeFolder(join(path, name));
}
