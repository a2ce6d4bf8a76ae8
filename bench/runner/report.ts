// Formats the measurements as a Markdown report. Each table is preceded by the command that reproduces it.

import type { StepConfig } from "../shared/config.ts";
import { stepFlops } from "../shared/flops.ts";
import type { PeakRates } from "../shared/program.ts";
import { median } from "../shared/statistics.ts";
import type { Absent } from "./contestants.ts";
import { type Measured, ratioOf } from "./turns.ts";

/** Our program and a peer, or our program alone, on one configuration with one number of threads. */
export interface Pair {
  readonly configName: string;
  readonly config: StepConfig;
  readonly threads: number;
  readonly ours: Measured;
  readonly peer: Measured | null;
}

/** A pair that could not be measured. */
export interface Failed extends Absent {
  readonly configName: string;
  readonly threads: number;
}

export interface GrowthRow {
  readonly axis: string;
  readonly value: number;
  readonly pair: Pair;
}

/** GFLOP/s of the bare tile loop. */
export interface Peak {
  readonly how: string;
  /** By the name of our program, with the build of its kernels and the number of threads. */
  readonly gflops: readonly (readonly [name: string, gflops: number])[];
}

export interface Section {
  readonly title: string;
  readonly command: string;
  readonly body: string;
}

export interface ReportParts {
  /** Markdown before the sections, or "". */
  readonly summary: string;
  readonly machine: readonly [string, string][];
  readonly sections: readonly Section[];
  /** Markdown after the sections, or "". */
  readonly notes: string;
}

/** How the measurements were made, in the report. */
const method = `Our program and a peer take turns: each makes two steps, of which the second is timed (only one, if a step takes five seconds or more). Our program runs on
the current Node and, if that has no wide vectors, also on a newer one. Times are medians over the turns. A ratio is the median over the turns of (time of
the peer / our time), so above 1 our program is faster. GFLOP counts only the matrix products, for every program alike. Memory is the peak of the whole process.

After each training step, our program runs the bare tile loop for as long as the step took, which measures the peak in the same turn. The share of the peak
is the median over the turns of our rate divided by the best rate of the loop; of the sustained peak, divided by its rate over the whole time; the last
column divides the rate of our fastest step by the highest rate of the loop in any turn.`;

export const document = ({ summary, machine, sections, notes }: ReportParts): string =>
  `${[
    "# Benchmark results",
    summary.trim(),
    "## How it was measured",
    method,
    table(["", ""], machine),
    ...sections.map(({ title, command, body }) => `## ${title}\n\n\`${command}\`\n\n${body}`),
    notes.trim(),
  ]
    .filter(Boolean)
    .join("\n\n")}\n`;

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

export const milliseconds = (ms: number): string => (ms < 100 ? ms.toFixed(1) : ms.toFixed(0));
const megabytes = (bytes: number | null): string => (bytes === null ? "?" : (bytes / 2 ** 20).toFixed(0));
export const gigaflops = (flops: number, ms: number): string => (flops / ms / 1e6).toFixed(1);

/** The table of one configuration: a row per peer and number of threads. */
export function pairTable(pairs: readonly Pair[], failed: readonly Failed[]): string {
  const { train, eval: evaluation } = stepFlops(pairs[0]!.config);
  const rows = inOrderOfBuilds(pairs).flatMap((pair) => (pair.peer ? [pairRow(pair, pair.peer)] : []));
  const notes = failed.map(({ name, threads, reason }) => `- ${name}, ${threads} thread(s), not timed: ${reason}`);
  return [
    `${pairs[0]!.ours.params} parameters; ${(train / 1e9).toFixed(2)} GFLOP per training step, ${(evaluation / 1e9).toFixed(2)} per evaluation step.`,
    rows.length > 0 ? table(pairHead, rows) : "",
    table(["ours", "threads", "train ms", "GFLOP/s", ...shareHead, "eval ms", "GFLOP/s"], ownRows(pairs)),
    notes.join("\n"),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** Sorts the pairs by build; within a build they keep the order of measurement. */
function inOrderOfBuilds(pairs: readonly Pair[]): readonly Pair[] {
  const builds = [...new Set(pairs.map(({ ours }) => buildOf(ours)))];
  return builds.flatMap((build) => pairs.filter(({ ours }) => buildOf(ours) === build));
}

const pairHead = [
  "ours",
  "peer",
  "threads",
  "turns",
  "train: peer ms",
  "ours ms",
  "**ratio**",
  "eval: peer ms",
  "ours ms",
  "**ratio**",
  "peer GFLOP/s",
  "memory: peer MB",
  "ours MB",
];

function pairRow({ config, threads, ours }: Pair, peer: Measured): string[] {
  const note = peer.threads === threads ? `${threads}` : `${threads} (peer ${peer.threads})`;
  const cells = (kind: "train" | "eval"): string[] => [
    milliseconds(median(peer[kind])),
    milliseconds(median(ours[kind])),
    `**${ratioOf(ours, peer, kind).toFixed(2)}**`,
  ];
  return [
    buildOf(ours),
    peer.peer,
    note,
    String(peer.train.length),
    ...cells("train"),
    ...cells("eval"),
    gigaflops(stepFlops(config).train, median(peer.train)),
    megabytes(peer.peakMemory),
    megabytes(ours.peakMemory),
  ];
}

/** The build of the kernels ("wide SIMD") from the name of our program. */
const buildOf = ({ peer }: Measured): string => /\w+ SIMD/.exec(peer)?.[0] ?? peer;

/** The times of our program by build and number of threads, over all turns with any peer. */
function ownRows(pairs: readonly Pair[]): string[][] {
  const flops = stepFlops(pairs[0]!.config);
  return [...new Set(pairs.map(({ ours }) => ours.peer))].map((name) => {
    const mine = pairs.filter(({ ours }) => ours.peer === name).map(({ ours }) => ours);
    const train = median(mine.flatMap((measured) => measured.train));
    const evaluation = median(mine.flatMap((measured) => measured.eval));
    return [
      name,
      String(mine[0]!.threads),
      milliseconds(train),
      gigaflops(flops.train, train),
      ...sharesOfPeak(flops.train, mine),
      milliseconds(evaluation),
      gigaflops(flops.eval, evaluation),
    ];
  });
}

const shareHead = ["share of the peak", "of the sustained peak", "fastest step, of the highest peak"];

/**
 * Three shares of the peak, because other load on a shared machine biases each of them differently. Medians over the turns of our rate
 * divided by the best rate of the tile loop in the same turn (too low if only the step was slowed down) and by its sustained rate (too
 * high if the loop was slowed down more than the step); and the fastest step divided by the highest rate.
 */
export function sharesOfPeak(flops: number, measured: readonly Pick<Measured, "train" | "peaks">[]): string[] {
  const peaks = measured.flatMap((one) => one.peaks);
  if (peaks.length === 0) return shareHead.map(() => "not measured");
  const steps = measured.flatMap(({ train }) => train.map((ms) => flops / ms / 1e6));
  const against = (limit: keyof PeakRates): number => median(steps.map((rate, i) => rate / peaks[i]![limit]));
  const highest = Math.max(...steps) / Math.max(...peaks.map(({ best }) => best));
  return [against("best"), against("sustained"), highest].map((share) => `${(100 * share).toFixed(1)}%`);
}

export const peakTable = ({ how, gflops }: Peak): string =>
  `${how}\n\n${table(
    ["ours", "GFLOP/s"],
    gflops.map(([name, value]) => [name, value.toFixed(1)]),
  )}`;

export function growthTable(rows: readonly GrowthRow[]): string {
  const hasPeer = rows.some(({ pair }) => pair.peer !== null);
  const head = ["axis", "value", "threads", "ours", "GFLOP", "ours ms", "GFLOP/s"];
  const body = rows.map(({ axis, value, pair: { config, threads, ours, peer } }) => {
    const { train } = stepFlops(config);
    const time = median(ours.train);
    const own = [axis, value, threads, buildOf(ours)].map(String);
    const cells = [...own, (train / 1e9).toFixed(2), milliseconds(time), gigaflops(train, time)];
    if (peer) return [...cells, milliseconds(median(peer.train)), ratioOf(ours, peer, "train").toFixed(2)];
    return hasPeer ? [...cells, "", ""] : cells;
  });
  return table(hasPeer ? [...head, "PyTorch ms", "ratio"] : head, body);
}
