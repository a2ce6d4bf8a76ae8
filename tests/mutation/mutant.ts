// A mutant: a small fault that is put into the source, to see whether a test notices it.
import { readFileSync } from "node:fs";
import { projectRoot } from "../source.ts";

export interface Mutant {
  /** What is wrong, in a few words. */
  readonly name: string;
  /** The source file, from the project's root. */
  readonly file: string;
  /** The replaced stretch of the file's text, and the text in its place. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** Test files or folders that should notice it. */
  readonly tests: readonly string[];
}

/** A mutant given by the text that it replaces. @throws Error unless the text occurs exactly once in the file */
export function replacing(
  name: string,
  file: string,
  change: { readonly from: string; readonly to: string },
  tests: readonly string[],
): Mutant {
  const text = readFileSync(`${projectRoot}${file}`, "utf8");
  const start = text.indexOf(change.from);
  if (start < 0 || text.includes(change.from, start + 1)) {
    const count = start < 0 ? "not" : "several times";
    throw new Error(`mutant "${name}": found ${JSON.stringify(change.from)} ${count} in ${file}, expected it once`);
  }
  return { name, file, start, end: start + change.from.length, replacement: change.to, tests };
}

/** The file's text with the fault in it. */
export const mutated = ({ start, end, replacement }: Mutant, text: string): string =>
  text.slice(0, start) + replacement + text.slice(end);
