// The puzzles of a run that trains on a data set in the official layout: the train split is read as it is needed, and some
// examples of the test split are watched.

import { hasTestSplit, openDataSplit } from "../puzzles/index.node.ts";
import { pickExamples, SplitBatches } from "../puzzles/index.ts";
import type { RunSets } from "../runs/index.ts";
import { Random } from "../tensor/index.ts";
import type { Config, Examples } from "../trm/index.ts";

export interface RunData {
  readonly stream: SplitBatches;
  /** Nothing but the watched examples is in memory. */
  readonly sets: RunSets;
  /** Examples in the two splits. */
  readonly counts: { readonly train: number; readonly unseen: number };
}

/** @param watched  test examples to be measured during training */
export function openRunData(folder: string, config: Config, watched: number): RunData {
  const { batchSize, seed } = config.training;
  const train = openDataSplit(folder, "train", config.model);
  const groups = train.groupIndices.length - 1;
  const stream = new SplitBatches(train, {
    seed: new Random(seed).integer(2 ** 31),
    // As the official loader, every epoch drops its partial batch; unless the set is smaller than one batch.
    epochsPerPass: Math.ceil(batchSize / groups),
  });
  const none: Examples = {
    count: 0,
    length: config.model.sequenceLength,
    inputs: new Int32Array(0),
    labels: new Int32Array(0),
  };
  const sets = { train: none, watch: none, unseen: none };
  if (!hasTestSplit(folder)) return { stream, sets, counts: { train: train.count, unseen: 0 } };
  const test = openDataSplit(folder, "test", config.model);
  const counts = { train: train.count, unseen: test.count };
  const watch = pickExamples(test, watched);
  test.close();
  return { stream, sets: { ...sets, watch }, counts };
}
