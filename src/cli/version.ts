// The name and version of this package, and how its user starts the command line.
import { readFileSync } from "node:fs";
import * as z from "zod/mini";

const packageFile = new URL("../../package.json", import.meta.url);
const { name, version: installed } = z
  .object({ name: z.string(), version: z.string() })
  .parse(JSON.parse(readFileSync(packageFile, "utf8")));

export const version = installed;

/** "trm-ts 0.1.0", as checkpoints record it. */
export const madeBy = `${name} ${version}`;

/** Starts the command line, both in a clone and in a project that has installed the package. */
export const invocation = "npx trm";

/** The command line of this process, in a form that a shell accepts. */
export function commandLine(): string {
  return [invocation, ...process.argv.slice(2).map(shellWord)].join(" ");
}

const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** A path as a word of a command line: quoted if the shell requires it, and never mistaken for an option. */
export const shellPath = (path: string): string => shellWord(path.startsWith("-") ? `./${path}` : path);
