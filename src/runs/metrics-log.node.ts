// Writes and reads metrics.jsonl, one JSON object per line. metrics.ts has the schemas of the lines.
import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { readBytes, replaceFile } from "../formats/index.node.ts";
import { CheckpointError } from "../formats/index.ts";
import { type Metrics, type MetricsLine, parseMetrics } from "./metrics.ts";

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
  const text = new TextDecoder().decode(readBytes(path));
  const lines = text.split("\n").filter((line) => line !== "");
  const kept = lines.filter((line) => {
    const at = stepOf(line);
    return at !== undefined && at <= step;
  });
  const shortened = kept.map((line) => `${line}\n`).join("");
  if (shortened !== text) replaceFile(path, Buffer.from(shortened));
}

/** Step of a line; undefined for a line that a crash truncated. */
function stepOf(line: string): number | undefined {
  try {
    const { step } = JSON.parse(line) as { step?: unknown };
    return typeof step === "number" ? step : undefined;
  } catch {
    return undefined;
  }
}

/** The metrics of the run in a folder; empty if it has not written any. @throws CheckpointError */
export function readMetrics(run: string): Metrics {
  const path = join(run, metricsFile);
  if (!existsSync(run)) throw new CheckpointError(`${run}: no such folder`);
  return existsSync(path) ? parseMetrics(new TextDecoder().decode(readBytes(path)), path) : { steps: [], unseen: [] };
}
