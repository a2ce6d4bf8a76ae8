// What lives here: the algorithm. Recursion, network, deep supervision, halting, training, prediction and evaluation.
// Where to start: recursion.ts, then training.ts.
// May import: src/nn, src/autograd and src/tensor. Nothing here depends on a particular puzzle or on files.
export { randomStateSchema, ShuffledExamples } from "./batches.ts";
export { Carry } from "./carry.ts";
export {
  type Config,
  configKeys,
  effectiveDepth,
  flattenConfig,
  fullLength,
  type ModelConfig,
  modelKeys,
  ownSettings,
  parseConfig,
  puzzleSlots,
  type Settings,
  type TrainingConfig,
} from "./config.ts";
export { depthCurriculum, operationsOf, RevealedExamples } from "./curriculum.ts";
export { type EarlyExitOptions, type ExitPredictions, predictionsAtExit } from "./early-exit.ts";
export { ConfigError, PuzzleError } from "./errors.ts";
export {
  type Evaluation,
  type EvaluationOptions,
  evaluate,
  type PairedDifference,
  pairedDifference,
  wilson95,
} from "./evaluation.ts";
export {
  type Batch,
  type BatchSource,
  type EvaluationSet,
  type ExampleSets,
  type Examples,
  evaluationBatches,
  expectExamples,
  packExamples,
  type StoredExamples,
  sliceExamples,
  type TokenPair,
  trainingLabels,
} from "./examples.ts";
export { type SolverSettings, solveFixedPoint, solvers } from "./fixed-point.ts";
export { trainingFlops } from "./flops.ts";
export { drawMinimumSteps, haltedAfter, haltMargin, haltProbability, saysHalt } from "./halting.ts";
export {
  evaluateHalting,
  type HaltingEvaluation,
  type SweepPoint,
  sweepHalting,
  sweepThresholds,
} from "./halting-evaluation.ts";
export { ignoredLabel, type LossFunction, type LossParts, lossOf } from "./losses.ts";
export { trainingBytes } from "./micro-batch.ts";
export { Model } from "./model.ts";
export { damping, noiseOnZ, randomStarts } from "./noise.ts";
export {
  fromOfficialSystem,
  officialPuzzleTable,
  officialStateName,
  officialWeightName,
} from "./official-names.ts";
export { type Answer, type PredictOptions, predict } from "./predict.ts";
export { type Prediction, type PredictionHooks, predictions, type Question } from "./prediction.ts";
export {
  type Probe,
  type ProbeOptions,
  probe,
  type ReliabilityBin,
  type Share,
  type ShareOfRange,
} from "./probe.ts";
export { deepRecursion, latentRecursion, type Network, type State } from "./recursion.ts";
export {
  answersOf,
  evaluateRollouts,
  expectedPassAtK,
  predictRollouts,
  type Rollout,
  type RolloutAnswer,
  type RolloutEvaluation,
  type RolloutOptions,
  type RolloutSelection,
  type RolloutSettings,
  type RolloutShares,
  rolloutSelections,
  selectRollout,
} from "./rollouts.ts";
export { inEnglish, issueText } from "./schema-messages.ts";
export type { RolloutKey, StepContext, StepHooks, UpdateContext } from "./step-hooks.ts";
export { type GenerateOptions, isCorrect, misfitOf, type Task, type TaskSymmetry } from "./task.ts";
export {
  recordTrace,
  type Trace,
  type TraceAbout,
  type TraceFrame,
  type TraceHeader,
  type TraceOptions,
  type TraceTensors,
  trace,
  traceHeader,
  traceTensors,
} from "./trace.ts";
export { type Plane, type PositionBasis, traceBasis } from "./trace-basis.ts";
export {
  type CreateModel,
  type Observed,
  type StepMetrics,
  Training,
  type TrainingHooks,
  type TrainingState,
} from "./training.ts";
export type { AroundUpdate, Latents, Recursion, Update, Variant } from "./variants.ts";
export {
  type Ballot,
  electBallot,
  evaluateVote,
  type VoteEvaluation,
  type VoteSettings,
  type VoteShares,
} from "./vote.ts";
export { weightCount } from "./weight-count.ts";
