// The options of `npm run bench`.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

export const sectionNames = ["peak", "steps", "growth", "profile", "reference"] as const;
export type SectionName = (typeof sectionNames)[number];
export const configNames = ["sudoku9", "sudoku4", "maze_attention", "paper_sudoku"] as const;
export type ConfigName = (typeof configNames)[number];

/** The report of a complete session. */
export const resultsPath = "bench/RESULTS.md";

export interface BenchOptions {
  readonly sections: readonly SectionName[];
  readonly configs: readonly ConfigName[];
  readonly threads: readonly number[];
  /** Timed turns of each pair. */
  readonly turns: number;
  readonly quick: boolean;
  readonly backend: string | undefined;
  /** The given options, except those that select the parts and the output file. */
  readonly given: readonly string[];
  /** File for the report; null: print it only. */
  readonly out: string | null;
}

export const usage = `npm run bench -- [options]
  --sections LIST   some of ${sectionNames.join(", ")} (default: all)
  --configs LIST    some of ${configNames.join(", ")} (default: all)
  --threads LIST    numbers of threads (default: 1, and 2 if the machine has two processors)
  --turns N         maximum number of timed turns of each pair (default: 15; a pair gets about a minute, but at least 3 turns)
  --quick           3 turns, no slow peers, fewer points
  --backend NAME    reference or wasm (default: wasm)
  --out FILE        file for the report (default: ${resultsPath} for a complete session without --quick, else none)
  --resume          continues an interrupted session with its options`;

/** Whether --resume is given, which excludes all other options. @throws Error if there are others */
export function isResume(args: readonly string[]): boolean {
  if (!args.includes("--resume")) return false;
  if (args.length === 1) return true;
  throw new Error(
    `--resume: got "${args.join(" ")}", expected no other option: the options of the interrupted session apply`,
  );
}

/** @throws Error with the expected values */
export function parseBenchOptions(args: readonly string[], cores = availableParallelism()): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sections: { type: "string" },
      configs: { type: "string" },
      threads: { type: "string" },
      turns: { type: "string" },
      quick: { type: "boolean", default: false },
      backend: { type: "string" },
      out: { type: "string" },
    },
  });
  const quick = values.quick;
  const sections = listOf("sections", values.sections, sectionNames);
  const configs = listOf("configs", values.configs, configNames);
  const threads = values.threads?.split(",").map((text) => wholeNumber("threads", text)) ?? [1, 2];
  const usualTurns = quick ? 3 : 15;
  const turns = values.turns === undefined ? usualTurns : wholeNumber("turns", values.turns);
  const isComplete = !quick && sections.length === sectionNames.length && configs.length === configNames.length;
  const given = (["threads", "turns", "quick", "backend"] as const).flatMap((name) => {
    const value = values[name];
    if (value === undefined || value === false) return [];
    return [value === true ? `--${name}` : `--${name} ${value}`];
  });
  return {
    given,
    sections,
    configs,
    threads: threads.filter((count) => values.threads !== undefined || count <= cores),
    turns,
    quick,
    backend: values.backend,
    out: values.out ?? (isComplete ? resultsPath : null),
  };
}

function listOf<T extends string>(name: string, text: string | undefined, all: readonly T[]): readonly T[] {
  if (text === undefined) return all;
  return text.split(",").map((part) => {
    const found = all.find((one) => one === part);
    if (!found) throw new Error(`--${name}: got "${part}", expected some of ${all.join(", ")}`);
    return found;
  });
}

/** A whole number, at least 1, of an option. @throws Error */
export function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name}: got "${text}", expected a whole number, at least 1`);
}
