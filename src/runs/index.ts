// What lives here: everything about a run that lasts. Checkpoints, presets, the ablation, and the exchange with the official code.
// Where to start: checkpoint.ts for the format; run-folder.node.ts for the folder; exchange/ for the official names and files.
// May import: src/puzzles and what is below it, and src/formats. What uses the disk is behind index.node.ts.
export { type AblationCell, measureSpeed, stepsFor, trainCell } from "./ablation/cell.ts";
export { type AblationAbout, ablationTable, reportRow } from "./ablation/report.ts";
export { type AblationRow, ablated, ablationRows } from "./ablation/rows.ts";
export {
  type CheckpointFiles,
  type CheckpointSide,
  evaluatedFile,
  modelFrom,
  packCheckpoint,
  restoreTraining,
} from "./checkpoint.ts";
export { settingsOfOfficial, type Target, targets } from "./exchange/official-config.ts";
export { type DataSizes, type PresetName, presetFor, presetNames, presetSummaries } from "./presets.ts";
export type { RunSets } from "./run-sets.ts";
export { exportWeights, importWeights } from "./weights.ts";
