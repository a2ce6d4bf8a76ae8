/** The shell commands of a Markdown file, to be run as they stand, with what a test has in place of a clone and a long run. */
import { readFileSync } from "node:fs";

/** The lines of every block marked `sh`, one list per block. */
export function shellBlocks(path: string): string[][] {
  const blocks = [...readFileSync(path, "utf8").matchAll(/^```sh\n([\s\S]*?)^```$/gm)];
  return blocks.map(([, body]) => body!.trim().split("\n"));
}

/** Words of a line; nothing here is quoted. */
export const wordsOf = (line: string): string[] => line.split(/\s+/);
