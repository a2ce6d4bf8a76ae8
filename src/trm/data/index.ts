/**
 * Puzzle data as bytes and text, for Node and pages alike: the official layout, .npy, the official CSV, batches of a split.
 * What reads and writes disks is in the *.node.ts files beside this one.
 */
export { identifierNames, toExamples, toSplit } from "./examples.ts";
export { generatedRows, ratingMeaning } from "./generated-rows.ts";
export {
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
} from "./layout.ts";
export { type NpyArray, type NpyData, type NpyDtype, parseNpy, serializeNpy } from "./npy.ts";
export { type PuzzleRow, readPuzzleCsv, writePuzzleCsv } from "./puzzle-csv.ts";
export {
  type EvaluationSet,
  type ExampleSource,
  evaluationBatches,
  memorySource,
  pickExamples,
  SplitBatches,
} from "./split-batches.ts";
export { MemorySink, SplitBuilder } from "./split-builder.ts";
