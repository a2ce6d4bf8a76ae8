/** Files: every failure is one line that names the file, and nothing half-written takes a finished file's place. */
import { closeSync, fsyncSync, openSync, readFileSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolders } from "../atomic-files.node.ts";
import { DatasetError, shortened } from "../errors.ts";

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
  const file = new FileWriter(path);
  file.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  file.finish();
}

/** A file that is written piece by piece and appears under its name only when finished. */
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

  /** @throws DatasetError */
  finish(): void {
    this.#attempt(() => {
      fsyncSync(this.#descriptor);
      closeSync(this.#descriptor);
      this.#open = false;
      renameSync(this.#temporary, this.#path);
    });
  }

  /** Gives up: nothing stays behind. */
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
