// Describes the machine and the time of the measurements.
import { execFileSync } from "node:child_process";
import { arch, availableParallelism, type CpuInfo, cpus, platform, release, totalmem } from "node:os";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Names and values in the order of the report. */
export function describeMachine(): [name: string, value: string][] {
  return [
    ["Processor", `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} threads`],
    ["Memory", `${(totalmem() / 2 ** 30).toFixed(0)} GB`],
    ["System", `${platform()} ${release()} ${arch()}`],
    ["Node", `${process.versions.node} (V8 ${process.versions.v8})`],
    ["trm-ts", commit()],
  ];
}

/** The start or a resumption of a session. */
export interface Moment {
  readonly date: string;
  /** Number of cores that were busy, with a warning if programs other than this one disturb the figures. */
  readonly load: string;
}

/** The date and the load. Takes one second, in which this program must not compute. */
export async function describeMoment(): Promise<Moment> {
  const before = cpus();
  await setTimeout(1000);
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
    load: loadInWords(busyCores(before, cpus())),
  };
}

/**
 * Number of cores that were busy on average between two readings of all cores. The load average of the system would not do: it is a
 * mean over the past minute, so that it contains the measurement before this one.
 */
export function busyCores(before: readonly CpuInfo[], after: readonly CpuInfo[]): number {
  const [earlier, later] = [summed(before), summed(after)];
  const total = later.total - earlier.total;
  return total > 0 ? (1 - (later.idle - earlier.idle) / total) * after.length : 0;
}

/** Milliseconds since the start of the machine, summed over the cores. */
function summed(cores: readonly CpuInfo[]): { idle: number; total: number } {
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  const times = cores.map((core) => core.times);
  return { idle: sum(times.map(({ idle }) => idle)), total: sum(times.flatMap((of) => Object.values(of))) };
}

/** Other load invalidates all figures, including ratios, because threads of PyTorch spin while they wait for each other. */
const loadInWords = (cores: number): string =>
  `${cores.toFixed(2)} cores${cores > 0.3 ? " - the machine was busy: these figures are not to be quoted" : ""}`;

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { cwd: fileURLToPath(new URL(".", import.meta.url)), encoding: "utf8" }).trim();
    const isChanged = git("status", "--porcelain", "--", "../../src").length > 0;
    return `${git("rev-parse", "--short", "HEAD")}${isChanged ? " with changes in src" : ""}`;
  } catch {
    return "unknown (no git here)";
  }
}
