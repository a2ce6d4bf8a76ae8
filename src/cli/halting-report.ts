// Evaluations with halting as tables and as a picture: accuracy against compute.
import type { HaltingEvaluation, SweepPoint } from "../trm/index.ts";
import { unlabelledNote } from "./accuracy-table.ts";
import { intervalText, percent } from "./format.ts";

export function haltingTable({
  unlabelled,
  exact,
  cell,
  interval95,
  exitSteps,
  meanSteps,
  computeSaved,
}: HaltingEvaluation): string[] {
  const stopped: number[] = []; // number of puzzles that stopped after step 1, 2, ...
  for (const step of exitSteps) {
    while (stopped.length < step) stopped.push(0);
    stopped[step - 1]!++;
  }
  const row = (step: number): string =>
    `${String(step).padStart(11)} ${String(stopped[step - 1]).padStart(8)}  ${bar(stopped[step - 1]! / exitSteps.length)}`;
  return [
    `puzzles correct  ${percent(exact)} (95% interval ${intervalText(interval95)})`,
    `cells correct    ${percent(cell)}`,
    `mean steps       ${meanSteps.toFixed(2)} supervision steps, ${percent(computeSaved)} of the compute saved`,
    ...unlabelledNote(unlabelled),
    "",
    "stops after  puzzles",
    ...stopped
      .map((_, index) => index + 1)
      .filter((step) => stopped[step - 1]! > 0)
      .map(row),
  ];
}

export function sweepTable(points: readonly SweepPoint[]): string[] {
  return [
    "stop when q >  puzzles correct  mean steps  compute saved",
    ...points.map(
      ({ threshold, exact, meanSteps, computeSaved }) =>
        `${thresholdText(threshold).padStart(13)} ${percent(exact).padStart(16)} ${meanSteps.toFixed(2).padStart(11)} ${percent(computeSaved).padStart(14)}  ${bar(exact)}`,
    ),
  ];
}

const thresholdText = (threshold: number): string => {
  if (Number.isFinite(threshold)) return String(threshold);
  return threshold < 0 ? "at once" : "never";
};

const bar = (share: number): string => "█".repeat(Math.round(20 * share));

/** JSON has no infinity, so the infinite thresholds become the texts "-Infinity" and "Infinity". */
export const sweepJson = (points: readonly SweepPoint[]) =>
  points.map(({ threshold, ...rest }) => ({
    threshold: Number.isFinite(threshold) ? threshold : String(threshold),
    ...rest,
  }));

const size = { width: 640, height: 400, margin: 56 };

/** Accuracy over compute with one dot per threshold. */
export function sweepSvg(points: readonly SweepPoint[]): string {
  const { width, height, margin } = size;
  const most = Math.max(...points.map(({ meanSteps }) => meanSteps));
  const x = (steps: number): number => margin + (steps / most) * (width - 2 * margin);
  const y = (share: number): number => height - margin - share * (height - 2 * margin);
  const line = points.map(({ meanSteps, exact }) => `${x(meanSteps).toFixed(1)},${y(exact).toFixed(1)}`).join(" ");
  const dots = points.map(
    ({ threshold, meanSteps, exact }) =>
      `<circle cx="${x(meanSteps).toFixed(1)}" cy="${y(exact).toFixed(1)}" r="4"><title>q &gt; ${thresholdText(threshold)}: ${percent(exact)} correct, ${meanSteps.toFixed(2)} steps</title></circle>`,
  );
  const gridLines = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line x1="${margin}" x2="${width - margin}" y1="${y(share)}" y2="${y(share)}" stroke="#ddd"/><text x="${margin - 8}" y="${y(share) + 4}" text-anchor="end">${100 * share}%</text>`,
  );
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<text x="${x(share * most)}" y="${height - margin + 20}" text-anchor="middle">${(share * most).toFixed(1)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img">
<title>Accuracy over compute for several thresholds of q</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${gridLines.join("\n")}
${ticks.join("\n")}
<text x="${width / 2}" y="${height - 12}" text-anchor="middle">supervision steps per puzzle (mean)</text>
<text x="16" y="${height / 2}" text-anchor="middle" transform="rotate(-90 16 ${height / 2})">puzzles correct</text>
<polyline points="${line}" fill="none" stroke="#2563eb" stroke-width="2"/>
<g fill="#2563eb">${dots.join("")}</g>
</svg>
`;
}
