// Writes that survive a crash, a power cut or a full disk: the new content goes to a temporary file beside the target, is
// flushed to the disk, and is then renamed over the target. Every error is a FileError with the path.
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { crc32 } from "node:zlib";
import { FileError } from "./errors.ts";

/** Runs a system call. @throws FileError that names the path */
export function attempt<T>(action: "read" | "write", path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new FileError(path, action, error instanceof FileError ? error.cause : error);
  }
}

/** The machine in the names of temporary files, because other machines may write to the same folder. */
const machine = crc32(hostname()).toString(16);

/** Most bytes in the name of a file, on all usual systems. */
const longestName = 255;

/** The path of a temporary file beside the file that it will become: .tmp-PID@MACHINE-NAME. */
export function temporaryName(path: string): string {
  const prefix = `.tmp-${process.pid}@${machine}-`;
  const name = Buffer.from(basename(path));
  const room = longestName - prefix.length;
  return join(dirname(path), `${prefix}${name.length <= room ? name : shortenedName(name, room)}`);
}

/** The beginning of a name in UTF-8, without a part of a character, and a checksum that differs for names of one beginning. */
function shortenedName(name: Uint8Array, length: number): string {
  const sum = `-${crc32(name).toString(16)}`;
  return new TextDecoder().decode(name.subarray(0, length - sum.length), { stream: true }) + sum;
}

const temporaryPattern = /^\.tmp-(\d+)@([0-9a-f]+)-/;

/** Whether a name in a folder is one that `temporaryName` gives, in any process. */
export const isTemporaryName = (name: string): boolean => temporaryPattern.test(name);

/** The process of this machine that a temporary file belongs to; undefined for any other file. */
function writerOf(name: string): number | undefined {
  const [, pid, host] = temporaryPattern.exec(name) ?? [];
  return host === machine ? Number(pid) : undefined;
}

/** Whether a process of this machine exists. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0); // Signal 0 only checks.
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH"; // any other error: it belongs to another user
  }
}

/** Removes the temporary files that killed processes of this machine have left. A file that the system protects stays. */
function removeAbandoned(folder: string): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const writer = writerOf(entry.name);
      // A folder may contain the only copy of files that were being replaced.
      if (writer === undefined || isRunning(writer) || !entry.isFile()) continue;
      rmSync(join(folder, entry.name), { force: true });
    }
  } catch {
    // The folder or a file of another user is protected, which does not concern the file to write.
  }
}

/** A file that is written piece by piece under a temporary name. After an error the temporary file is gone. */
export class AtomicFile {
  readonly #path: string;
  readonly #target: string;
  readonly #temporary: string;
  readonly #descriptor: number;
  #isOpen = true;

  /**
   * A symbolic link is followed: its target is replaced, not the link. Temporary files of killed processes are removed from the folder.
   *
   * @throws FileError unless the target is a regular file or new
   */
  constructor(path: string) {
    this.#path = path;
    this.#target = attempt("write", path, () => regularTarget(path));
    this.#temporary = temporaryName(this.#target);
    removeAbandoned(dirname(this.#target));
    this.#descriptor = attempt("write", path, () => openSync(this.#temporary, "w"));
  }

  /** @param position byte position; by default, the end of what was written before. @throws FileError */
  write(bytes: Uint8Array, position: number | null = null): void {
    this.#attempt(() => writeAll(this.#descriptor, bytes, position));
  }

  /** Flushes and closes the complete file. @throws FileError */
  complete(): void {
    this.#attempt(() => {
      fsyncSync(this.#descriptor);
      closeSync(this.#descriptor);
      this.#isOpen = false;
    });
  }

  /** Renames the file to its target; call `complete` before. @throws FileError */
  publish(): void {
    this.#attempt(() => {
      renameSync(this.#temporary, this.#target);
      flushFolder(dirname(this.#target));
    });
  }

  /** Removes the temporary file. */
  abandon(): void {
    if (this.#isOpen) closeSync(this.#descriptor);
    this.#isOpen = false;
    rmSync(this.#temporary, { force: true });
  }

  #attempt(work: () => void): void {
    try {
      attempt("write", this.#path, work);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }
}

/** Creates or replaces a file: at any moment it is either the old one or the new one, never a part. @throws FileError */
export function replaceFile(path: string, bytes: Uint8Array): void {
  const file = new AtomicFile(path);
  file.write(bytes);
  file.complete();
  file.publish();
}

/** Writes a new file and flushes it to the disk. @throws FileError */
export function writeFlushed(path: string, bytes: Uint8Array): void {
  attempt("write", path, () => {
    const file = openSync(path, "w");
    try {
      writeAll(file, bytes, null);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

/** Node reads and writes less than 2 GiB at once. */
export const mostAtOnce = 2 ** 30;

/** Writes all bytes, at a position or at the end of what was written before. A pipe that is full is waited for. */
export function writeAll(descriptor: number, bytes: Uint8Array, position: number | null): void {
  for (let done = 0; done < bytes.length; ) {
    const count = Math.min(bytes.length - done, mostAtOnce);
    try {
      done += writeSync(descriptor, bytes, done, count, position === null ? null : position + done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); // ms
    }
  }
}

/**
 * Creates a folder with all its files at once.
 * @param path must not exist
 * @param write replaceable, for tests
 * @throws FileError
 */
export function createFolder(path: string, files: ReadonlyMap<string, Uint8Array>, write = writeFlushed): void {
  const temporary = temporaryName(path);
  try {
    attempt("write", path, () => {
      rmSync(temporary, { recursive: true, force: true });
      mkdirSync(temporary);
    });
    for (const [name, bytes] of files) attempt("write", join(path, name), () => write(join(temporary, name), bytes));
    attempt("write", path, () => {
      flushFolder(temporary);
      renameSync(temporary, path);
    });
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
  attempt("write", path, () => flushFolder(dirname(path)));
}

/** What `replaceFiles` replaces. */
export interface Replacement {
  /** Names of the files and folders in the folder that make room for new ones. */
  readonly names: readonly string[];
  /** The file by which the folder is recognised. It is replaced last, and at no moment missing. */
  readonly marker: string;
  /** Replaceable, for tests. */
  readonly write?: typeof writeFlushed;
}

/**
 * Replaces files and folders in a folder together, and keeps others. All new files are complete before the first is renamed; after an
 * error the folder is as before. Temporary files of killed processes are removed at the end. Only one process may call this for a folder
 * at a time.
 *
 * @param folder  must exist
 * @param files  by path in the folder
 * @throws FileError
 */
export function replaceFiles(
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
  { names, marker, write = writeFlushed }: Replacement,
): void {
  const temporary = temporaryName(join(folder, "files")); // in the folder, because a rename cannot cross disks and the folder may be a mount point
  const [fresh, old] = [join(temporary, "new"), join(temporary, "old")];
  try {
    attempt("write", folder, () => {
      rmSync(temporary, { recursive: true, force: true });
      for (const each of [fresh, old]) makeFolders(each);
    });
    for (const [name, bytes] of files) {
      attempt("write", join(folder, name), () => {
        const place = join(fresh, name);
        makeFolders(dirname(place));
        write(place, bytes);
        flushFolder(dirname(place));
      });
    }
    attempt("write", folder, () => exchange({ folder, fresh, old }, names, marker));
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Otherwise the earlier files could not be renamed back, and are only here.
    if (!existsSync(old) || readdirSync(old).length === 0) rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
  attempt("write", folder, () => removeTemporaries(folder));
}

/** Moves earlier files out of a folder and new ones into it. After an error all are back in their places. */
function exchange(
  { folder, fresh, old }: { readonly folder: string; readonly fresh: string; readonly old: string },
  names: readonly string[],
  marker: string,
): void {
  const moves: [from: string, to: string][] = [];
  const move = (name: string, from: string, to: string): void => {
    if (!lstatSync(join(from, name), { throwIfNoEntry: false })) return;
    renameSync(join(from, name), join(to, name));
    moves.push([join(from, name), join(to, name)]);
  };
  try {
    for (const name of names) {
      move(name, folder, old);
      move(name, fresh, folder);
    }
    flushFolder(folder);
    renameSync(join(fresh, marker), join(folder, marker));
  } catch (error) {
    for (const [from, to] of moves.reverse()) renameSync(to, from);
    throw error;
  }
  flushFolder(folder);
}

/**
 * Removes the temporary files and folders of this process, and those that killed processes of this machine have left. This process may
 * not be writing one.
 */
export function removeTemporaries(folder: string): void {
  for (const name of readdirSync(folder)) {
    const writer = writerOf(name);
    if (writer === undefined || (writer !== process.pid && isRunning(writer))) continue;
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Removes a folder at once: a crash leaves the whole folder or none of it under its name. @throws FileError */
export function removeFolder(path: string): void {
  const temporary = temporaryName(path);
  attempt("write", path, () => {
    rmSync(temporary, { recursive: true, force: true });
    renameSync(path, temporary);
    rmSync(temporary, { recursive: true, force: true });
  });
}

/**
 * Creates a folder and its missing parents. (Node's recursive mkdir never returns where the system refuses, as in /proc.)
 * @returns the created folders, the outermost first; none is left after an error
 * @throws FileError
 */
export function makeFolders(path: string): string[] {
  if (existsSync(path)) return [];
  expectNoLink(path);
  const parent = dirname(path);
  const parents = parent === path ? [] : makeFolders(parent);
  try {
    attempt("write", path, () => mkdirSync(path));
  } catch (error) {
    // Another process may have created it since the check above.
    if (error instanceof FileError && error.code === "EEXIST" && existsSync(path)) return parents;
    removeEmptyFolders(parents);
    throw error;
  }
  return [...parents, path];
}

/** Removes folders from the last to the first. A folder that is not empty, or that the system keeps, stays. */
export function removeEmptyFolders(folders: readonly string[]): void {
  for (const folder of folders.toReversed()) {
    try {
      rmdirSync(folder);
    } catch {
      return; // The folders before this one contain it.
    }
  }
}

/** Checks a path that does not exist, and that is to become a folder. @throws FileError for a symbolic link, which is dangling then */
export function expectNoLink(path: string): void {
  const link = resolve(path); // without the slash at the end, which would follow the link
  attempt("write", path, () => {
    if (!lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) return;
    throw new Error(`a dangling symbolic link to ${readlinkSync(link)}, expected a folder`);
  });
}

/** A rename in a folder survives a power cut only after the folder itself is flushed. */
function flushFolder(path: string): void {
  if (process.platform === "win32") return; // Windows cannot open folders.
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

const MAX_LINKS = 40; // as Linux

/** The path after following symbolic links, which may be dangling. */
function regularTarget(path: string): string {
  let target = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const entry = lstatSync(target, { throwIfNoEntry: false });
    if (entry === undefined || entry.isFile()) return target;
    if (!entry.isSymbolicLink())
      throw new Error(entry.isDirectory() ? "a folder, expected a file" : "not a regular file");
    target = resolve(realpathSync(dirname(target)), readlinkSync(target));
  }
  throw new Error("too many symbolic links");
}
