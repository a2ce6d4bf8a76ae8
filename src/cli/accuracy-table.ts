// An evaluation as a table.
import type { Evaluation } from "../trm/index.ts";
import { counted, percent } from "./format.ts";

/** One row per supervision step; of many steps, the powers of two and the last. */
export function accuracyTable({ unlabelled, exact, cell, interval95, meanHaltStep }: Evaluation): string[] {
  const last = exact.length;
  const steps = exact.map((_, index) => index + 1).filter((step) => step === last || Number.isInteger(Math.log2(step)));
  const row = (step: number): string =>
    `${String(step).padStart(16)} ${percent(exact[step - 1]!).padStart(16)} ${percent(cell[step - 1]!).padStart(14)}`;
  const [low, high] = interval95;
  return [
    "supervision step  puzzles correct  cells correct",
    ...steps.map(row),
    `95% interval of the last step: ${percent(low)} to ${percent(high)}`,
    `q says halt after ${meanHaltStep.toFixed(1)} steps on average`,
    ...unlabelledNote(unlabelled),
  ];
}

/** Puzzles without labels have no accuracy, so they are left out of all figures. */
export const unlabelledNote = (unlabelled: number): string[] =>
  unlabelled === 0 ? [] : [`${counted(unlabelled, "puzzle")} without labels: not counted`];
