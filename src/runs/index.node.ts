// What lives here: run folders on the disk with their locks, checkpoints and metrics; import and export of official files.
// Where to start: run-folder.node.ts, then checkpoint-folder.node.ts.
// May import: index.ts of this folder, index.ts and index.node.ts of the folders below, and Node's modules.
export {
  type AblationPlan,
  isAblation,
  lockAblation,
  maxSeeds,
  readCells,
  readPlan,
  readUnfinished,
  saveUnfinished,
  writeCell,
  writePlan,
} from "./ablation/folder.node.ts";
export {
  type CheckpointChoice,
  checkpointChoices,
  type EvaluatedStep,
  readCheckpoint,
  runFolderOf,
} from "./checkpoint-folder.node.ts";
export {
  evaluationFingerprint,
  fingerprintOfFolder,
  fingerprintOfSets,
  verifyData,
} from "./data-fingerprint.node.ts";
export { exportRun } from "./exchange/export.node.ts";
export {
  averageBeside,
  type ConfigFile,
  configFor,
  dataOf,
  isExported,
  readOfficialConfig,
  readRunSets,
  readWeights,
} from "./exchange/import.node.ts";
export { LockError } from "./folder-lock.node.ts";
export { type InitialWeights, readInitialWeights } from "./initial-weights.node.ts";
export { type CheckpointPlace, isModelFolder, type LoadedRun, type LoadRunOptions, loadRun } from "./load-run.node.ts";
export { readCourse, readMetrics } from "./metrics-log.node.ts";
export {
  dataFolderOf,
  folderState,
  moveRunAside,
  OccupiedError,
  previousOf,
  type RunAbout,
  readSets,
  runFileIn,
  runOfFile,
  unseenFile,
  WritableRun,
} from "./run-folder.node.ts";
export {
  puzzlesInMemory,
  puzzlesOfRun,
  type RunPuzzles,
  storedPuzzles,
} from "./run-puzzles.node.ts";
export { type ResumedRun, type ResumeRunOptions, resumeRun, type SaveRunOptions, saveRun } from "./save-run.node.ts";
