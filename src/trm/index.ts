// The Tiny Recursive Model: recursion, halting, deep supervision, evaluation, prediction, tasks and their data.
export { type Batch, type BatchSource, ShuffledExamples } from "./batches.ts";
export { Carry } from "./carry.ts";
export {
  type Config,
  configKeys,
  effectiveDepth,
  flattenConfig,
  fullLength,
  type ModelConfig,
  ownSettings,
  parseConfig,
  type TrainingConfig,
} from "./config.ts";
export * from "./data/index.ts";
export { answersAtExit, type EarlyExitOptions, type ExitAnswers } from "./early-exit.ts";
export { ConfigError, DatasetError, PuzzleError } from "./errors.ts";
export { type Evaluation, type EvaluationOptions, evaluate, wilson95 } from "./evaluation.ts";
export { drawMinimumSteps, haltedAfter, haltMargin, saysHalt } from "./halting.ts";
export {
  evaluateHalting,
  type HaltingEvaluation,
  type SweepPoint,
  sweepHalting,
  sweepThresholds,
} from "./halting-evaluation.ts";
export { ignoredLabel, lossOf } from "./losses.ts";
export { Model } from "./model.ts";
export { type Answer, answers, type Question } from "./prediction.ts";
export { deepRecursion, type Latents, latentRecursion, type Net, type Recursive } from "./recursion.ts";
export * from "./tasks/arc.ts";
export { type GridTaskDefinition, gridTask } from "./tasks/grid-task.ts";
export * from "./tasks/maze.ts";
export * from "./tasks/sudoku.ts";
export * from "./tasks/task.ts";
export { type StepMetrics, Training, type TrainingHooks } from "./training.ts";
export { exportWeights, importWeights } from "./weights.ts";
