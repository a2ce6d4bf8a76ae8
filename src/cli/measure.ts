// Runs an evaluation of a model, with a progress line if it takes long.

import type { LoadedModel } from "../runs/index.ts";
import type { EvaluationOptions, EvaluationSet, Model } from "../trm/index.ts";
import { counted, duration } from "./format.ts";
import { startProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** `evaluate`, `sweepHalting`, or another evaluation with the same parameters. */
type Evaluator<T> = (model: Model, set: EvaluationSet, options: EvaluationOptions) => Promise<T>;

/** @param steps  number of supervision steps; null: as in training */
export async function measure<T>(
  evaluator: Evaluator<T>,
  { model, config }: Pick<LoadedModel, "model" | "config">,
  set: EvaluationSet,
  terminal: Terminal,
  steps: number | null = null,
): Promise<T> {
  const { training } = config;
  const progress = startProgress(terminal, { after: 1_000 });
  const begin = performance.now();
  const onProgress = async (done: number, total: number): Promise<void> => {
    const left = done === 0 ? "" : ` · ${duration(((performance.now() - begin) / 1000 / done) * (total - done))} left`;
    progress.update(done / total, `evaluating: ${counted(done, "puzzle")} of ${total}${left}`);
    await new Promise((resolve) => setImmediate(resolve)); // lets Node deliver Ctrl-C
  };
  const batchSize = batchSizeFor(set.count, config.model.sequenceLength);
  try {
    return await evaluator(model, set, { ...training, nSup: steps ?? training.nSup, batchSize, onProgress });
  } finally {
    progress.clear();
  }
}

/** Large enough for efficient kernels, small enough for regular progress. */
const batchSizeFor = (count: number, length: number): number =>
  Math.max(1, Math.min(count, Math.max(8, Math.floor(6_400 / length))));
