// Evaluation: how many puzzles are right after every supervision step. Like the official code it always runs N_sup steps; the
// step at which q would have stopped is reported beside it.
import { type EvaluationSet, evaluationBatches } from "./examples.ts";
import { type HaltingOptions, saysHalt } from "./halting.ts";
import type { Model } from "./model.ts";
import { predictions } from "./prediction.ts";

export interface Evaluation {
  readonly puzzles: number;
  /** Share of puzzles whose whole answer is right, after step 1, 2, ... */
  readonly exact: readonly number[];
  /** Share of all cells that are right, after step 1, 2, ... */
  readonly cell: readonly number[];
  /** 95% Wilson interval of the last exact accuracy. */
  readonly interval95: readonly [low: number, high: number];
  /** Mean over the puzzles of the first step at which q says stop; N_sup where it never does. */
  readonly meanHaltStep: number;
}

export interface EvaluationOptions extends HaltingOptions {
  readonly batchSize: number;
  /** Called, and awaited, after every batch: the place to let other events in, or to throw. */
  readonly onProgress?: ((done: number, total: number) => void | Promise<void>) | undefined;
}

export async function evaluate(model: Model, set: EvaluationSet, options: EvaluationOptions): Promise<Evaluation> {
  const { nSup, batchSize, onProgress } = options;
  const puzzles = set.count;
  const exact = new Float64Array(nSup);
  const rightCells = new Float64Array(nSup);
  let [done, cells, haltSteps] = [0, 0, 0];
  for (const batch of evaluationBatches(set, batchSize)) {
    const slots = batch.puzzleIds.length;
    const haltStep = new Int32Array(slots).fill(nSup);
    for await (const prediction of predictions(model, batch, nSup)) {
      for (let slot = 0; slot < slots; slot++) {
        const { right, asked } = compare(prediction.tokens, batch.labels, slot, model.config.sequenceLength);
        if (right === asked) exact[prediction.step - 1]!++;
        rightCells[prediction.step - 1]! += right;
        if (prediction.step === 1) cells += asked;
        if (
          prediction.step < haltStep[slot]! &&
          saysHalt(prediction.qHalt[slot]!, prediction.qContinue[slot]!, options)
        ) {
          haltStep[slot] = prediction.step;
        }
      }
    }
    haltSteps += haltStep.reduce((sum, step) => sum + step, 0);
    done += slots;
    await onProgress?.(done, puzzles);
  }
  return {
    puzzles,
    exact: Array.from(exact, (right) => right / puzzles),
    cell: Array.from(rightCells, (right) => right / cells),
    interval95: wilson95(exact[nSup - 1]!, puzzles),
    meanHaltStep: haltSteps / puzzles,
  };
}

/** How many cells of a slot are asked for, and how many of them are right. Negative labels are not asked for. */
export function compare(tokens: Int32Array, labels: Int32Array, slot: number, length: number) {
  let [right, asked] = [0, 0];
  for (let i = slot * length; i < (slot + 1) * length; i++) {
    if (labels[i]! < 0) continue;
    asked++;
    if (tokens[i] === labels[i]) right++;
  }
  return { right, asked };
}

/** The 95% interval of a share of `successes` in `trials`. Wilson 1927: it stays within 0..1 and is honest at the ends. */
export function wilson95(successes: number, trials: number): [low: number, high: number] {
  if (trials === 0) return [0, 1];
  const z = 1.959963984540054;
  const share = successes / trials;
  const shrink = 1 + z ** 2 / trials;
  const centre = (share + z ** 2 / (2 * trials)) / shrink;
  const half = (z / shrink) * Math.sqrt((share * (1 - share)) / trials + z ** 2 / (4 * trials ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
