// Evaluation with halting: the accuracy lost and the compute saved when every puzzle stops as soon as q says so. `evaluate` in
// evaluation.ts always makes N_sup steps. Puzzles without labels are not counted.
import { predictionsAtExit } from "./early-exit.ts";
import { batchHooks, compare, type EvaluationOptions, expectEvaluation, expectLabels, wilson95 } from "./evaluation.ts";
import { type EvaluationSet, evaluationBatches } from "./examples.ts";
import { haltMargin } from "./halting.ts";
import type { Model } from "./model.ts";
import { predictions } from "./prediction.ts";

/** The figures of an evaluation in which every puzzle stops when the halting head says so. */
export interface HaltingEvaluation {
  /** Puzzles that have labels. Every other figure is about these. */
  readonly puzzles: number;
  /** Puzzles without any label. */
  readonly unlabelled: number;
  /** Share of puzzles whose whole answer is correct when they stop. */
  readonly exact: number;
  /** Share of labelled cells that are correct then. */
  readonly cell: number;
  /** 95% Wilson interval of `exact`. */
  readonly interval95: readonly [low: number, high: number];
  /** The step after which every puzzle stopped, in the order of the set. */
  readonly exitSteps: readonly number[];
  readonly meanSteps: number;
  /** Share of the nSup steps per puzzle that were not computed. */
  readonly computeSaved: number;
}

/** Stops every puzzle when q exceeds `threshold`, at the latest after nSup steps. @throws ConfigError, see `evaluate` */
export async function evaluateHalting(
  model: Model,
  set: EvaluationSet,
  options: EvaluationOptions & { readonly threshold?: number },
): Promise<HaltingEvaluation> {
  expectEvaluation("evaluateHalting", model, set, options);
  const { nSup, batchSize, threshold = 0, onProgress } = options;
  const hooksAt = batchHooks(options);
  const exitSteps: number[] = [];
  let [done, exact, correctCells, cells] = [0, 0, 0, 0];
  for (const batch of evaluationBatches(set, batchSize)) {
    const exit = await predictionsAtExit(model, batch, {
      ...hooksAt(done),
      maxSteps: nSup,
      stops: (qHalt, qContinue) => haltMargin(qHalt, qContinue, options) > threshold,
    });
    exit.exitSteps.forEach((step, slot) => {
      const { correct, labelled } = compare(exit.tokens, batch.labels, slot, model.config.sequenceLength);
      if (labelled === 0) return;
      if (correct === labelled) exact++;
      correctCells += correct;
      cells += labelled;
      exitSteps.push(step);
    });
    done += batch.puzzleIds.length;
    await onProgress?.(done, set.count);
  }
  const puzzles = exitSteps.length;
  expectLabels(puzzles, set);
  const meanSteps = exitSteps.reduce((sum, step) => sum + step, 0) / puzzles;
  return {
    puzzles,
    unlabelled: set.count - puzzles,
    exact: exact / puzzles,
    cell: correctCells / cells,
    interval95: wilson95(exact, puzzles),
    exitSteps,
    meanSteps,
    computeSaved: 1 - meanSteps / nSup,
  };
}

/** Accuracy and compute at one halting threshold. */
export interface SweepPoint {
  /** Stop when q exceeds this. With -Infinity a puzzle stops after one step, with Infinity never before the last. */
  readonly threshold: number;
  readonly exact: number;
  readonly meanSteps: number;
  readonly computeSaved: number;
}

export const sweepThresholds: readonly number[] = [-Infinity, -4, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 4, 6, Infinity];

/** Accuracy and compute at many thresholds from one evaluation over all nSup steps. @throws ConfigError, see `evaluate` */
export async function sweepHalting(
  model: Model,
  set: EvaluationSet,
  options: EvaluationOptions,
  thresholds: readonly number[] = sweepThresholds,
): Promise<SweepPoint[]> {
  expectEvaluation("sweepHalting", model, set, options);
  const { nSup, batchSize, onProgress } = options;
  const hooksAt = batchHooks(options);
  const exact = thresholds.map(() => 0);
  const steps = thresholds.map(() => 0);
  let [done, puzzles] = [0, 0];
  for (const batch of evaluationBatches(set, batchSize)) {
    const slots = batch.puzzleIds.length;
    const hasLeft = thresholds.map(() => new Array<boolean>(slots).fill(false));
    for await (const { step, tokens, qHalt, qContinue } of predictions(model, batch, nSup, hooksAt(done))) {
      for (let slot = 0; slot < slots; slot++) {
        const margin = haltMargin(qHalt[slot]!, qContinue[slot]!, options);
        const { correct, labelled } = compare(tokens, batch.labels, slot, model.config.sequenceLength);
        if (labelled === 0) continue;
        if (step === nSup) puzzles++;
        thresholds.forEach((threshold, i) => {
          if (hasLeft[i]![slot] || (step < nSup && !(margin > threshold))) return;
          hasLeft[i]![slot] = true;
          steps[i]! += step;
          if (correct === labelled) exact[i]!++;
        });
      }
      await onProgress?.(done + Math.floor((slots * step) / nSup), set.count);
    }
    done += slots;
  }
  expectLabels(puzzles, set);
  return thresholds.map((threshold, i) => ({
    threshold,
    exact: exact[i]! / puzzles,
    meanSteps: steps[i]! / puzzles,
    computeSaved: 1 - steps[i]! / puzzles / nSup,
  }));
}
