// Exponential moving average of a module's weights, used for evaluation. Source: paper section 4.7 (TRM), rate 0.999.
import { updateMovingAverage } from "../tensor/index.ts";
import type { Module } from "./module.ts";

/** After every optimizer step: averaged = rate · averaged + (1 - rate) · weights. Both modules have the same form. */
export function updateAverage(averaged: Module, weights: Module, rate: number): void {
  const sources = weights.parameters();
  averaged.parameters().forEach((parameter, i) => {
    updateMovingAverage(parameter.value, sources[i]!.value, rate);
  });
}
