// Extracts the shell commands of a Markdown file, so that a test can run them.
import { readFileSync } from "node:fs";

/** The lines of each code block marked `sh`, one list per block. */
export function shellBlocks(path: string): string[][] {
  const blocks = [...readFileSync(path, "utf8").matchAll(/^```sh\n([\s\S]*?)^```$/gm)];
  return blocks.map(([, body]) => body!.trim().split("\n"));
}

/** The words of a line. Quotes are not supported. */
export const wordsOf = (line: string): string[] => line.split(/\s+/);
