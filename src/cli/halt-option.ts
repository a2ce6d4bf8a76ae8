// `--halt`: how long an evaluation goes on with a puzzle.
import { InvalidArgumentError, Option } from "commander";

export interface Halt {
  /** Stop a puzzle when q says so by more than this; null: never before the last step. */
  readonly threshold: number | null;
  /** Steps at most; null: as many as were trained. */
  readonly steps: number | null;
}

export const haltOption = (): Option =>
  new Option(
    "--halt <how>",
    "fixed: all steps; q: stop a puzzle when q says so (q=0.5: by more than 0.5); steps=64: up to so many; or both, q,steps=64",
  )
    .argParser(parseHalt)
    .default({ threshold: null, steps: null } satisfies Halt, "fixed");

export function parseHalt(text: string): Halt {
  let halt: Halt = { threshold: null, steps: null };
  for (const part of text.split(",")) {
    const [, name, value] = /^(q|fixed|steps)(?:=(.+))?$/.exec(part.trim()) ?? [];
    const number = Number(value);
    if (name === "fixed" && value === undefined) continue;
    if (name === "q" && value === undefined) halt = { ...halt, threshold: 0 };
    else if (name === "q" && Number.isFinite(number)) halt = { ...halt, threshold: number };
    else if (name === "steps" && Number.isInteger(number) && number >= 1 && number <= 100_000) {
      halt = { ...halt, steps: number };
    } else throw new InvalidArgumentError("Expected q, fixed, steps=N, or q,steps=N.");
  }
  return halt;
}
