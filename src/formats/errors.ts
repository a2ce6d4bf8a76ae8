// The errors of files: one class per kind of mistake, and helpers that make foreign text safe to print. Every message is one
// line: where, what was given, what was expected.

/** A checkpoint is broken or does not fit the model it is loaded into. */
export class CheckpointError extends Error {
  override name = "CheckpointError";
}

/** The place of a mistake in a data file; lines and columns count from 1. */
export interface DataPlace {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** A data file cannot be read or written. The message begins with the place: `train.csv:3:14: ...`. */
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

/** A value from a file for an error message: quoted, on one line, at most `limit` characters. */
export function quoted(value: unknown, limit = 60): string {
  return shortened(JSON.stringify(value) ?? String(value), limit);
}

/** Foreign text for an error message: on one line, at most `limit` characters, control characters escaped. */
export function shortened(text: string, limit = 60): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (mark) => `\\u{${mark.codePointAt(0)!.toString(16)}}`);
  return plain.length > limit ? `${plain.slice(0, limit - 3)}...` : plain;
}
