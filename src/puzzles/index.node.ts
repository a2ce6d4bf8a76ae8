// What lives here: puzzle data on the disk: builders of data sets, splits that stay on the disk, and the ARC evaluation.
// Where to start: official-layout/layout.node.ts, then csv/build.node.ts and arc/build.node.ts.
// May import: index.ts of this folder and of the folders below, their index.node.ts, and Node's modules.
export { buildArcFiles } from "./arc/build.node.ts";
export { type ArcEvaluation, evaluateArc } from "./arc/evaluation.node.ts";
export { readArcNames, readArcPredictions, scoreArc, writeArcScores } from "./arc/score.node.ts";
export { buildMaze, buildSudoku } from "./csv/build.node.ts";
export {
  dataSettings,
  hasTestSplit,
  openDataSplit,
  readDataMetadata,
} from "./official-layout/data-folder.node.ts";
export {
  type Dataset,
  type DatasetContents,
  openDataset,
  readDataTask,
  writeDataset,
} from "./official-layout/dataset.node.ts";
export { holdsDataset, readIdentifiers } from "./official-layout/layout.node.ts";
export { type ChosenTask, isModulePath, loadTaskModule, resolveTask } from "./task-module.node.ts";
