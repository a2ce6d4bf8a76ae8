// `trm eval --arc`: predicts all augmented copies of the test tasks and scores them.
import { type ArcEvaluation, evaluateArc } from "../puzzles/index.node.ts";
import type { LoadedModel } from "../runs/index.ts";
import { UsageError } from "./explain.ts";
import { counted, percent } from "./format.ts";
import type { Halt } from "./halt-option.ts";
import { type RolloutChoice, rolloutSettings } from "./rollout-report.ts";
import type { Terminal } from "./terminal.ts";
import { runCancellable } from "./work-progress.ts";

export interface ArcOptions extends RolloutChoice {
  readonly data: string;
  readonly out: string;
  readonly k: readonly number[];
  readonly attempts: number;
  readonly halt: Halt;
  readonly json?: boolean;
}

/** @throws UsageError for options that are missing or that --arc does not support */
export function arcOptions(options: Omit<ArcOptions, "data" | "out"> & { data?: string; out?: string }): ArcOptions {
  const { data, out, halt } = options;
  if (data === undefined || out === undefined) {
    const missing = [...(data === undefined ? ["--data DIR"] : []), ...(out === undefined ? ["--out DIR"] : [])];
    throw new UsageError(`eval --arc: missing ${missing.join(" and ")}`);
  }
  if (halt.threshold !== null)
    throw new UsageError("eval: --arc always runs all steps, expected --halt fixed or --halt steps=N");
  return { ...options, data, out };
}

export async function evalArc(options: ArcOptions, { config, model }: LoadedModel, terminal: Terminal): Promise<void> {
  const { data, out, k: ks, attempts, halt, json, select } = options;
  const rollouts = rolloutSettings(options);
  const evaluation = await runCancellable(terminal, (onProgress) =>
    evaluateArc(model, {
      data,
      out,
      ks,
      attempts,
      nSup: halt.steps ?? config.training.nSup,
      batchSize: 8,
      rollouts: rollouts && { ...rollouts, select },
      onProgress: (done, total) => onProgress("predicting", done / total),
    }),
  );
  for (const note of unknownNotes(evaluation.pairs)) terminal.remark(note);
  if (json) terminal.print(JSON.stringify(evaluation));
  else for (const line of arcTable(evaluation)) terminal.print(line);
}

/** Notes about test pairs whose answers are unknown, which no score includes. */
export function unknownNotes({ count, unknown }: ArcEvaluation["pairs"]): string[] {
  if (unknown === 0) return [];
  const scored = unknown === count ? "nothing can be scored" : `the score covers the other ${count - unknown}`;
  return [`note: the answers of ${unknown} of ${count} test pairs are unknown: ${scored}; the submission covers all`];
}

function arcTable({ predictions, voted, singlePass, blankId }: ArcEvaluation): string[] {
  const count = `${counted(predictions, "prediction")} of augmented copies`;
  const names = Object.keys(voted);
  if (names.length === 0) return [count];
  const column = (scores: Record<string, number> | undefined, name: string): string =>
    (scores ? percent(scores[name]!) : "-").padStart(13);
  const row = (name: string): string =>
    name.padEnd(13) +
    [voted, singlePass, blankId?.voted, blankId?.singlePass].map((scores) => column(scores, name)).join("");
  return [
    count,
    "                     voted  single pass  voted, id 0  single, id 0",
    ...names.map(row),
    "voted: all copies vote (the official score)",
    "single pass: only the copy without augmentation",
    `id 0: with the blank puzzle id${blankId ? "" : " (not measured: the model has no puzzle rows)"}`,
  ];
}
