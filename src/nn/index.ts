// What lives here: modules, layers, optimizers, the learning-rate schedule and the moving average of weights.
// Where to start: layers.ts, then optimizers.ts.
// May import: src/autograd and src/tensor. Nothing here depends on files.
export { updateAverage, warmedUpRate } from "./ema.ts";
export {
  Attention,
  Embedding,
  Linear,
  linearWeight,
  PuzzleEmbedding,
  type RotaryTables,
  rotary2dTables,
  rotaryTables,
  Swiglu,
  swigluWidth,
  truncatedNormal,
} from "./layers.ts";
export { Module } from "./module.ts";
export { Adam, type AdamOptions, type AdamRule, Optimizer, type OptimizerState } from "./optimizers.ts";
export { learningRate, type ScheduleOptions } from "./schedule.ts";
