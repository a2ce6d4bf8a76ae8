// Learning-rate schedule: linear warm-up, then half a cosine down to a fraction of the base rate.
import { expectObject } from "../tensor/index.ts";

/** A learning-rate schedule. */
export interface ScheduleOptions {
  readonly base: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
  /** Fraction of `base` at the end. With 1 the rate is constant after the warm-up. */
  readonly minRatio: number;
}

/** The rate of a step. The first step of a training is 1. */
export function learningRate(step: number, options: ScheduleOptions): number {
  expectObject("learningRate", "the options", options, ["base", "warmupSteps", "totalSteps", "minRatio"]);
  const { base, warmupSteps, totalSteps, minRatio } = options;
  if (step < warmupSteps) return (base * step) / Math.max(1, warmupSteps);
  // DEVIATION: training beyond totalSteps — the official code ends there; here the rate stays at its minimum, where the cosine
  // alone would rise again.
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
  return base * (minRatio + Math.max(0, (1 - minRatio) * 0.5 * (1 + Math.cos(Math.PI * progress))));
}
