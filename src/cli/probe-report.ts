// The experiments of `trm probe` as text and as a picture.
import type { Probe, Share, ShareOfRange } from "../trm/index.ts";
import { shownSteps, unlabelledNote } from "./accuracy-table.ts";
import { intervalText, percent, shareText } from "./format.ts";
import type { Chart } from "./plot/charts.ts";
import { plotSvg } from "./plot/svg.ts";

const shareLine = ({ exact, puzzles, interval95 }: Share): string =>
  puzzles === 0 ? "no such puzzles" : `${shareText(exact)} of ${puzzles} (95% interval ${intervalText(interval95)})`;

const number = (value: number | null): string => (value === null ? "-" : value.toFixed(3));

/** @param ratedBy  the meaning of the rating */
export function probeLines(probe: Probe, ratedBy: string): string[] {
  const { unlabelled, steps, exact, oneBlank, monotonicity, drift, q, byClues, byRating } = probe;
  const cell = (count: number): string => String(count).padStart(9);
  const range = (group: ShareOfRange): string =>
    `${(group.from === group.to ? `${group.from}` : `${group.from} to ${group.to}`).padStart(14)}  ${shareLine(group)}`;
  return [
    "   after step  correct",
    ...shownSteps(steps).map((step) => `${String(step).padStart(13)}  ${percent(exact[step - 1]!)}`),
    "",
    `one blank left    ${oneBlank ? shareLine(oneBlank) : "no puzzle has two blanks"}`,
    `stays solved      ${shareLine(monotonicity)}, once solved`,
    "",
    `drift of y: mean |y_t - y_(t-1)| over the last ${drift.window} steps`,
    `settled: a drift below ${drift.threshold}`,
    "            correct    wrong",
    `  settled ${cell(drift.settledCorrect)}${cell(drift.settledWrong)}`,
    `  drifting${cell(drift.driftingCorrect)}${cell(drift.driftingWrong)}`,
    `AUC of drift      ${number(drift.auc)} (0.5: unrelated to correctness, 1: perfect separation)`,
    `AUC of q          ${number(q.auc)}`,
    "",
    `calibration error of q  ${percent(q.calibrationError)}`,
    "   mean sigma(q)  correct",
    ...q.reliability.map((bin) => `${percent(bin.confidence).padStart(16)}  ${shareLine(bin)}`),
    "",
    "   cells given  correct",
    ...byClues.map(range),
    ...(byRating ? ["", `rating: ${ratedBy}`, "        rating  correct", ...byRating.map(range)] : []),
    ...unlabelledNote(unlabelled),
  ];
}

/** Accuracy by step, the reliability curve, and accuracy by clues and by rating. */
export function probeSvg({ exact, oneBlank, q, byClues, byRating }: Probe): string {
  const solid = { dash: [], colour: 0 };
  const dashed = { dash: [8, 4], colour: 1 };
  const groups = (title: string, x: string, shares: readonly ShareOfRange[]): Chart => ({
    title,
    note: "",
    x,
    isShare: true,
    series: [{ name: "correct", ...solid }],
    data: [shares.map(({ from, to }) => (from + to) / 2), shares.map((share) => share.exact)],
  });
  const charts: Chart[] = [
    {
      title: "Puzzles correct after every supervision step",
      note: "",
      x: "supervision step",
      isShare: true,
      series: [{ name: "all puzzles", ...solid }, ...(oneBlank ? [{ name: "with one blank left", ...dashed }] : [])],
      data: [exact.map((_, i) => i + 1), exact, ...(oneBlank ? [oneBlank.byStep] : [])],
    },
    {
      title: "Reliability of q",
      note: "",
      x: "mean of sigma(q) in percent",
      isShare: true,
      series: [
        { name: "correct", ...solid },
        { name: "perfectly calibrated", ...dashed },
      ],
      data: [
        q.reliability.map(({ confidence }) => 100 * confidence),
        q.reliability.map((bin) => bin.exact),
        q.reliability.map(({ confidence }) => confidence),
      ],
    },
    groups("Puzzles correct by cells given", "cells given", byClues),
    ...(byRating ? [groups("Puzzles correct by rating", "rating (middle of the group)", byRating)] : []),
  ];
  return plotSvg(charts, "Probe of a model");
}
