// Epochs and training steps. The official code plans its runs in epochs; an epoch draws one puzzle of every group.

/** Training steps of a number of epochs, rounded as in the official code, but at least one. */
export const stepsOfEpochs = (epochs: number, examplesPerEpoch: number, batchSize: number): number =>
  Math.min(Number.MAX_SAFE_INTEGER, Math.max(1, Math.floor((epochs * examplesPerEpoch) / batchSize)));

/** The smallest number of epochs with at least this number of steps. */
export const epochsOfSteps = (steps: number, examplesPerEpoch: number, batchSize: number): number =>
  Math.max(1, Math.ceil((steps * batchSize) / Math.max(examplesPerEpoch, 1)));

/** Examples per epoch of a data set: one puzzle of every group, with the mean number of examples per puzzle. */
export const examplesPerEpoch = (metadata: {
  readonly groupCount: number;
  readonly meanPuzzleExamples: number;
}): number => metadata.groupCount * metadata.meanPuzzleExamples;
