// What `npm run bench` is asked to do.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

export const sectionNames = ["peak", "steps", "growth", "profile", "reference"] as const;
export type SectionName = (typeof sectionNames)[number];
export const configNames = ["sudoku9", "sudoku4", "maze_attention", "paper_sudoku"] as const;
export type ConfigName = (typeof configNames)[number];

export interface BenchOptions {
  readonly sections: readonly SectionName[];
  readonly configs: readonly ConfigName[];
  readonly threads: readonly number[];
  /** Timed turns of every pair. */
  readonly turns: number;
  readonly quick: boolean;
  readonly backend: string | undefined;
  /** The options that were given, without what says which parts to run and where the report goes. */
  readonly given: readonly string[];
  /** Where the report goes; null: only to the terminal. */
  readonly out: string | null;
}

export const usage = `npm run bench -- [options]
  --sections LIST   of ${sectionNames.join(", ")} (all)
  --configs LIST    of ${configNames.join(", ")} (all)
  --threads LIST    numbers of threads (1 and 2, as far as the machine has them)
  --turns N         timed turns of every pair, at most (15; at least 3, for about a minute)
  --quick           3 turns, no slow peers, fewer points
  --backend NAME    reference or wasm (wasm)
  --out FILE        where the report goes (bench/RESULTS.md, if all sections are made and not --quick)
  --resume          goes on with a run that was stopped, with its options`;

/** The one option that the others may not stand beside. @throws Error if they do */
export function isResume(args: readonly string[]): boolean {
  if (!args.includes("--resume")) return false;
  if (args.length === 1) return true;
  throw new Error(`--resume: got "${args.join(" ")}", expected no other option: the stopped run's are taken`);
}

/** @throws Error that says what was expected */
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
  const turns = values.turns === undefined ? (quick ? 3 : 15) : wholeNumber("turns", values.turns);
  const isWhole = !quick && sections.length === sectionNames.length && configs.length === configNames.length;
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
    out: values.out ?? (isWhole ? "bench/RESULTS.md" : null),
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

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name}: got "${text}", expected a whole number, at least 1`);
}
