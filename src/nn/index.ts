// Neural-network layers, optimizers, schedules, averages and checkpoint files, on top of src/autograd.
export { updateAverage } from "./ema.ts";
export { CheckpointError } from "./errors.ts";
export {
  Attention,
  Embedding,
  Linear,
  linearWeight,
  PuzzleEmbedding,
  type RotaryTables,
  rotaryTables,
  Swiglu,
  swigluWidth,
  truncatedNormal,
} from "./layers.ts";
export { Module } from "./module.ts";
export { Adam, type AdamOptions, type AdamRule } from "./optimizers.ts";
export * from "./safetensors.ts";
export { learningRate, type ScheduleOptions } from "./schedule.ts";
