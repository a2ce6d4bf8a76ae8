// trm-ts: the Tiny Recursive Model on a from-scratch tensor and automatic-differentiation engine.
export * as autograd from "./autograd/index.ts";
export * as formats from "./formats/index.ts";
export * as nn from "./nn/index.ts";
export * from "./puzzles/index.ts";
export {
  type CheckpointFiles,
  type CheckpointSide,
  exportWeights,
  importWeights,
  type LoadedModel,
  type LoadModelOptions,
  loadModel,
  type ModelFiles,
  packCheckpoint,
  packModel,
  parseSide,
  restoreTraining,
} from "./runs/index.ts";
export * as tensor from "./tensor/index.ts";
export * from "./trm/index.ts";
