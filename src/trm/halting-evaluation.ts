// Evaluation with halting: what is lost and what is saved when every puzzle stops as soon as q says so. `evaluate` in
// evaluation.ts is the fixed one, which always makes N_sup steps.

import { predictionsAtExit } from "./early-exit.ts";
import { compare, type EvaluationOptions, wilson95 } from "./evaluation.ts";
import { type EvaluationSet, evaluationBatches } from "./examples.ts";
import { haltMargin } from "./halting.ts";
import type { Model } from "./model.ts";
import { predictions } from "./prediction.ts";

export interface HaltingEvaluation {
  readonly puzzles: number;
  /** Share of puzzles whose whole answer is right when they stop. */
  readonly exact: number;
  /** Share of all cells that are right then. */
  readonly cell: number;
  /** 95% Wilson interval of `exact`. */
  readonly interval95: readonly [low: number, high: number];
  /** The step after which every puzzle stopped, in the order of the set. */
  readonly exitSteps: readonly number[];
  readonly meanSteps: number;
  /** Share of the nSup steps per puzzle that were not computed. */
  readonly computeSaved: number;
}

/** Stops every puzzle when q says so by more than `threshold`, at the latest after nSup steps. */
export async function evaluateHalting(
  model: Model,
  set: EvaluationSet,
  options: EvaluationOptions & { readonly threshold?: number },
): Promise<HaltingEvaluation> {
  const { nSup, batchSize, threshold = 0, onProgress } = options;
  const puzzles = set.count;
  const exitSteps: number[] = [];
  let [exact, rightCells, cells] = [0, 0, 0];
  for (const batch of evaluationBatches(set, batchSize)) {
    const exit = await predictionsAtExit(model, batch, {
      maxSteps: nSup,
      stops: (qHalt, qContinue) => haltMargin(qHalt, qContinue, options) > threshold,
    });
    exit.exitSteps.forEach((step, slot) => {
      const { right, asked } = compare(exit.tokens, batch.labels, slot, model.config.sequenceLength);
      if (right === asked) exact++;
      rightCells += right;
      cells += asked;
      exitSteps.push(step);
    });
    await onProgress?.(exitSteps.length, puzzles);
  }
  const meanSteps = exitSteps.reduce((sum, step) => sum + step, 0) / puzzles;
  return {
    puzzles,
    exact: exact / puzzles,
    cell: rightCells / cells,
    interval95: wilson95(exact, puzzles),
    exitSteps,
    meanSteps,
    computeSaved: 1 - meanSteps / nSup,
  };
}

/** What a threshold would give. */
export interface SweepPoint {
  /** Stop when q says so by more than this; -Infinity: after one step, Infinity: never before the last. */
  readonly threshold: number;
  readonly exact: number;
  readonly meanSteps: number;
  readonly computeSaved: number;
}

export const sweepThresholds: readonly number[] = [-Infinity, -4, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 4, 6, Infinity];

/** Accuracy and compute of many thresholds from one evaluation over all nSup steps. */
export async function sweepHalting(
  model: Model,
  set: EvaluationSet,
  options: EvaluationOptions,
  thresholds: readonly number[] = sweepThresholds,
): Promise<SweepPoint[]> {
  const { nSup, batchSize, onProgress } = options;
  const puzzles = set.count;
  const exact = thresholds.map(() => 0);
  const steps = thresholds.map(() => 0);
  let done = 0;
  for (const batch of evaluationBatches(set, batchSize)) {
    const slots = batch.puzzleIds.length;
    const hasLeft = thresholds.map(() => new Array<boolean>(slots).fill(false));
    for await (const prediction of predictions(model, batch, nSup)) {
      for (let slot = 0; slot < slots; slot++) {
        const margin = haltMargin(prediction.qHalt[slot]!, prediction.qContinue[slot]!, options);
        const { right, asked } = compare(prediction.tokens, batch.labels, slot, model.config.sequenceLength);
        thresholds.forEach((threshold, i) => {
          if (hasLeft[i]![slot] || (prediction.step < nSup && !(margin > threshold))) return;
          hasLeft[i]![slot] = true;
          steps[i]! += prediction.step;
          if (right === asked) exact[i]!++;
        });
      }
    }
    done += slots;
    await onProgress?.(done, puzzles);
  }
  return thresholds.map((threshold, i) => ({
    threshold,
    exact: exact[i]! / puzzles,
    meanSteps: steps[i]! / puzzles,
    computeSaved: 1 - steps[i]! / puzzles / nSup,
  }));
}
