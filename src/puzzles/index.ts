// What lives here: Sudoku, mazes, ARC, grid tasks that you define, and puzzle data in the official layout.
// Where to start: grid-task.ts for a task of one page; then sudoku.ts, maze.ts and arc.ts; data/layout.ts for the files.
// May import: src/trm and what is below it, and src/formats. What uses the disk is behind index.node.ts.
export * from "./arc.ts";
export type { BuildReport } from "./data/build-report.ts";
export { identifierNames, toExamples, toSplit } from "./data/examples.ts";
export {
  DATASET_JSON,
  decodeSplit,
  encodeSplit,
  formatMetadata,
  type PuzzleSplit,
  parseIdentifiers,
  parseMetadata,
  type SplitIndex,
  type SplitMetadata,
  type SplitName,
  splitMetadata,
} from "./data/layout.ts";
export { type PuzzleRow, readPuzzleCsv, writePuzzleCsv } from "./data/puzzle-csv.ts";
export { type ExampleSource, memorySource, pickExamples, SplitBatches } from "./data/split-batches.ts";
export { MemorySink, SplitBuilder } from "./data/split-builder.ts";
export { generatedRows, ratingMeaning } from "./generated-rows.ts";
export { type GridTaskDefinition, gridTask } from "./grid-task.ts";
export * from "./maze.ts";
export {
  readTaskCsv,
  type TaskChoice,
  type TaskName,
  taskChoiceSchema,
  taskNames,
  taskOf,
  taskOfData,
  withClues,
} from "./named-task.ts";
export * from "./sudoku.ts";
