// Evaluation: how many puzzles are right after every supervision step. Like the official code it always runs N_sup steps; the
// step at which q would have stopped is reported beside it.
import { type HaltingOptions, saysHalt } from "./halting.ts";
import type { Model } from "./model.ts";
import { answers } from "./prediction.ts";
import type { Examples } from "./tasks/task.ts";

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

/** @param examples  questions and answers; a label of 0 or less counts for nothing */
export async function evaluate(model: Model, examples: Examples, options: EvaluationOptions): Promise<Evaluation> {
  const { nSup, batchSize, onProgress } = options;
  const { count, length, inputs, labels } = examples;
  const exact = new Float64Array(nSup);
  const rightCells = new Float64Array(nSup);
  let cells = 0;
  let haltSteps = 0;
  for (let start = 0; start < count; start += batchSize) {
    const end = Math.min(start + batchSize, count);
    const expected = labels.subarray(start * length, end * length);
    const haltStep = new Int32Array(end - start).fill(nSup);
    for await (const answer of answers(model, { inputs: inputs.slice(start * length, end * length) }, nSup)) {
      for (let slot = 0; slot < end - start; slot++) {
        const { right, asked } = compare(answer.tokens, expected, slot * length, length);
        if (right === asked) exact[answer.step - 1]!++;
        rightCells[answer.step - 1]! += right;
        if (answer.step === 1) cells += asked;
        if (answer.step < haltStep[slot]! && saysHalt(answer.qHalt[slot]!, answer.qContinue[slot]!, options)) {
          haltStep[slot] = answer.step;
        }
      }
    }
    haltSteps += haltStep.reduce((sum, step) => sum + step, 0);
    await onProgress?.(end, count);
  }
  return {
    puzzles: count,
    exact: Array.from(exact, (right) => right / count),
    cell: Array.from(rightCells, (right) => right / cells),
    interval95: wilson95(exact[nSup - 1]!, count),
    meanHaltStep: haltSteps / count,
  };
}

function compare(
  tokens: Int32Array,
  labels: Int32Array,
  start: number,
  length: number,
): { right: number; asked: number } {
  let [right, asked] = [0, 0];
  for (let i = start; i < start + length; i++) {
    if (labels[i]! <= 0) continue;
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
