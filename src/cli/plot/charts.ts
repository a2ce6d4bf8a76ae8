// What `trm plot` draws, as plain data: learning curves of one or several runs.
import type { Metrics, UnseenLine } from "../../runs/index.ts";

export interface Series {
  readonly name: string;
  /** Index into the palette: one colour per run. */
  readonly colour: number;
  /** Lengths of dashes and gaps, so that curves of one run differ by more than their colour. */
  readonly dash: readonly number[];
  /** Drawn as bars. */
  readonly isStepped?: boolean;
}

export interface Chart {
  readonly title: string;
  /** One sentence on what is shown. */
  readonly note: string;
  /** Meaning of the horizontal axis. */
  readonly x: string;
  readonly isLog?: boolean;
  /** Whether values are shares from 0 to 1, shown as percent. */
  readonly isShare?: boolean;
  /** Whether the measured points are marked. */
  readonly hasPoints?: boolean;
  readonly series: readonly Series[];
  /** The horizontal positions, then the values of every series, null where there is none. */
  readonly data: readonly (readonly (number | null)[])[];
}

export interface PlottedRun {
  readonly name: string;
  readonly metrics: Metrics;
}

/** Colours of Okabe and Ito (2008), which people with colour blindness tell apart, darker on light and lighter on dark. */
export const palette = {
  light: ["#0072b2", "#c4510a", "#00805c", "#a8468a", "#8a6d00", "#3a4656"],
  dark: ["#56b4e9", "#e69f00", "#2ecc9f", "#e49ac8", "#f0e442", "#c3ccd6"],
};

const dashes: readonly (readonly number[])[] = [[], [8, 4], [2, 4], [12, 4, 2, 4]];

/** Curves of at most this many points: longer ones are averaged in groups of equal size. */
const mostPoints = 1_000;

export function chartsOf(runs: readonly PlottedRun[]): Chart[] {
  const perStep = (pick: (line: Metrics["steps"][number]) => number | null) =>
    runs.map(({ metrics }) => thinned(metrics.steps.map((line) => [line.step, pick(line)])));
  const name = (run: number, curve: string): string =>
    runs.length === 1 ? curve : `${runs[run]!.name} ${curve}`.trim();
  const lines = (curve: string) =>
    runs.map((_, run) => ({
      name: name(run, curve),
      colour: run,
      dash: dashes[runs.length === 1 ? 0 : run % dashes.length]!,
    }));
  const evaluated = runs.flatMap(({ metrics: { unseen } }, run) =>
    supervisionSteps(unseen).map((after, curve) => ({
      series: { name: name(run, `after ${after}`), colour: run, dash: dashes[curve % dashes.length]! },
      points: unseen.map((line): Point => [line.step, line.exactAfter[after - 1] ?? null]),
    })),
  );
  const step = "training step";
  return [
    {
      title: "Loss",
      note: "Mean over the batch, on a logarithmic scale.",
      x: step,
      isLog: true,
      series: lines("loss"),
      data: joined(perStep(({ loss }) => loss)),
    },
    {
      title: "Solved unseen puzzles",
      note: "Share of the watched puzzles whose whole answer is correct, after several supervision steps.",
      x: step,
      isShare: true,
      hasPoints: true,
      series: evaluated.map(({ series }) => series),
      data: joined(evaluated.map(({ points }) => points)),
    },
    haltingChart(runs, lines("puzzles")),
    {
      title: "Learning rate",
      note: "The learning rate rises during the warm-up and then follows the schedule of the settings.",
      x: step,
      series: lines("learning rate"),
      data: joined(perStep(({ learningRate }) => learningRate)),
    },
    {
      title: "Gradient norm",
      note: "The norm of the gradient with respect to all weights, on a logarithmic scale.",
      x: step,
      isLog: true,
      series: lines("gradient norm"),
      data: joined(perStep(({ gradientNorm }) => gradientNorm)),
    },
  ].filter((chart) => chart.data.slice(1).some((values) => values.some((value) => isDrawable(chart, value))));
}

/** A logarithmic scale has no place for values of 0 and below. */
export const isDrawable = ({ isLog }: Pick<Chart, "isLog">, value: number | null): value is number =>
  value !== null && (!isLog || value > 0);

/** The halting steps of the last evaluation of every run. */
function haltingChart(runs: readonly PlottedRun[], series: readonly Series[]): Chart {
  const counts = runs.map(({ metrics }) => metrics.unseen.at(-1));
  return {
    title: "Halting",
    note: "The share of the watched puzzles for which q first says halt at each supervision step, in the last evaluation.",
    x: "supervision step",
    isShare: true,
    series: series.map((each) => ({ ...each, isStepped: true })),
    data: joined(
      counts.map((line, run) => {
        const beside = ((run - (runs.length - 1) / 2) * 0.8) / runs.length; // the bars of several runs stand side by side
        return (line?.haltCounts ?? []).map((count, i): Point => [i + 1 + beside, count / (line!.puzzles || 1)]);
      }),
    ),
  };
}

/** The first, a middle one and the last supervision step. */
function supervisionSteps(unseen: readonly UnseenLine[]): number[] {
  const last = unseen.reduce((most, { exactAfter }) => Math.max(most, exactAfter.length), 0);
  return [...new Set([1, Math.ceil(last / 4), last])].filter((step) => step >= 1 && step <= last);
}

type Point = readonly [x: number, y: number | null];

/** Averages groups of consecutive points. A group without values has none. */
function thinned(points: readonly Point[]): readonly Point[] {
  const size = Math.ceil(points.length / mostPoints);
  if (size <= 1) return points;
  const groups = Array.from({ length: Math.ceil(points.length / size) }, (_, i) =>
    points.slice(i * size, (i + 1) * size),
  );
  return groups.map((group) => {
    const values = group.flatMap(([, y]) => (y === null ? [] : [y]));
    const mean = values.length === 0 ? null : values.reduce((sum, y) => sum + y, 0) / values.length;
    return [group.at(-1)![0], mean];
  });
}

/** Curves with positions of their own as one table. */
function joined(curves: readonly (readonly Point[])[]): (number | null)[][] {
  const positions = [...new Set(curves.flatMap((points) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const columns = curves.map((points) => {
    const values = new Map(points);
    return positions.map((x) => values.get(x) ?? null);
  });
  return [positions, ...columns];
}
