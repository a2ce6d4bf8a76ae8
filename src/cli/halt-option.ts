// The option `--halt`: how many supervision steps an evaluation runs for a puzzle.
import { InvalidArgumentError, Option } from "commander";
import { decimal } from "./options.ts";

export interface Halt {
  /** Stop a puzzle when q says halt by more than this margin; null: run all steps. */
  readonly threshold: number | null;
  /** Maximum number of steps; null: as in training. */
  readonly steps: number | null;
}

export const haltOption = (): Option =>
  new Option(
    "--halt <how>",
    "fixed: run as many steps as in training; steps=64: run 64 steps; q: stop a puzzle when q > 0 (q=2: when q > 2); q,steps=64: stop when q > 0, at the latest after 64 steps",
  )
    .argParser(parseHalt)
    .default({ threshold: null, steps: null } satisfies Halt, "fixed");

export function parseHalt(text: string): Halt {
  let halt: Halt = { threshold: null, steps: null };
  const parts = text.split(",").map((part) => /^(q|fixed|steps)(?:=(.+))?$/.exec(part.trim()) ?? []);
  const counted = parts.filter(([, name]) => name === "steps").length;
  if (counted > 1 || parts.length - counted > 1) {
    throw new InvalidArgumentError("Expected q or fixed and steps=N once each, such as q=2,steps=64.");
  }
  for (const [, name, value] of parts) {
    const number = decimal(value ?? "");
    if (name === "fixed" && value === undefined) continue;
    if (name === "q" && value === undefined) halt = { ...halt, threshold: 0 };
    else if (name === "q" && !Number.isNaN(number)) halt = { ...halt, threshold: number };
    else if (name === "steps" && Number.isInteger(number) && number >= 1 && number <= 100_000) {
      halt = { ...halt, steps: number };
    } else throw new InvalidArgumentError("Expected q, fixed, q=NUMBER, steps=N, or two of them such as q=2,steps=64.");
  }
  return halt;
}
