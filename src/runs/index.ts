// What lives here: runs (trainings that are stored in a folder), checkpoints, presets, the ablation, exchange with the official code.
// Where to start: checkpoint.ts for the checkpoint format, run-folder.node.ts for the folder, exchange/ for official files.
// May import: src/puzzles and the folders below it, and src/formats. Code that uses the disk is exported by index.node.ts.
export { type AblationCell, measureSpeed, operationsOfAll, stepsFor, trainCell } from "./ablation/cell.ts";
export { type AblationAbout, ablationTable, reportRow } from "./ablation/report.ts";
export { type AblationRow, ablated, ablationRows, everyRow, laterRows } from "./ablation/rows.ts";
export {
  type CheckpointAbout,
  type CheckpointFiles,
  type CheckpointSide,
  evaluatedFile,
  expectEnoughWeights,
  isAsGood,
  packCheckpoint,
  parseSide,
  restoreTraining,
} from "./checkpoint.ts";
export type { DataFingerprint } from "./data-fingerprint.ts";
export { examplesPerEpoch, stepsOfEpochs } from "./epochs.ts";
export { isOfficialForm, readOfficialSettings, type Target, targets } from "./exchange/official-config.ts";
export {
  expectTaskFits,
  type LoadedModel,
  type LoadModelOptions,
  loadModel,
  type ModelFiles,
  packModel,
} from "./load-model.ts";
export {
  haltingShare,
  type Metrics,
  type MetricsLine,
  metricsCsv,
  type StepLine,
  type UnseenLine,
} from "./metrics.ts";
export { modelFrom } from "./model-files.ts";
export { type DataSizes, type Preset, type PresetName, presetFor, presetNames, presetSummaries } from "./presets.ts";
export type { RunSets } from "./run-sets.ts";
export { exportWeights, importWeights } from "./weights.ts";
export { WorkClock } from "./work-clock.ts";
