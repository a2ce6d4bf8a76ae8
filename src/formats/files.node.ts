/** Files: every failure is one line that names the file, and nothing half-written takes a finished file's place. */
import { closeSync, fsyncSync, openSync, readFileSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolders } from "./atomic-files.node.ts";
import { DatasetError, shortened } from "./errors.ts";

/** @throws DatasetError */
export function readBytes(path: string): Uint8Array {
  return attempt("cannot read", path, () => readFileSync(path));
}

/** Reads `buffer.length` bytes from `position`. @throws DatasetError if the file ends before. */
export function readAt(descriptor: number, buffer: Uint8Array, position: number, path: string): void {
  attempt("cannot read", path, () => {
    for (let done = 0; done < buffer.length; ) {
      const count = readSync(descriptor, buffer, done, buffer.length - done, position + done);
      if (count === 0) throw new Error(`ends at byte ${position + done}, expected more`);
      done += count;
    }
  });
}

/** Opens for reading. @throws DatasetError */
export function openFile(path: string): number {
  return attempt("cannot open", path, () => openSync(path, "r"));
}

/** Writes beside the target, flushes, renames; makes the folder. @throws DatasetError */
export function writeWhole(path: string, bytes: Uint8Array | string): void {
  const files = new FileSet();
  files.write(path, bytes);
  files.finish();
}

/**
 * Files that take their places together: none appears under its name before every one is whole on the disk. What these methods
 * throw is a DatasetError, and the set is abandoned then.
 */
export class FileSet {
  readonly #files: FileWriter[] = [];

  /** A file of the set, to be written piece by piece. */
  open(path: string): FileWriter {
    return this.#attempt(() => {
      const file = new FileWriter(path);
      this.#files.push(file);
      return file;
    });
  }

  /** A file of the set, all of it. */
  write(path: string, bytes: Uint8Array | string): void {
    const file = this.open(path);
    this.#attempt(() => file.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes));
  }

  /** In the order in which they were opened. */
  finish(): void {
    this.#attempt(() => {
      for (const file of this.#files) file.complete();
      for (const file of this.#files) file.publish();
    });
  }

  /** Gives up: nothing stays behind of what has not taken its place. */
  abandon(): void {
    for (const file of this.#files) file.abandon();
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

/** A file that is written piece by piece beside its place, with what it needs to take it. */
export class FileWriter {
  readonly #path: string;
  readonly #temporary: string;
  readonly #descriptor: number;
  #open = true;

  /** @throws DatasetError */
  constructor(path: string) {
    this.#path = path;
    this.#temporary = `${path}.tmp-${process.pid}`;
    this.#descriptor = attempt("cannot write", path, () => {
      makeFolders(dirname(path));
      return openSync(this.#temporary, "w");
    });
  }

  /** @param position where; default: after what was written last. @throws DatasetError, after removing the piece. */
  write(bytes: Uint8Array, position: number | null = null): void {
    this.#attempt(() => {
      for (let done = 0; done < bytes.length; ) {
        const at = position === null ? null : position + done;
        done += writeSync(this.#descriptor, bytes, done, bytes.length - done, at);
      }
    });
  }

  /** All is written; flushes. @throws DatasetError, after removing the piece. */
  complete(): void {
    this.#attempt(() => {
      fsyncSync(this.#descriptor);
      closeSync(this.#descriptor);
      this.#open = false;
    });
  }

  /** Takes its place, after `complete`. @throws DatasetError, after removing the piece. */
  publish(): void {
    this.#attempt(() => renameSync(this.#temporary, this.#path));
  }

  /** Gives up: the piece is removed. */
  abandon(): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
    rmSync(this.#temporary, { force: true });
  }

  #attempt(work: () => void): void {
    try {
      attempt("cannot write", this.#path, work);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }
}

function attempt<T>(what: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new DatasetError(`${what}: ${shortened(error instanceof Error ? error.message : String(error), 160)}`, {
      file: path,
    });
  }
}
