// The entry trm-ts/node: what uses the disk. Runs with their checkpoints, and data sets in the official layout.
export { type LoadedRun, type LoadRunOptions, loadRun } from "./runs/index.node.ts";
