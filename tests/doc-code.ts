// Takes the code out of a page of documentation, so that a test can run it.
import { readFileSync } from "node:fs";
import { projectRoot } from "./source.ts";

export interface DocCode {
  /** All blocks marked ts, one after another. */
  readonly code: string;
  /** All blocks marked text: what the code prints. */
  readonly output: string;
}

/** The fenced blocks of one language in a page. */
export const codeBlocks = (path: string, language: string): string[] =>
  [...readFileSync(projectRoot + path, "utf8").matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(
    ([, block]) => block!,
  );

export function docCode(path: string): DocCode {
  return {
    code: codeBlocks(path, "ts").join("\n"),
    output: codeBlocks(path, "text").join("\n").replaceAll(/\n+/g, "\n").trim(),
  };
}
