// The source of a lesson as text: what is cut out of it for the stub, the page, the hints and the solution.
//
//   /*md ... */                        prose in Markdown
//   // BEGIN SOLUTION hint="..."       the learner writes what stands here; in the stub it is a numbered TODO and a throw
//   // END SOLUTION
//   // BEGIN REPAIR ... // END REPAIR  the stub has a mistake here, chosen by the learner's seed
//   // BEGIN CHECK                     from here on the file is for the checker only
import type { Plant } from "./lesson.ts";

export interface Solution {
  /** "5.1": lesson and number within it. */
  readonly number: string;
  readonly hint: string;
  readonly code: string;
}

const begin = /^(\s*)\/\/ BEGIN SOLUTION hint="(.+)"$/;
const end = /^\s*\/\/ END SOLUTION$/;
const checkMark = "\n// BEGIN CHECK\n";

/** The stub of a lesson. @param plant  the mistake in the region to repair */
export function stubOf(source: string, lesson: number, plant?: Plant): string {
  const [text] = splitSolutions(source.split(checkMark)[0]!, lesson);
  return `${(plant ? planted(text, plant) : text).trimEnd()}\n`;
}

/** The solutions of a lesson in their order. */
export const solutionsOf = (source: string, lesson: number): Solution[] => splitSolutions(source, lesson)[1];

/** The text with a TODO in the place of every solution, and the solutions. @throws Error for a region that does not end */
function splitSolutions(source: string, lesson: number): [text: string, solutions: Solution[]] {
  const kept: string[] = [];
  const solutions: Solution[] = [];
  let open: { indent: string; hint: string; code: string[] } | null = null;
  for (const line of source.split("\n")) {
    const opening = begin.exec(line);
    if (opening) {
      if (open) throw new Error(`lesson ${lesson}: a solution begins inside another, expected END SOLUTION`);
      open = { indent: opening[1]!, hint: opening[2]!, code: [] };
    } else if (end.test(line)) {
      if (!open) throw new Error(`lesson ${lesson}: END SOLUTION without BEGIN SOLUTION`);
      const number = `${lesson}.${solutions.length + 1}`;
      const { indent, hint, code } = open;
      solutions.push({ number, hint, code: code.join("\n") });
      kept.push(`${indent}// TODO ${number}: replace the next line`, `${indent}throw new Error("TODO ${number}");`);
      open = null;
    } else if (open) open.code.push(line);
    else kept.push(line);
  }
  if (open) throw new Error(`lesson ${lesson}: a solution does not end, expected END SOLUTION`);
  return [kept.join("\n"), solutions];
}

/** Whether a lesson has a region to repair. */
export const hasRepair = (text: string): boolean => text.includes("\n// BEGIN REPAIR\n");

/** The text with a mistake in its region to repair. @throws Error unless the text of the mistake occurs once in the region */
export function planted(text: string, { name, from, to }: Plant): string {
  const region = /^\/\/ BEGIN REPAIR\n(.*?)^\/\/ END REPAIR$/ms.exec(text)?.[1];
  if (region?.split(from).length !== 2) throw new Error(`plant ${name}: "${from}" occurs not exactly once`);
  return text.replace(region, region.replace(from, to));
}

/** The mistake that a learner's seed chooses. */
export const plantFor = (plants: readonly Plant[] | undefined, seed: string): Plant | undefined =>
  plants?.[hash(seed) % plants.length];

/** A number from a name (FNV-1a). */
export function hash(name: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}

export type Block =
  | { readonly kind: "prose"; readonly text: string }
  | { readonly kind: "code"; readonly text: string };

/** Prose and code of a lesson in their order. The frame of the function `program` is left out, and its code moves to the left. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  const add = (kind: Block["kind"], part: string): void => {
    if (part.trim() !== "") blocks.push({ kind, text: part.replace(/^\n+|\s+$/g, "") });
  };
  const unframed = text.replace(/^export (?:async )?function program\([^\n]*\{\n(.*?)^\}$/ms, (_, body: string) =>
    dedent(body, 2),
  );
  for (const [i, piece] of unframed.split(/^[ ]*\/\*md\n(.*?)\*\/$/ms).entries()) {
    add(i % 2 === 1 ? "prose" : "code", i % 2 === 1 ? dedent(piece, /^ */.exec(piece)![0].length) : piece);
  }
  return blocks;
}

const dedent = (text: string, by: number): string => text.replaceAll(new RegExp(`^ {0,${by}}`, "gm"), "");

/** What the program of a lesson prints, according to its prose: all blocks marked `output`. */
export const printedOutput = (source: string): string =>
  blocksOf(source)
    .filter(({ kind }) => kind === "prose")
    .flatMap(({ text }) => [...text.matchAll(/^```output\n(.*?)^```$/gms)].map(([, output]) => output!))
    .join("");

/** The heading of a lesson: "# 5. Recursion" is "Recursion". @throws Error if there is none */
export function titleOf(source: string): string {
  const title = /^# \d+\. (.+)$/m.exec(source)?.[1];
  if (!title) throw new Error('a lesson has no heading, expected "# 5. Recursion"');
  return title;
}
