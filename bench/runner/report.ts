// The report: markdown from what was measured. Every table stands under the command that makes it again.
import type { PeakRates } from "../own-peak.ts";
import type { StepConfig } from "../shared/config.ts";
import { stepFlops } from "../shared/flops.ts";
import { median } from "../shared/statistics.ts";
import type { Absent } from "./contestants.ts";
import { type Measured, ratioOf } from "./turns.ts";

/** One peer beside us, on one configuration with one number of threads; or us alone. */
export interface Pair {
  readonly configName: string;
  readonly config: StepConfig;
  readonly threads: number;
  readonly ours: Measured;
  readonly peer: Measured | null;
}

/** A pair that was not measured. */
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
  /** By our program as it introduces itself, with the build of its kernels and the number of threads. */
  readonly gflops: readonly (readonly [name: string, gflops: number])[];
}

export interface Section {
  readonly title: string;
  readonly command: string;
  readonly body: string;
}

/** @param notes  Markdown that goes behind the sections: what the figures mean */
export const document = (machine: readonly [string, string][], sections: readonly Section[], notes: string): string =>
  `${[
    "# Benchmark results",
    "Made by `npm run bench` (the last section is bench/NOTES.md); not edited by hand. Times are medians over turns in which our program (on this Node, " +
      "and on a newer one where that has wide vectors) and the peer take two steps each, one program after the other, of which the second step is timed (one, where a step takes five seconds or more); a ratio is the median over the turns of (time of the peer / our time), so above 1 we are " +
      "faster. GFLOP count the matrix products alone, for everybody alike. The peak is that of the bare tile loop, which runs in the same turn for as long as the step took: the share of it is " +
      "the median over the turns against its best moment, the same against what it sustained, and that of the fastest step against its highest moment in all turns. Memory is the peak of the whole process.",
    table(["", ""], machine),
    ...sections.map(({ title, command, body }) => `## ${title}\n\n\`${command}\`\n\n${body}`),
    notes.trim(),
  ].join("\n\n")}\n`;

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

export const milliseconds = (ms: number): string => (ms < 100 ? ms.toFixed(1) : ms.toFixed(0));
const megabytes = (bytes: number | null): string => (bytes === null ? "?" : (bytes / 2 ** 20).toFixed(0));
export const gigaflops = (flops: number, ms: number): string => (flops / ms / 1e6).toFixed(1);

/** One configuration: a row per peer and number of threads. */
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

/** One build after the other, each with its threads and peers in the order in which they were measured. */
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

/** "wide SIMD", where our program names the build of its kernels. */
const buildOf = ({ peer }: Measured): string => /\w+ SIMD/.exec(peer)?.[0] ?? peer;

/** Our own times by build and number of threads, all turns beside any peer taken together. */
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
 * Three, because neighbours on a shared machine push each one off in its own way. Medians over the turns of our GFLOP/s against the peak's
 * best moment in the same turn (too low, where the step met a neighbour and that moment did not), and against what the peak sustained for as long
 * as the step took (too high, where a neighbour costs the tile loop more than it costs the step); and the fastest step against the highest moment.
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
    return [
      ...own,
      (train / 1e9).toFixed(2),
      milliseconds(time),
      gigaflops(train, time),
      ...(peer ? [milliseconds(median(peer.train)), ratioOf(ours, peer, "train").toFixed(2)] : hasPeer ? ["", ""] : []),
    ];
  });
  return table(hasPeer ? [...head, "PyTorch ms", "ratio"] : head, body);
}
