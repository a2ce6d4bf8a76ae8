// Exponential moving average (EMA) of the weights, used for evaluation. Paper section 4.7, rate 0.999.
import { expectInstance, expectNumber, ShapeError, updateMovingAverage } from "../tensor/index.ts";
import { Module } from "./module.ts";

/** After every optimizer step: averaged = rate · averaged + (1 - rate) · weights. Both modules have the same structure. @throws ShapeError */
export function updateAverage(averaged: Module, weights: Module, rate: number): void {
  expectInstance("updateAverage", "the average", averaged, Module);
  expectInstance("updateAverage", "the weights", weights, Module);
  expectNumber("updateAverage", "the rate", rate, 0, 1);
  const [targets, sources] = [averaged.parameters(), weights.parameters()];
  if (targets.length !== sources.length) {
    throw new ShapeError(`updateAverage: got ${sources.length} weights, expected ${targets.length} as in the average`);
  }
  targets.forEach((parameter, i) => {
    updateMovingAverage(parameter.value, sources[i]!.value, rate);
  });
}

// DEVIATION: EMA warm-up — the paper and the official code have a constant rate, so that the initial random weights dominate the
// average for 1 / (1 - rate) steps, which is most of a short run. The presets `small` use the warm-up of TensorFlow's
// ExponentialMovingAverage(num_updates) instead.
/**
 * The rate of the moving average after a step, with a warm-up: min(rate, (1 + step) / (10 + step)). The average then covers about
 * the last ninth of the training, until the full rate is reached (0.99 at step 890, 0.999 at step 8,990).
 *
 * @param step  counts from 1
 */
export const warmedUpRate = (step: number, rate: number): number => Math.min(rate, (1 + step) / (10 + step));
