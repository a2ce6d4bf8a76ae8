// The errors of files: one class per kind of mistake, and helpers that make text from a file safe to print. Every message is one
// line: where, what was given, what was expected.
import { kindOf } from "./arguments.ts";

/** A checkpoint or a file of weights is broken, or does not fit the model it is loaded into. */
export class CheckpointError extends Error {
  override name = "CheckpointError";
}

/** A place in a data file. Lines and columns count from 1. */
export interface DataPlace {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** The content of a data file is wrong. The message begins with the place: `train.csv:3:14: ...`. */
export class DatasetError extends Error {
  override name = "DatasetError";
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor(message: string, place: DataPlace = {}) {
    const { file, line, column } = place;
    const where = [file, line, column].filter((part) => part !== undefined).join(":");
    super(where === "" ? message : `${where}: ${message}`);
    this.file = file;
    this.line = line;
    this.column = column;
  }
}

/** What the operating system's error codes mean, in words. */
export const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the disk",
  EDQUOT: "the disk quota is used up",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOENT: "no such file or folder",
  ENOTDIR: "a part of the path is a file, expected a folder",
  EISDIR: "a folder, expected a file",
  EEXIST: "exists already",
  ELOOP: "too many symbolic links",
  EMFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
  EBUSY: "in use by another process",
  EFBIG: "the file would be too large",
  EIO: "input/output error of the disk",
  EPIPE: "the reader has closed the pipe",
};

/** The operating system refuses to read or write a file. The message is `path: cannot read: permission denied`. */
export class FileError extends Error {
  override name = "FileError";
  /** The system's error code, such as "ENOENT", if there is one. */
  readonly code: string | undefined;

  /** @param cause the error of the system call, or a sentence that says why the path is refused */
  constructor(
    readonly path: string,
    action: "read" | "write",
    cause: unknown,
  ) {
    const { code } = Object(cause) as { code?: unknown };
    const known = typeof code === "string" ? SYSTEM_ERRORS[code] : undefined;
    const text = known ?? shortened(cause instanceof Error ? cause.message : String(cause), 160);
    super(`${path}: cannot ${action}: ${text}`, cause instanceof Error ? { cause } : {});
    this.code = typeof code === "string" ? code : undefined;
  }
}

/** A value from a file for an error message: quoted, on one line, at most `limit` characters. */
export function quoted(value: unknown, limit = 60): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = kindOf(value); // nested too deeply, circular, or a BigInt
  }
  return shortened(text, limit);
}

/** Text from a file for an error message: on one line, at most `limit` characters, control characters escaped. */
export function shortened(text: string, limit = 60): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (mark) => `\\u{${mark.codePointAt(0)!.toString(16)}}`);
  return plain.length > limit ? `${plain.slice(0, limit - 3)}...` : plain;
}
