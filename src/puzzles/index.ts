// What lives here: Sudoku, mazes, ARC, grid tasks that you define, and puzzle data in the official layout.
// Where to start: grid-task.ts for a task on one page; sudoku/task.ts, maze/task.ts, arc/vote.ts; official-layout/layout.ts for the files.
// May import: src/trm and the folders below it, and src/formats. What uses the disk is behind index.node.ts.
export { ARC_LENGTH, ARC_VOCABULARY } from "./arc/grid.ts";
export { arcTask } from "./arc/task.ts";
export { type ArcTasks, parseArcChallenges, parseArcTask } from "./arc/tasks.ts";
export { type ArcScores, ArcVotes, OFFICIAL_KS } from "./arc/vote.ts";
export type { BuildReport } from "./build-report.ts";
export { type PuzzleRow, readPuzzleCsv, type WritableRow, writePuzzleCsv } from "./csv/puzzle-csv.ts";
export { generatedRows, ratingMeaning, ratingName, ratingOf } from "./generated-rows.ts";
export { type GridTask, type GridTaskDefinition, gridTask } from "./grid-task.ts";
export { solveMaze } from "./maze/board.ts";
export { readMazeCsv } from "./maze/csv.ts";
export { mazeTask } from "./maze/task.ts";
export {
  choiceOf,
  readTaskCsv,
  type TaskChoice,
  type TaskName,
  taskChoiceSchema,
  taskNames,
  taskOf,
  taskOfData,
  withClues,
} from "./named-task.ts";
export { identifierNames, splitInSteps, toExamples, toSplit } from "./official-layout/examples.ts";
export {
  DATASET_JSON,
  decodeSplit,
  encodeSplit,
  IDENTIFIERS_JSON,
  type PuzzleSplit,
  type SplitField,
  type SplitMetadata,
  type SplitName,
  splitFile,
} from "./official-layout/layout.ts";
export { type ExampleSource, memorySource, pickExamples, SplitBatches } from "./official-layout/split-batches.ts";
export type { SudokuSide } from "./sudoku/board.ts";
export { canonicalForm } from "./sudoku/canonical.ts";
export { readSudokuCsv } from "./sudoku/csv.ts";
export { solveSudoku } from "./sudoku/solve.ts";
export { rateGuesses, search } from "./sudoku/solver.ts";
export { sudokuTask } from "./sudoku/task.ts";
