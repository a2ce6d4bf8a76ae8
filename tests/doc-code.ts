// Takes the code out of a page of documentation, so that a test can run it.
import { readFileSync } from "node:fs";
import { projectRoot } from "./source.ts";

export interface DocCode {
  /** All blocks marked ts, one after another. */
  readonly code: string;
  /** All blocks marked text: what the code prints. */
  readonly output: string;
}

export function docCode(path: string): DocCode {
  const page = readFileSync(projectRoot + path, "utf8");
  const blocks = (language: string): string =>
    [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map((match) => match[1]).join("\n");
  return { code: blocks("ts"), output: blocks("text").replaceAll(/\n+/g, "\n").trim() };
}
