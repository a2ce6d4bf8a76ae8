// Exponential moving average (EMA) of the weights, used for evaluation. Paper section 4.7, rate 0.999.
import { updateMovingAverage } from "../tensor/index.ts";
import type { Module } from "./module.ts";

/** After every optimizer step: averaged = rate · averaged + (1 - rate) · weights. Both modules have the same structure. */
export function updateAverage(averaged: Module, weights: Module, rate: number): void {
  const sources = weights.parameters();
  averaged.parameters().forEach((parameter, i) => {
    updateMovingAverage(parameter.value, sources[i]!.value, rate);
  });
}
