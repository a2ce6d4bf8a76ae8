// Writes and reads metrics.jsonl, one JSON object per line. metrics.ts has the schemas of the lines.
import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isThere, readBytes, replaceFile } from "../formats/index.node.ts";
import { CheckpointError } from "../formats/index.ts";
import { lineBreak, linesOf, type Metrics, type MetricsLine, parseMetrics } from "./metrics.ts";

export const metricsFile = "metrics.jsonl";

export class MetricsLog {
  readonly #file: number;

  /** @param step  current step of the run. Later lines are dropped: they describe steps that will be repeated. */
  constructor(
    readonly path: string,
    step: number,
  ) {
    if (existsSync(path)) dropLaterLines(path, step);
    this.#file = openSync(path, "a");
  }

  append(line: MetricsLine): void {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
  }

  close(): void {
    closeSync(this.#file);
  }
}

function dropLaterLines(path: string, step: number): void {
  const bytes = readBytes(path);
  const kept = new Uint8Array(bytes.length + 1); // The last line may lack its line break.
  let length = 0;
  for (const line of linesOf(bytes)) {
    const at = stepOf(line);
    if (at === undefined || at > step) continue;
    kept.set(line, length);
    length += line.length;
    kept[length++] = lineBreak;
  }
  const shortened = kept.subarray(0, length);
  if (Buffer.compare(shortened, bytes) !== 0) replaceFile(path, shortened);
}

/** Step of a line; undefined for an empty line, and for one that a crash truncated. */
function stepOf(line: Uint8Array): number | undefined {
  try {
    const { step } = JSON.parse(new TextDecoder().decode(line)) as { step?: unknown };
    return typeof step === "number" ? step : undefined;
  } catch {
    return undefined;
  }
}

/** The metrics of a run that has made a training step. @throws CheckpointError, FileError */
export function readCourse(run: string): Metrics {
  const metrics = readMetrics(run);
  if (metrics.steps.length > 0) return metrics;
  const isRun = isThere(join(run, "run.json"));
  const reason = isRun ? "has not made a training step yet" : "contains no metrics, expected the folder of a run";
  throw new CheckpointError(`${run}: ${reason}`);
}

/** The metrics of the run in a folder; empty if it has not written any. @throws CheckpointError, FileError */
export function readMetrics(run: string): Metrics {
  const path = join(run, metricsFile);
  if (!isThere(run)) throw new CheckpointError(`${run}: no such folder`);
  return isThere(path) ? parseMetrics(readBytes(path), path) : { steps: [], unseen: [] };
}
