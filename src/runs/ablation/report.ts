// The ablation table: our small-scale measurements next to the published full-scale numbers, with labels that keep the two apart.

import type { ModelConfig } from "../../trm/index.ts";
import type { AblationCell } from "./cell.ts";
import { type AblationRow, changeText } from "./rows.ts";

export interface AblationAbout {
  /** Description of the small-scale task and model. */
  readonly scale: string;
  /** Floating-point operations per cell. */
  readonly budget: number;
  /** Minutes that the row trm needs for them on the machine that measured the budget; undefined if steps determined it. */
  readonly minutes?: number | undefined;
  /** Training steps of the row trm. */
  readonly steps?: number | undefined;
  readonly seeds: number;
}

export interface RowReport {
  readonly key: string;
  readonly name: string;
  /** Settings in which the row differs from the row trm. */
  readonly change: string;
  /** Measured results; null before the first cell is finished. */
  readonly oursSmallScale: {
    readonly exactPercent: {
      readonly mean: number;
      readonly deviation: number | null;
      readonly bySeed: readonly number[];
    };
    /** Seeds whose training diverged. Their answers count as they are, so that a row that often diverges has a low mean. */
    readonly divergedSeeds: readonly number[];
    readonly steps: number;
    /** Floating-point operations of a training, summed over its steps. */
    readonly flops: number;
    readonly parameters: number;
  } | null;
  readonly paperFullScale: {
    readonly exactPercent: number;
    readonly settings: string | null;
    readonly task: string;
    readonly quoted: true;
  };
}

const paperScale = "Sudoku-Extreme 9x9, D 512, about 36 h on one L40S (arXiv 2510.04871, table 1)";

export function reportRow(row: AblationRow, base: ModelConfig, cells: readonly AblationCell[]): RowReport {
  const { key, name, publishedAs = null, publishedPercent } = row;
  const own = cells.filter((cell) => cell.row === key).sort((a, b) => a.seed - b.seed);
  const percents = own.map(({ exact }) => 100 * exact);
  return {
    key,
    name,
    change: changeText(row, base),
    oursSmallScale: own[0]
      ? {
          exactPercent: { ...spread(percents), bySeed: percents },
          divergedSeeds: own.filter(({ diverged }) => diverged).map(({ seed }) => seed),
          steps: own[0].steps,
          flops: own[0].flops,
          parameters: own[0].parameters,
        }
      : null,
    paperFullScale: {
      exactPercent: publishedPercent,
      settings: publishedAs,
      task: row.publishedIn === undefined ? paperScale : `Sudoku-Extreme 9x9 (${row.publishedIn})`,
      quoted: true,
    },
  };
}

/** The sources of the quoted numbers that are not from the paper. */
function rowsFromElsewhere(rows: readonly RowReport[]): string[] {
  const others = rows.filter(({ paperFullScale }) => paperFullScale.task !== paperScale);
  if (others.length === 0) return [];
  const lines = others.map(({ name, paperFullScale }) => `  ${name.padEnd(22)} ${paperFullScale.task}`);
  return ["", "quoted from other publications:", ...lines];
}

/** The trainings that diverged. */
function divergedTrainings(rows: readonly RowReport[]): string[] {
  const lines = rows.flatMap(({ name, oursSmallScale: ours }) =>
    ours?.divergedSeeds.length ? [`  ${name.padEnd(22)} seed ${ours.divergedSeeds.join(", ")}`] : [],
  );
  return lines.length === 0 ? [] : ["", "diverged trainings, whose answers count as they are:", ...lines];
}

/** Mean and standard deviation of a sample. The deviation of a single number is null. */
export function spread(values: readonly number[]): { mean: number; deviation: number | null } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, deviation: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

export function ablationTable(about: AblationAbout, rows: readonly RowReport[]): string[] {
  const { scale, budget, minutes, steps, seeds } = about;
  const effort = steps === undefined ? `${minutes} min` : `${steps.toLocaleString("en-US")} steps`;
  const line = ({ name, oursSmallScale: ours, paperFullScale: paper }: RowReport): string => {
    const measured = ours
      ? [
          `${ours.exactPercent.mean.toFixed(1)}%`.padStart(8),
          (ours.exactPercent.deviation === null ? "" : `± ${ours.exactPercent.deviation.toFixed(1)}`).padStart(8),
          `${ours.exactPercent.bySeed.length}/${seeds}`.padStart(7),
          ours.steps.toLocaleString("en-US").padStart(9),
          ours.flops.toExponential(2).padStart(12),
          ours.parameters.toLocaleString("en-US").padStart(12),
        ].join("")
      : "       -".padEnd(56);
    return `${name.padEnd(22)}|${measured} |${`${paper.exactPercent.toFixed(1)}%`.padStart(8)}  ${paper.settings ?? ""}`.trimEnd();
  };
  return [
    "Two different experiments side by side. Compare the order of the rows, never the numbers of the two sides.",
    `  left   MEASURED HERE at small scale: ${scale}`,
    `         ${budget.toExponential(2)} floating-point operations of training per row and seed (${effort} of the row trm)`,
    `  right  QUOTED from the paper at full scale: ${paperScale}`,
    "",
    `${"".padEnd(22)}|${" ours, small scale, measured".padEnd(56)} | paper, full scale, quoted`,
    `${"row".padEnd(22)}|   exact  spread  seeds    steps  operations  parameters |   exact`,
    `${"-".repeat(22)}+${"-".repeat(57)}+${"-".repeat(27)}`,
    ...rows.map(line),
    ...divergedTrainings(rows),
    "",
    "changes per row:",
    ...rows.filter(({ change }) => change !== "").map(({ name, change }) => `  ${name.padEnd(22)} ${change}`),
    ...rowsFromElsewhere(rows),
  ];
}
