// Writing that a crash, a power cut or a full disk cannot break: under a temporary name, flushed, then renamed.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Writes a new file and flushes it to the disk. */
export function writeFlushed(path: string, bytes: Uint8Array): void {
  const file = openSync(path, "w");
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Temporary names begin like this; whatever has such a name may be deleted when no process holds the folder's lock. */
export const temporaryPrefix = ".tmp-";

export const temporaryName = (path: string): string =>
  join(dirname(path), `${temporaryPrefix}${process.pid}-${basename(path)}`);

/** Creates or replaces a file: afterwards it is either the old one or the new one, never a part. */
export function replaceFile(path: string, bytes: Uint8Array): void {
  const temporary = temporaryName(path);
  try {
    writeFlushed(temporary, bytes);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  flushFolder(dirname(path));
}

/** Makes a folder with all its files appear at once. `path` must not exist. @param write  replaceable, for tests */
export function createFolder(path: string, files: ReadonlyMap<string, Uint8Array>, write = writeFlushed): void {
  const temporary = temporaryName(path);
  try {
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary);
    for (const [name, bytes] of files) write(join(temporary, name), bytes);
    flushFolder(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
  flushFolder(dirname(path));
}

/** Makes a folder disappear at once, then deletes it. */
export function removeFolder(path: string): void {
  const temporary = temporaryName(path);
  rmSync(temporary, { recursive: true, force: true });
  renameSync(path, temporary);
  rmSync(temporary, { recursive: true, force: true });
}

/** Makes a folder and what is missing above it. (Node's own recursive mkdir never returns where the system refuses, as in /proc.) */
export function makeFolders(path: string): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolders(above);
  mkdirSync(path);
}

/** Renames in a folder last through a power cut only once the folder itself is flushed. */
export function flushFolder(path: string): void {
  if (process.platform === "win32") return; // folders cannot be opened there
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
