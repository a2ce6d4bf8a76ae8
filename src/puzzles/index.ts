// What lives here: Sudoku, mazes, ARC, grid tasks that you define, and puzzle data in the official layout.
// Where to start: grid-task.ts for a task of one page, then sudoku/task.ts, maze/task.ts and arc/task.ts; official-layout/layout.ts for the files.
// May import: src/trm and what is below it, and src/formats. What uses the disk is behind index.node.ts.
export * from "./arc.ts";
export type { BuildReport } from "./build-report.ts";
export { type PuzzleRow, readPuzzleCsv, writePuzzleCsv } from "./csv/puzzle-csv.ts";
export { generatedRows, ratingMeaning } from "./generated-rows.ts";
export { type GridTaskDefinition, gridTask } from "./grid-task.ts";
export * from "./maze/task.ts";
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
export { identifierNames, toExamples, toSplit } from "./official-layout/examples.ts";
export {
  DATASET_JSON,
  decodeSplit,
  encodeSplit,
  formatMetadata,
  IDENTIFIERS_JSON,
  type PuzzleSplit,
  parseIdentifiers,
  parseMetadata,
  type SplitField,
  type SplitIndex,
  type SplitMetadata,
  type SplitName,
  splitFile,
  splitMetadata,
} from "./official-layout/layout.ts";
export { type ExampleSource, memorySource, pickExamples, SplitBatches } from "./official-layout/split-batches.ts";
export { MemorySink, SplitBuilder } from "./official-layout/split-builder.ts";
export * from "./sudoku/task.ts";
