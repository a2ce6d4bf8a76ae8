// Adaptive computation time: when a puzzle stops. Paper section 2.4 and 4.6; official code: the ACT wrapper.
import type { Random } from "../tensor/index.ts";
import type { TrainingConfig } from "./config.ts";

export type HaltingOptions = Pick<TrainingConfig, "nSup" | "continueLoss" | "haltAgainstContinue" | "refill">;

export type ExplorationOptions = Pick<TrainingConfig, "nSup" | "explorationProbability" | "refill">;

/**
 * Exploration, drawn anew at every supervision step: with the given probability a minimum of steps, uniform in 2..nSup, else 0.
 * For every slot its own; with refill "batch" one for all, because the largest of hundreds would keep the batch to its last step.
 */
export function drawMinimumSteps(random: Random, slots: number, options: ExplorationOptions): Int32Array {
  const { nSup, explorationProbability, refill } = options;
  const draw = (): number => {
    const explores = random.bernoulli(explorationProbability);
    return explores && nSup > 1 ? 2 + random.integer(nSup - 1) : 0;
  };
  return refill === "batch" ? new Int32Array(slots).fill(draw()) : Int32Array.from({ length: slots }, draw);
}

/** By how much q says stop: q_halt, or q_halt - q_continue where that is trained (or asked for). */
export const haltMargin = (qHalt: number, qContinue: number, options: HaltingOptions): number =>
  qHalt - (options.continueLoss || options.haltAgainstContinue ? qContinue : 0);

/** Whether q says stop: q_halt > 0, or q_halt > q_continue. */
export const saysHalt = (qHalt: number, qContinue: number, options: HaltingOptions): boolean =>
  haltMargin(qHalt, qContinue, options) > 0;

/**
 * Which slots are done after a training step: (last step or q says stop) and steps so far >= the exploration minimum.
 * With refill "batch" (paper) all of them when that holds for every one, else none.
 */
export function haltedAfter(
  steps: Int32Array,
  q: { qHalt: ArrayLike<number>; qContinue: ArrayLike<number> },
  minimumSteps: Int32Array,
  options: HaltingOptions,
): boolean[] {
  const { nSup, refill } = options;
  const mayStop = Array.from(steps, (step, i) => {
    const says = nSup > 1 && saysHalt(q.qHalt[i]!, q.qContinue[i]!, options);
    return (step >= nSup || says) && step >= minimumSteps[i]!;
  });
  return refill === "batch" ? mayStop.map((_, __, all) => all.every(Boolean)) : mayStop;
}
