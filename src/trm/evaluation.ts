// Evaluation: the share of puzzles whose answer is correct after every supervision step. Like the official code it always runs
// N_sup steps, and reports, besides the accuracy, the step at which q would have halted. Puzzles without labels are not counted.
import { expectInstance, expectNumber, expectObject, expectWhole, Random } from "../tensor/index.ts";
import { ConfigError } from "./errors.ts";
import { type EvaluationSet, evaluationBatches, expectExamples } from "./examples.ts";
import { type HaltingOptions, saysHalt } from "./halting.ts";
import { Model } from "./model.ts";
import { type PredictionHooks, predictions } from "./prediction.ts";

/** The figures of an evaluation, after every supervision step. */
export interface Evaluation {
  /** Puzzles that have labels. Every other figure is about these. */
  readonly puzzles: number;
  /** Puzzles without any label. */
  readonly unlabelled: number;
  /** Share of puzzles whose whole answer is correct, after step 1, 2, ... */
  readonly exact: readonly number[];
  /** Share of labelled cells that are correct, after step 1, 2, ... */
  readonly cell: readonly number[];
  /** 95% Wilson interval of the last exact accuracy. */
  readonly interval95: readonly [low: number, high: number];
  /** Mean over the puzzles of the first step at which q says halt; N_sup if it never does. */
  readonly meanHaltStep: number;
  /** Number of puzzles for which q first says halt at step 1, 2, ... The other puzzles do not halt by themselves. */
  readonly haltCounts: readonly number[];
}

/** Halting, batch size, and the hooks of the supervision steps. */
export interface EvaluationOptions extends HaltingOptions, PredictionHooks {
  readonly batchSize: number;
  /**
   * Called and awaited while a batch is computed: after every supervision step (`evaluateVote`: after every pass; `evaluateHalting`:
   * after every batch). `done` counts the puzzles that the work so far amounts to. It may yield to the event loop, or throw to cancel.
   */
  readonly onProgress?: ((done: number, total: number) => void | Promise<void>) | undefined;
}

/**
 * Evaluates a model on puzzles after every supervision step. Its weights must not change meanwhile: a training step between two batches
 * would mix two models.
 *
 * @throws ConfigError if no puzzle has labels, or the puzzles do not fit the model
 */
export async function evaluate(model: Model, set: EvaluationSet, options: EvaluationOptions): Promise<Evaluation> {
  expectEvaluation("evaluate", model, set, options);
  const { nSup, batchSize, onProgress } = options;
  const hooksAt = batchHooks(options);
  const exact = new Float64Array(nSup);
  const correctCells = new Float64Array(nSup);
  const haltCounts = new Array<number>(nSup).fill(0);
  let [done, puzzles, cells, haltSteps] = [0, 0, 0, 0];
  for (const batch of evaluationBatches(set, batchSize)) {
    const slots = batch.puzzleIds.length;
    const haltStep = new Int32Array(slots); // 0: has not halted yet
    for await (const prediction of predictions(model, batch, nSup, hooksAt(done))) {
      for (let slot = 0; slot < slots; slot++) {
        const { correct, labelled } = compare(prediction.tokens, batch.labels, slot, model.config.sequenceLength);
        if (labelled === 0) continue;
        if (correct === labelled) exact[prediction.step - 1]!++;
        correctCells[prediction.step - 1]! += correct;
        if (haltStep[slot] === 0 && saysHalt(prediction.qHalt[slot]!, prediction.qContinue[slot]!, options)) {
          haltStep[slot] = prediction.step;
          haltCounts[prediction.step - 1]!++;
        }
        if (prediction.step < nSup) continue;
        puzzles++;
        cells += labelled;
        haltSteps += haltStep[slot] || nSup;
      }
      await onProgress?.(done + Math.floor((slots * prediction.step) / nSup), set.count);
    }
    done += slots;
  }
  expectLabels(puzzles, set);
  return {
    puzzles,
    unlabelled: set.count - puzzles,
    exact: Array.from(exact, (count) => count / puzzles),
    cell: Array.from(correctCells, (count) => count / cells),
    interval95: wilson95(exact[nSup - 1]!, puzzles),
    meanHaltStep: haltSteps / puzzles,
    haltCounts,
  };
}

/** The hooks of an evaluation, for the batch that begins after `done` puzzles of the set. All batches share one generator. */
export function batchHooks(options: PredictionHooks): (done: number) => PredictionHooks & { firstPuzzle: number } {
  const { random = new Random(0), firstPuzzle = 0 } = options;
  return (done) => ({ ...options, random, firstPuzzle: firstPuzzle + done });
}

/** Checks the arguments of an evaluation. @throws ArgumentError */
export function expectEvaluation(where: string, model: Model, set: EvaluationSet, options: EvaluationOptions): void {
  expectInstance(where, "the model", model, Model);
  expectObject(where, "the options", options);
  expectWhole(where, "nSup", options.nSup);
  expectWhole(where, "batchSize", options.batchSize);
  expectObject(where, "the set", set);
  if (!("batches" in set)) expectExamples(where, set);
}

/** Refuses to compute an accuracy from no puzzles. @throws ConfigError */
export function expectLabels(labelled: number, set: EvaluationSet): void {
  if (labelled > 0) return;
  throw new ConfigError(
    `evaluation: got ${set.count} puzzles without labels, expected at least one puzzle with labels`,
  );
}

/** The number of labelled cells of a slot, and how many of them are correct. Negative labels are ignored. */
export function compare(tokens: Int32Array, labels: Int32Array, slot: number, length: number) {
  let [correct, labelled] = [0, 0];
  for (let i = slot * length; i < (slot + 1) * length; i++) {
    if (labels[i]! < 0) continue;
    labelled++;
    if (tokens[i] === labels[i]) correct++;
  }
  return { correct, labelled };
}

/** 95% of the standard normal distribution lies within ± this number of standard deviations. */
const z95 = 1.959963984540054;

/** The 95% interval of a share of `successes` in `trials`. Wilson 1927: it stays within 0..1 and is accurate at the ends. */
export function wilson95(successes: number, trials: number): [low: number, high: number] {
  expectNumber("wilson95", "the trials", trials, 0);
  expectNumber("wilson95", "the successes", successes, 0, trials);
  if (trials === 0) return [0, 1];
  const share = successes / trials;
  const shrink = 1 + z95 ** 2 / trials;
  const centre = (share + z95 ** 2 / (2 * trials)) / shrink;
  const half = (z95 / shrink) * Math.sqrt((share * (1 - share)) / trials + z95 ** 2 / (4 * trials ** 2));
  // At the ends the exact bound is 0 or 1, which the subtraction misses by a rounding error.
  return [successes === 0 ? 0 : Math.max(0, centre - half), successes === trials ? 1 : Math.min(1, centre + half)];
}

/** What a second way to answer the same puzzles changes. */
export interface PairedDifference {
  /** Puzzles that the second way alone answers correctly. */
  readonly gained: number;
  /** Puzzles that the first way alone answers correctly. */
  readonly lost: number;
  /** 95% interval of the difference of the two shares, the second minus the first. */
  readonly difference95: readonly [low: number, high: number];
}

/**
 * The 95% interval of the difference of two shares of the same puzzles. It is Wald's interval for matched pairs with half a puzzle
 * added to each of the four cells of their table (Agresti and Min 2005). It is narrower than two separate intervals suggest, because
 * only the puzzles count on which the two ways differ.
 */
export function pairedDifference(gained: number, lost: number, puzzles: number): PairedDifference {
  const [b, c, n] = [gained + 0.5, lost + 0.5, puzzles + 2];
  const centre = (b - c) / n;
  const half = (z95 / n) * Math.sqrt(b + c - (b - c) ** 2 / n);
  return { gained, lost, difference95: [Math.max(-1, centre - half), Math.min(1, centre + half)] };
}
