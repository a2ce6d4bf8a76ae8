// Gradient accumulation: a batch that is computed in parts trains like the whole batch, up to rounding.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { type Observed, parseConfig, ShuffledExamples, Training } from "../../src/trm/index.ts";
import { microBatchOf, tapeBytesPerSlot } from "../../src/trm/micro-batch.ts";

const task = sudokuTask(4);
const { train } = task.generate({ train: 64, test: 1, seed: 3 });
const small = {
  vocabularySize: task.vocabularySize,
  sequenceLength: task.sequenceLength,
  hiddenSize: 16,
  heads: 2,
  widthMultiple: 8,
  T: 2,
  n: 2,
  batchSize: 6,
  nSup: 3,
  learningRate: 1e-3,
  warmupSteps: 5,
  weightDecay: 0.1,
};

/** Losses and gradients of three steps that are computed in parts of `microBatch` slots. */
async function steps(settings: Record<string, unknown>, microBatch: number) {
  const seen: { loss: number; gradients: Promise<ArrayLike<number>>[] }[] = [];
  let gradients: Promise<ArrayLike<number>>[] = [];
  const observe = (observed: Observed): void => {
    const tensors = [observed.logits, observed.q, ...observed.gradients.values()];
    if (observed.puzzleGradient) tensors.push(observed.puzzleGradient);
    gradients = tensors.map((tensor) => tensor.data());
  };
  const training = new Training(parseConfig({ ...small, ...settings }), new ShuffledExamples(train, 5), {
    observe,
    microBatch,
  });
  for (let step = 0; step < 3; step++) {
    const { loss } = await training.supervisionStep();
    seen.push({ loss, gradients });
  }
  training.dispose();
  return seen;
}

describe("a batch in parts", () => {
  it("has the losses and gradients of the whole batch, whatever the size of the parts", async () => {
    const variants = [{}, { continueLoss: true, separateNets: true }, { puzzleEmbeddingSize: 8, puzzleSlots: 1 }];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...variants), fc.integer({ min: 1, max: 5 }), async (settings, microBatch) => {
        const [whole, parts] = [await steps(settings, 6), await steps(settings, microBatch)];
        for (const [i, step] of whole.entries()) {
          expect(Math.abs(parts[i]!.loss - step.loss) / step.loss).toBeLessThan(1e-4);
          for (const [k, gradient] of step.gradients.entries()) {
            const [expected, got] = [await gradient, await parts[i]!.gradients[k]!];
            const scale = Math.max(...Array.from(expected, Math.abs), 1e-6);
            const error = Math.max(...Array.from(expected, (value, j) => Math.abs(value - got[j]!)));
            expect(error / scale).toBeLessThan(2e-3);
          }
        }
      }),
      { numRuns: 12 },
    );
  });
});

describe("the size of the parts", () => {
  it("is the whole batch for a small model", () => {
    expect(microBatchOf(parseConfig(small))).toBe(6);
  });

  it("keeps the tape of the official Sudoku settings below two gigabytes", () => {
    const official = parseConfig({ vocabularySize: 11, sequenceLength: 81, puzzleEmbeddingSize: 512 });
    const size = microBatchOf(official);
    expect(size * tapeBytesPerSlot(official.model)).toBeLessThan(2e9);
    expect(size).toBeGreaterThan(8);
  });
});
