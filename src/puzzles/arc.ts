/**
 * ARC-AGI-1, ARC-AGI-2 and ConceptARC: the parts are in arc/: grid (tokens on the 30x30 canvas), tasks (JSON), augment
 * (and back), build (the official data set), score (voting, pass@k, submission), task (what a run shows).
 */
export {
  type Augmentation,
  augmentedName,
  augmentGrid,
  NAME_SEPARATOR,
  parseAugmentedName,
  randomAugmentation,
  restoreGrid,
} from "./arc/augment.ts";
export { type ArcBuild, type ArcBuildOptions, type ArcSubset, buildArc } from "./arc/build.ts";
export {
  ARC_LENGTH,
  ARC_SIDE,
  ARC_VOCABULARY,
  cropTokens,
  gridFromRows,
  gridKey,
  gridToRows,
  gridToTokens,
} from "./arc/grid.ts";
export { arcTask } from "./arc/task.ts";
export {
  type ArcPair,
  type ArcTask,
  type ArcTasks,
  arcTasksToJson,
  parseArcChallenges,
  parseArcTask,
} from "./arc/tasks.ts";
export { type ArcScoreOptions, type ArcScores, ArcVotes, formatSubmission, OFFICIAL_KS } from "./arc/vote.ts";
