// An evaluation as a table.
import type { Evaluation } from "../trm/index.ts";
import { counted, intervalText, percent } from "./format.ts";

/** One row per shown supervision step. */
export function accuracyTable(evaluation: Evaluation): string[] {
  const { unlabelled, exact, cell, interval95 } = evaluation;
  const row = (step: number): string =>
    `${String(step).padStart(16)} ${percent(exact[step - 1]!).padStart(16)} ${percent(cell[step - 1]!).padStart(14)}`;
  return [
    "supervision step  puzzles correct  cells correct",
    ...shownSteps(exact.length).map(row),
    `95% interval of the last step: ${intervalText(interval95)}`,
    haltText(evaluation),
    ...unlabelledNote(unlabelled),
  ];
}

/** Of the steps 1, 2, ..., last: the powers of two and the last. */
export const shownSteps = (last: number): number[] =>
  Array.from({ length: last }, (_, index) => index + 1).filter(
    (step) => step === last || Number.isInteger(Math.log2(step)),
  );

function haltText({ puzzles, haltCounts, meanHaltStep }: Evaluation): string {
  const halted = haltCounts.reduce((sum, count) => sum + count, 0);
  if (halted === 0) return "q never says halt";
  if (halted === puzzles) return `q says halt after ${meanHaltStep.toFixed(1)} steps on average`;
  const steps = haltCounts.reduce((sum, count, index) => sum + count * (index + 1), 0);
  return `q says halt for ${percent(halted / puzzles)} of the puzzles, after ${(steps / halted).toFixed(1)} steps on average`;
}

/** Puzzles without labels have no accuracy, so they are left out of all figures. */
export const unlabelledNote = (unlabelled: number): string[] =>
  unlabelled === 0 ? [] : [`${counted(unlabelled, "puzzle")} without labels: not counted`];
