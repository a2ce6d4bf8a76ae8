// The entry trm-ts/node: what uses the disk. Runs with their checkpoints, and data sets in the official layout.
export { type Dataset, type DatasetContents, openDataset, writeDataset } from "./puzzles/index.node.ts";
export {
  type CheckpointPlace,
  type LoadedRun,
  type LoadRunOptions,
  LockError,
  loadRun,
  OccupiedError,
  type ResumedRun,
  type ResumeRunOptions,
  resumeRun,
  type SaveRunOptions,
  saveRun,
} from "./runs/index.node.ts";
