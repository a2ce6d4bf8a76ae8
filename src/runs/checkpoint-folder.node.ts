// The checkpoint folders of a run: written so that a crash leaves a whole one, read while another process may be writing.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { createFolder, removeFolder, writeFlushed } from "../formats/index.node.ts";
import { CheckpointError } from "../formats/index.ts";
import { type CheckpointFiles, type CheckpointSide, parseSide, sideFile } from "./checkpoint.ts";

export interface Checkpoint {
  /** The folder that holds it. */
  readonly path: string;
  readonly side: CheckpointSide;
  readonly files: CheckpointFiles;
}

/**
 * Reads the checkpoint of a run folder, or one checkpoint folder.
 *
 * @param needed  which files beside the JSON one; all if left out
 * @throws CheckpointError
 */
export function readCheckpoint(path: string, needed?: (side: CheckpointSide) => readonly string[]): Checkpoint {
  // A training process may replace the checkpoint between the look at the folder and the reading: then look again.
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

/** The newest checkpoint of a run folder, or the folder itself if it is a checkpoint. */
export function checkpointFolder(path: string): string {
  if (!existsSync(path)) throw new CheckpointError(`${path}: no such folder`);
  if (!statSync(path).isDirectory()) throw new CheckpointError(`${path}: a file, expected the folder of a run`);
  if (existsSync(join(path, sideFile))) return path;
  const newest = checkpointsIn(path).at(-1);
  if (!newest) throw new CheckpointError(`${path}: no checkpoint in it, expected the folder of a run`);
  return join(path, newest);
}

/** The run folder that a path given by a user means: the path, or what holds it if it is a checkpoint. */
export const runFolderOf = (path: string): string => (existsSync(join(path, sideFile)) ? dirname(resolve(path)) : path);

/** Names of the checkpoint folders, oldest first. A folder of that name is complete: it got the name when it was. */
function checkpointsIn(path: string): string[] {
  return readdirSync(path)
    .filter((name) => stepOfFolder(name) !== undefined)
    .sort((a, b) => stepOfFolder(a)! - stepOfFolder(b)!);
}

/** The step that a folder's name tells; undefined for a name that is none of a checkpoint. */
export const stepOfFolder = (name: string): number | undefined => {
  const digits = /^checkpoint-(\d{1,15})$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
};

/**
 * Saves a state and then removes the older ones. At every moment the folder holds a complete checkpoint.
 *
 * @param write  replaceable, for tests
 */
export function saveCheckpoint(path: string, step: number, files: CheckpointFiles, write = writeFlushed): void {
  const before = checkpointsIn(path);
  const folder = join(path, `checkpoint-${String(step).padStart(7, "0")}`);
  if (existsSync(folder)) return; // the state of a step does not change
  createFolder(folder, files, write);
  for (const name of before) removeFolder(join(path, name));
}
