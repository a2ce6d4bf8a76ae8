// The ablations of the paper (table 1: Sudoku-Extreme) and methods published after it, each as a change of a base configuration, so
// that they can be compared at small scale with equal compute.
import { type Config, flattenConfig, type ModelConfig, parseConfig } from "../../trm/index.ts";
import type { PresetSettings } from "../presets.ts";

export interface AblationRow {
  readonly key: string;
  readonly name: string;
  /** Settings of the published row where they differ from ours. */
  readonly publishedAs?: string;
  /** Published exact accuracy of a full-scale run in percent. It is never measured here. */
  readonly publishedPercent: number;
  /** The publication, if it is not the paper, and how certain its number is. */
  readonly publishedIn?: string;
  /** Changed settings. Numbers that the paper halves or divides by three are scaled likewise. */
  change(base: ModelConfig): PresetSettings;
}

/**
 * Attention as in the paper, unless the base has attention already. The number of heads is chosen so that the head size is even, as
 * rotary positions require.
 */
const attention = ({ mixer, hiddenSize }: ModelConfig): PresetSettings =>
  mixer === "attention"
    ? {}
    : {
        mixer: "attention",
        positions: "rotary",
        heads: [8, 4, 2].find((heads) => hiddenSize % (2 * heads) === 0) ?? 1,
      };

export const ablationRows: readonly AblationRow[] = [
  { key: "trm", name: "TRM", publishedPercent: 87.4, change: () => ({}) },
  { key: "continue-loss", name: "with continue loss", publishedPercent: 86.1, change: () => ({ continueLoss: true }) },
  { key: "separate-nets", name: "separate networks", publishedPercent: 82.4, change: () => ({ separateNets: true }) },
  { key: "no-ema", name: "no EMA", publishedPercent: 79.9, change: () => ({ emaRate: 0 }) },
  {
    key: "four-layers",
    name: "double layers, half n",
    publishedAs: "4 layers, n 3",
    publishedPercent: 79.5,
    change: ({ layers, n }) => ({ layers: 2 * layers, n: Math.max(1, Math.round(n / 2)) }),
  },
  { key: "self-attention", name: "self-attention", publishedPercent: 74.7, change: attention },
  {
    key: "fewer-recursions",
    name: "fewer recursions",
    publishedAs: "T 2, n 2",
    publishedPercent: 73.7,
    change: ({ T, n }) => ({ T: Math.max(1, T - 1), n: Math.max(1, Math.round(n / 3)) }),
  },
  {
    key: "one-step-gradient",
    name: "1-step gradient",
    publishedPercent: 56.5,
    change: () => ({ oneStepGradient: true }),
  },
  {
    key: "hrm",
    name: "HRM",
    publishedPercent: 55,
    change: (base) => ({
      ...attention(base),
      separateNets: true,
      oneStepGradient: true,
      continueLoss: true,
      layers: 2 * base.layers,
      T: 2,
      n: 2,
    }),
  },
  { key: "multi-z", name: "multi-scale z", publishedPercent: 77.6, change: () => ({ recursion: "multiZ" }) },
  { key: "single-z", name: "single z", publishedPercent: 71.9, change: () => ({ recursion: "singleZ" }) },
  {
    key: "direct",
    name: "direct prediction", // has as many blocks as the two networks of HRM together
    publishedPercent: 0,
    change: (base) => ({
      ...attention(base),
      recursion: "direct",
      haltAgainstContinue: true,
      layers: 4 * base.layers,
    }),
  },
];

/** Methods published after the paper. docs/after-the-paper.md says what is known of their numbers. */
export const laterRows: readonly AblationRow[] = [
  {
    key: "eqr",
    name: "EqR",
    publishedAs: "random starts and noise",
    publishedPercent: 86.4,
    publishedIn: "arXiv 2605.21488, from a summary; without them 84.8",
    change: () => ({ randomStarts: true, dampingLambda: 0.95, pathNoiseBeta: 0.01 }),
  },
  {
    key: "depth-curriculum",
    name: "depth curriculum",
    publishedAs: "CGAR, fewer operations",
    publishedPercent: 86.0,
    publishedIn: "arXiv 2511.08653, abstract; without it 86.65",
    change: () => ({ depthCurriculum: true }),
  },
  {
    key: "fixed-point",
    name: "fixed point",
    publishedAs: "TRM-DEQ, 27M weights",
    publishedPercent: 91.4,
    publishedIn: "arXiv 2605.12466, abstract; no released log reaches it",
    change: () => ({ recursion: "fixedPoint", solver: "anderson" }),
  },
  {
    key: "easy-mixing",
    name: "easy mixing",
    publishedAs: "of HRM",
    publishedPercent: 59.9,
    publishedIn: "arXiv 2601.10679, from a summary; without it 54.5",
    change: () => ({ revealProbability: 0.5 }),
  },
];

/** All rows. */
export const everyRow: readonly AblationRow[] = [...ablationRows, ...laterRows];

/** The changes of a row as text, such as "layers 4, n 1". */
export const changeText = (row: AblationRow, base: ModelConfig): string =>
  Object.entries(row.change(base))
    .map(([key, value]) => (value === true ? key : `${key} ${value}`))
    .join(", ");

/** The configuration of a row. @throws ConfigError if the change does not fit the base */
export const ablated = (row: AblationRow, base: Config): Config =>
  parseConfig({ ...flattenConfig(base), ...row.change(base.model) }, `row ${row.key}`);
