// Reading files, writing an output file, and sets of files that appear together. Every error is a FileError with the path.
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { devNull } from "node:os";
import { dirname, resolve } from "node:path";
import { AtomicFile, attempt, makeFolders, mostAtOnce, removeEmptyFolders, writeAll } from "./atomic-files.node.ts";
import { FileError } from "./errors.ts";

/** @throws FileError */
export function readBytes(path: string): Uint8Array {
  return attempt("read", path, () => {
    const { size } = statSync(path);
    return size <= mostAtOnce ? readFileSync(path) : readLarge(path, size);
  });
}

function readLarge(path: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const descriptor = openSync(path, "r");
  try {
    readAt(descriptor, bytes, 0, path);
  } finally {
    closeSync(descriptor);
  }
  return bytes;
}

/** Opens a file for reading. @throws FileError */
export function openFile(path: string): number {
  return attempt("read", path, () => openSync(path, "r"));
}

/** Fills `buffer` with the bytes from `position`. @throws FileError, also if the file ends before */
export function readAt(descriptor: number, buffer: Uint8Array, position: number, path: string): void {
  attempt("read", path, () => {
    for (let done = 0; done < buffer.length; ) {
      const count = readSync(descriptor, buffer, done, Math.min(buffer.length - done, mostAtOnce), position + done);
      if (count === 0) throw new Error(`the file ends at byte ${position + done}, expected more`);
      done += count;
    }
  });
}

/** As a path of an output file, this stands for the standard output. */
export const STANDARD_OUTPUT = "-";

/**
 * Writes the output file that a user names, and creates its folder. A regular file is replaced at once, a symbolic link is
 * followed, a pipe or a character device is written to, and "-" is the standard output.
 * @throws FileError, also for a folder, a block device or a socket
 */
export function writeOutput(path: string, content: Uint8Array | string): void {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  if (isStandardOutput(path)) {
    writeStandardOutput(bytes);
  } else if (isStream(path)) {
    attempt("write", path, () => writeThrough(path, bytes));
  } else {
    const files = new FileSet();
    files.write(path, bytes);
    files.finish();
  }
}

/** Checks before long work that `writeOutput` can begin to write a file, and leaves nothing behind. @throws FileError */
export function checkOutput(path: string): void {
  if (isStandardOutput(path) || isStream(path)) return;
  const files = new FileSet();
  files.open(path);
  files.abandon();
}

/** Whether a path leads to a pipe or a character device. */
function isStream(path: string): boolean {
  const existing = attempt("write", path, () => statOf(path));
  return existing !== undefined && (existing.isFIFO() || existing.isCharacterDevice());
}

/**
 * Whether there is a file or folder. Unlike `existsSync` it does not take one for missing that the system hides from this user.
 * @throws FileError
 */
export const isThere = (path: string): boolean => attempt("read", path, () => statOf(path)) !== undefined;

/** Undefined if there is no such file, or if it is a dangling link. */
function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

/**
 * Whether an output file is the standard output: "-", or a path that leads to the file behind it, as /dev/stdout does. Replacing that
 * file would lose the rest of the output.
 */
export function isStandardOutput(path: string): boolean {
  return (
    path === STANDARD_OUTPUT ||
    isSame(
      attempt("write", path, () => statOf(path)),
      fstatSync(process.stdout.fd),
    )
  );
}

/** Whether two paths lead to the same file, so that writing to one changes what the other contains. */
export function isSameFile(one: string, other: string): boolean {
  if (isStandardOutput(one) || isStandardOutput(other)) return isStandardOutput(one) && isStandardOutput(other);
  const [first, second] = [one, other].map((path) => attempt("read", path, () => statOf(path)));
  return isSame(first, second) || (first === undefined && resolve(one) === resolve(other));
}

/** The null device is never the same: nothing that is written to it can be disturbed. */
const isSame = (one: Stats | undefined, other: Stats | undefined): boolean =>
  isEqual(one, other) && !(one!.isCharacterDevice() && isEqual(one, statOf(devNull)));

const isEqual = (one: Stats | undefined, other: Stats | undefined): boolean =>
  one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;

/** A reader that closes the pipe early, such as `head`, is not an error. */
function writeStandardOutput(bytes: Uint8Array): void {
  try {
    writeAll(process.stdout.fd, bytes, null);
  } catch (error) {
    const problem = new FileError("standard output", "write", error);
    if (problem.code !== "EPIPE") throw problem;
  }
}

function writeThrough(path: string, bytes: Uint8Array): void {
  const descriptor = openSync(path, constants.O_WRONLY);
  try {
    writeAll(descriptor, bytes, null);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Files that appear together: none gets its name before all of them are complete on the disk. After an error of any method the
 * set is abandoned; files that have their names by then are kept. The methods throw FileError.
 */
export class FileSet {
  readonly #files: AtomicFile[] = [];
  /** The folders that were created for every file. */
  readonly #folders: string[][] = [];
  readonly #removed: string[] = [];

  /** Adds a file that is written piece by piece. */
  open(path: string): AtomicFile {
    return this.#attempt(() => {
      this.#folders.unshift(makeFolders(dirname(path)));
      const file = new AtomicFile(path);
      this.#files.push(file);
      return file;
    });
  }

  /** Adds a whole file. */
  write(path: string, content: Uint8Array | string): void {
    const file = this.open(path);
    this.#attempt(() => file.write(typeof content === "string" ? new TextEncoder().encode(content) : content));
  }

  /** Removes a file that does not belong to this set, once all files have their names. A folder of that name is kept. */
  remove(path: string): void {
    this.#removed.push(path);
  }

  /** Gives all files their names, in the order in which they were added. */
  finish(): void {
    this.#attempt(() => {
      for (const file of this.#files) file.complete();
      for (const file of this.#files) file.publish();
      for (const path of this.#removed) attempt("write", path, () => statOf(path)?.isFile() && rmSync(path));
    });
  }

  /** Removes all temporary files, and the created folders that are empty. Files that have their names already are kept. */
  abandon(): void {
    for (const file of this.#files) file.abandon();
    for (const folders of this.#folders) removeEmptyFolders(folders);
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.abandon();
      throw error;
    }
  }
}
