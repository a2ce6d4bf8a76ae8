/** The mistakes a user of src/trm can make, one class per kind. Every message is one line: what, expected what, where. */

/** A puzzle that cannot be read, or has not the solutions it should have. */
export class PuzzleError extends Error {
  override name = "PuzzleError";
}

/** Where in a data file a mistake is; lines and columns count from 1. */
export interface DataPlace {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** A data file that cannot be read. The message begins with the place: `train.csv:3:14: ...`. */
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

/** A setting that does not exist, does not fit, or cannot be fulfilled. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/** A value of a user's file for an error message: quoted, on one line, of bounded length. */
export function quoted(value: unknown, limit = 60): string {
  return shortened(JSON.stringify(value) ?? String(value), limit);
}

/** A foreign text for an error message: on one line, of bounded length, nothing in it that a terminal would obey. */
export function shortened(text: string, limit = 60): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (mark) => `\\u{${mark.codePointAt(0)!.toString(16)}}`);
  return plain.length > limit ? `${plain.slice(0, limit - 3)}...` : plain;
}
