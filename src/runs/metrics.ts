// metrics.jsonl: the lines that a training writes, one schema per kind of line. docs/metrics.md describes every field.
//
// A field has one type in all lines. Losses and accuracies are means. `readMetrics` also reads the lines of earlier versions, which
// lack some fields.
import * as z from "zod/mini";
import { CheckpointError } from "../formats/index.ts";
import { parseAs } from "./model-files.ts";

const count = z.number().check(z.int(), z.minimum(0));
const share = z.number().check(z.minimum(0), z.maximum(1));
const shares = z.array(share).check(z.minLength(1));
/** Null where nothing was measured, and in lines of earlier versions, which do not have the field. */
const measured = z._default(z.nullable(z.number()), null);

/** A session of training begins. */
export const startSchema = z.object({
  event: z.literal("start"),
  /** Training step after which the session continues; 0 for a new run. */
  step: count,
  backend: z.object({ name: z.string(), build: z.string() }),
  madeBy: z.string(),
});

/** One training step. */
export const stepSchema = z.object({
  event: z._default(z.literal("step"), "step"),
  step: count,
  /** Training time so far, including evaluations and earlier sessions. */
  seconds: z.number(),
  /** Mean over the batch: answerLoss + haltingLossWeight (haltLoss + continueLoss). */
  loss: z.number(),
  answerLoss: z.number(),
  haltLoss: z.number(),
  continueLoss: z.number(),
  gradientNorm: measured,
  learningRate: z.number(),
  /** Puzzles that halted in this step. The four means below are over them. */
  halted: count,
  exact: measured,
  cell: measured,
  /** Share of these puzzles for which q >= 0 agrees with whether the answer is correct. */
  haltAccuracy: measured,
  stepsUntilHalt: measured,
});

/** An evaluation on the watched puzzles, which are unseen in training. */
export const unseenSchema = z.object({
  event: z.literal("unseen"),
  step: count,
  seconds: measured,
  puzzles: count,
  unlabelled: count,
  /** Accuracies after the last supervision step, and the 95% interval of the first. */
  exact: share,
  cell: share,
  exactLow: share,
  exactHigh: share,
  /** Accuracies after supervision step 1, 2, ... */
  exactAfter: shares,
  cellAfter: shares,
  meanHaltStep: z.number(),
  /** Puzzles for which q first says halt at supervision step 1, 2, ... Empty in lines of earlier versions. */
  haltCounts: z._default(z.array(count), []),
});

export type StepLine = z.output<typeof stepSchema>;
export type UnseenLine = z.output<typeof unseenSchema>;
export type MetricsLine = z.output<typeof startSchema> | StepLine | UnseenLine;

/** The lines of metrics.jsonl by kind, each in the order of the steps. */
export interface Metrics {
  readonly steps: readonly StepLine[];
  readonly unseen: readonly UnseenLine[];
}

/**
 * Parses metrics.jsonl. A last line without a line break is still being written, or was when a crash ended the process, and is
 * left out.
 *
 * @param where  name of the file for errors
 * @throws CheckpointError that names the line and the field
 */
export function parseMetrics(bytes: Uint8Array, where: string): Metrics {
  const steps: StepLine[] = [];
  const unseen: UnseenLine[] = [];
  const decoder = new TextDecoder();
  let number = 0;
  for (const line of linesOf(bytes.subarray(0, bytes.lastIndexOf(lineBreak) + 1))) {
    const value = parseLine(decoder.decode(line), `${where}: line ${++number}`);
    if (value.event === "step") steps.push(value);
    if (value.event === "unseen") unseen.push(value);
  }
  return { steps, unseen };
}

export const lineBreak = 10;

/** The lines of a file without their line breaks, as bytes: the metrics of a long training exceed the longest possible string. */
export function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(lineBreak, start);
    const end = found < 0 ? bytes.length : found;
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}

function parseLine(line: string, where: string): MetricsLine {
  let value: Record<string, unknown>;
  try {
    value = Object(JSON.parse(line));
  } catch {
    throw new CheckpointError(`${where}: not JSON, expected one line of metrics`);
  }
  const schema = value.event === "start" ? startSchema : value.event === "unseen" ? unseenSchema : stepSchema;
  return parseAs(schema, value.event === "unseen" ? ofThisVersion(value) : value, where);
}

/** In earlier versions, `exact` and `cell` of an evaluation were the accuracies after every supervision step. */
function ofThisVersion(value: Record<string, unknown>): Record<string, unknown> {
  const { exact, cell, interval95, ...rest } = value;
  if (!Array.isArray(exact) || !Array.isArray(cell) || !Array.isArray(interval95)) return value;
  const [exactLow, exactHigh] = interval95;
  return { ...rest, exact: exact.at(-1), cell: cell.at(-1), exactLow, exactHigh, exactAfter: exact, cellAfter: cell };
}

/**
 * All steps as one table for spreadsheets and pandas: the fields of the step, then accuracies and the halting share of the evaluation
 * after it, with the prefix "unseen", which are empty for most steps.
 */
export function metricsCsv({ steps, unseen }: Metrics): string {
  const evaluations = new Map(unseen.map((line) => [line.step, line]));
  const stepKeys = Object.keys(stepSchema.shape).filter((key) => key !== "event") as (keyof StepLine)[];
  const after = unseen.reduce((most, { exactAfter }) => Math.max(most, exactAfter.length), 0);
  const numbers = Array.from({ length: after }, (_, i) => i + 1);
  const header = [
    ...stepKeys,
    "unseenExact",
    "unseenCell",
    ...numbers.flatMap((i) => [`unseenExactAfter${i}`, `unseenCellAfter${i}`]),
    "unseenHalting",
  ];
  const rows = steps.map((line) => {
    const evaluation = evaluations.get(line.step);
    return [
      ...stepKeys.map((key) => line[key]),
      evaluation?.exact,
      evaluation?.cell,
      ...numbers.flatMap((i) => [evaluation?.exactAfter[i - 1], evaluation?.cellAfter[i - 1]]),
      evaluation && haltingShare(evaluation),
    ].map((value) => value ?? "");
  });
  return [header, ...rows].map((row) => `${row.join(",")}\n`).join("");
}

/** Share of the puzzles for which q says halt at some step; null if it was not measured. */
export const haltingShare = ({ haltCounts, puzzles }: Pick<UnseenLine, "haltCounts" | "puzzles">): number | null =>
  haltCounts.length === 0 || puzzles === 0 ? null : haltCounts.reduce((sum, halted) => sum + halted, 0) / puzzles;
