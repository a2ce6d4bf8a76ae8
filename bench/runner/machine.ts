// Describes the machine and the time of the measurements.
import { execFileSync } from "node:child_process";
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
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
  /** Load average of the machine, with a warning if it is busy. */
  readonly load: string;
}

export const describeMoment = (): Moment => ({
  date: new Date().toISOString().slice(0, 16).replace("T", " "),
  load: loadInWords(loadavg()[0]!),
});

/** Other load invalidates all figures, including ratios, because threads of PyTorch spin while they wait for each other. */
const loadInWords = (load: number): string =>
  `${load.toFixed(2)}${load > 0.5 ? " - the machine was busy: these figures are not to be quoted" : ""}`;

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
