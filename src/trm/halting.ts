// Adaptive computation time (ACT): when a puzzle halts. Paper sections 2.4 and 4.6; official code: the ACT wrapper.
import { expectInstance, expectObject, expectTokens, Random } from "../tensor/index.ts";
import type { TrainingConfig } from "./config.ts";

export type HaltingOptions = Pick<TrainingConfig, "nSup" | "continueLoss" | "haltAgainstContinue" | "refill">;

export type ExplorationOptions = Pick<TrainingConfig, "nSup" | "explorationProbability" | "refill">;

// DEVIATION: exploration — the paper's pseudocode has none; here it is on by default, as in the official code, in every preset.
/**
 * Exploration, drawn anew at every supervision step: with the given probability a minimum number of steps, uniform in 2..nSup,
 * else 0. Every slot has its own draw. With refill "batch" all slots share one, because the largest of hundreds of draws would
 * keep the batch to its last step.
 */
export function drawMinimumSteps(random: Random, slots: number, options: ExplorationOptions): Int32Array {
  expectInstance("drawMinimumSteps", "the random numbers", random, Random);
  expectObject("drawMinimumSteps", "the options", options, ["nSup", "explorationProbability"]);
  const { nSup, explorationProbability, refill } = options;
  const draw = (): number => {
    const explores = random.bernoulli(explorationProbability);
    return explores && nSup > 1 ? 2 + random.integer(nSup - 1) : 0;
  };
  return refill === "batch" ? new Int32Array(slots).fill(draw()) : Int32Array.from({ length: slots }, draw);
}

/** sigma(q_halt), the probability that the model gives to its answer being correct. */
export const haltProbability = (qHalt: number): number => 1 / (1 + Math.exp(-qHalt));

/** The halting logit that is compared with 0: q_halt, or q_halt - q_continue if q_continue takes part. */
export function haltMargin(qHalt: number, qContinue: number, options: HaltingOptions): number {
  expectObject("haltMargin", "the options", options);
  return qHalt - (options.continueLoss || options.haltAgainstContinue ? qContinue : 0);
}

/** Whether q says halt: q_halt > 0, or q_halt > q_continue. */
export function saysHalt(qHalt: number, qContinue: number, options: HaltingOptions): boolean {
  expectObject("saysHalt", "the options", options);
  return haltMargin(qHalt, qContinue, options) > 0;
}

/**
 * Which slots have halted after a training step: (last step or q says halt) and steps so far >= the exploration minimum.
 * With refill "batch" (paper) all slots halt together when this holds for every slot.
 */
export function haltedAfter(
  steps: Int32Array,
  q: { qHalt: ArrayLike<number>; qContinue: ArrayLike<number> },
  minimumSteps: Int32Array,
  options: HaltingOptions,
): boolean[] {
  expectTokens("haltedAfter", "the steps", steps);
  expectObject("haltedAfter", "q", q, ["qHalt", "qContinue"]);
  expectTokens("haltedAfter", "the minimum steps", minimumSteps, steps.length);
  expectObject("haltedAfter", "the options", options, ["nSup"]);
  const { nSup, refill } = options;
  const mayHalt = Array.from(steps, (step, i) => {
    const says = nSup > 1 && saysHalt(q.qHalt[i]!, q.qContinue[i]!, options);
    return (step >= nSup || says) && step >= minimumSteps[i]!;
  });
  return refill === "batch" ? mayHalt.fill(mayHalt.every(Boolean)) : mayHalt;
}
