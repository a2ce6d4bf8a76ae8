// Evaluations with rollouts as a table, as JSON and as a picture.

import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type PairedDifference,
  type RolloutEvaluation,
  type RolloutSelection,
  type RolloutSettings,
  rolloutSelections,
} from "../trm/index.ts";
import { unlabelledNote } from "./accuracy-table.ts";
import { UsageError } from "./explain.ts";
import { intervalText, percent, points } from "./format.ts";
import { decimal, flagOf, wholeNumber } from "./options.ts";
import type { Chart } from "./plot/charts.ts";
import { plotSvg } from "./plot/svg.ts";

/** The options of the command line. */
export interface RolloutChoice {
  readonly rollouts?: number;
  readonly sigma: number;
  readonly select: RolloutSelection;
  readonly noiseSeed: number;
  readonly randomStarts?: boolean;
}

/** @param noiseSeed  what the seed determines */
export const rolloutOptions = (noiseSeed = "seed of the noise"): Option[] => [
  new Option("--rollouts <n>", "answer every puzzle n times with noise on z").argParser(wholeNumber(1, 100_000)),
  new Option("--sigma <s>", "standard deviation of the noise").argParser(deviation).default(0.3),
  new Option(
    "--select <how>",
    "rollout that answers: q, the one with the highest q; mode, one with the most frequent answer; residual, the one whose logits change least in its last steps",
  )
    .choices(rolloutSelections)
    .default("q"),
  new Option(
    "--random-starts",
    "rollouts: start from random y and z, as EqR does (with --sigma 0 this is the only noise)",
  ),
  new Option("--noise-seed <n>", noiseSeed).argParser(wholeNumber(0)).default(0),
];

/** Larger deviations make no sense for latents of magnitude 1, and near the end of float32 all answers would be NaN. */
const maxSigma = 1000;

function deviation(text: string): number {
  const value = decimal(text);
  if (value >= 0 && value <= maxSigma) return value;
  throw new InvalidArgumentError(`Expected a number from 0 to ${maxSigma}.`);
}

/** @param used  options that the command uses without --rollouts @throws UsageError if another one is given without --rollouts */
export function expectNoRolloutOption(command: Command, used: readonly string[] = []): void {
  const alone = ["sigma", "select", "noiseSeed", "randomStarts"].find(
    (name) => command.getOptionValueSource(name) === "cli" && !used.includes(name),
  );
  if (alone === undefined) return;
  throw new UsageError(`${command.name()}: ${flagOf(alone)} requires --rollouts`);
}

/** The settings of the rollouts; undefined without --rollouts. */
export const rolloutSettings = ({
  rollouts,
  sigma,
  noiseSeed,
  randomStarts,
}: RolloutChoice): RolloutSettings | undefined =>
  rollouts === undefined ? undefined : { rollouts, sigma, noiseSeed, randomStarts };

const figureOf = { q: "bestQ", mode: "mode", residual: "residual" } as const;
const nameOf = { q: "best-q", mode: "mode", residual: "residual" } as const;

/** @param seconds  time that the evaluation took */
export function rolloutTable(evaluation: RolloutEvaluation, select: RolloutSelection, seconds: number): string[] {
  const { puzzles, unlabelled, rollouts, sigma, steps, deterministic, interval95 } = evaluation;
  const figures = ["bestQ", "mode", "residual", "passAtK", "expectedPassAtK"] as const;
  const row = (k: string): string =>
    k.padStart(5) +
    figures.map((name) => percent(evaluation[name][k]!).padStart(10)).join("") +
    String(Number(k) * steps).padStart(12);
  const [all, chosen] = [String(rollouts), figureOf[select]];
  const range = (interval: readonly [low: number, high: number]): string => `95% interval ${intervalText(interval)}`;
  const made = (rollouts + 1) * steps * puzzles;
  return [
    `deterministic  ${percent(deterministic)} of ${puzzles} puzzles correct (${range(interval95.deterministic)})`,
    `${`${nameOf[select]}@${all}`.padEnd(14)} ${percent(evaluation[chosen][all]!)} (${range(interval95[chosen][all]!)})`,
    `difference     ${differenceText(differenceOf(evaluation, select), evaluation.againstDeterministic[select])}`,
    `${`pass@${all}`.padEnd(14)} ${percent(evaluation.passAtK[all]!)} (${range(interval95.passAtK[all]!)})`,
    "",
    "    K    best-q      mode  residual    pass@K  expected  recursions",
    ...Object.keys(evaluation.passAtK).map(row),
    `sigma ${sigma}, ${steps} supervision steps; recursions: deep recursions per puzzle`,
    "pass@K: at least one of the first K rollouts is correct (an oracle)",
    "expected: pass@K, as the mean over all choices of K rollouts",
    `cost: ${made.toLocaleString("en-US")} deep recursions in ${seconds.toFixed(1)} s`,
    ...unlabelledNote(unlabelled),
  ];
}

/** Share that the answers of all rollouts solve, minus the share that the model solves without noise. */
const differenceOf = (evaluation: RolloutEvaluation, select: RolloutSelection): number =>
  evaluation[figureOf[select]][evaluation.rollouts]! - evaluation.deterministic;

/** How two ways to answer the same puzzles differ: "+21.7 points (95% interval +16.7 to +26.4; 67 gained, 2 lost)" */
export function differenceText(
  difference: number,
  { gained, lost, difference95: [low, high] }: PairedDifference,
): string {
  const interval = `95% interval ${points(low)} to ${points(high)}`;
  return `${points(difference)} points (${interval}; ${gained} gained, ${lost} lost)`;
}

/** Plain data for `--json`. */
export function rolloutJson(evaluation: RolloutEvaluation) {
  const { puzzles, rollouts, sigma, steps, deterministic, passAtK, bestQ, mode, residual, interval95 } = evaluation;
  const paired = (select: RolloutSelection) => {
    const { difference95, gained, lost } = evaluation.againstDeterministic[select];
    return { difference: differenceOf(evaluation, select), difference95, gained, lost };
  };
  const difference = { bestQ: paired("q"), mode: paired("mode"), residual: paired("residual") };
  return { puzzles, rollouts, sigma, steps, deterministic, passAtK, bestQ, mode, residual, interval95, difference };
}

/** The shares of correct puzzles over the number of rollouts. */
export function rolloutSvg(evaluation: RolloutEvaluation): string {
  const { passAtK, bestQ, mode, residual, deterministic, sigma } = evaluation;
  const ks = Object.keys(passAtK);
  const curves = { "pass@K (oracle)": passAtK, "best q": bestQ, mode, residual };
  const dashes = [[2, 4], [], [8, 4], [12, 4, 2, 4]];
  const chart: Chart = {
    title: `Puzzles correct with rollouts, sigma ${sigma}`,
    note: "Share of puzzles whose selected answer is correct.",
    x: "number of rollouts K",
    isShare: true,
    series: [
      ...Object.keys(curves).map((name, colour) => ({ name, colour, dash: dashes[colour]! })),
      { name: "deterministic", colour: 5, dash: [1, 3] },
    ],
    data: [
      ks.map(Number),
      ...Object.values(curves).map((curve) => ks.map((k) => curve[k]!)),
      ks.map(() => deterministic),
    ],
  };
  return plotSvg([chart], "Rollouts");
}
