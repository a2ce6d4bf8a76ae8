// Gradient accumulation: a batch that is computed in parts trains like the whole batch, up to rounding.
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { defaultBackend, MemoryError } from "../../src/tensor/index.ts";
import {
  type Config,
  type Observed,
  parseConfig,
  type Settings,
  ShuffledExamples,
  Training,
} from "../../src/trm/index.ts";
import { microBatchOf, tapeBytesPerSlot, trainingBytes } from "../../src/trm/micro-batch.ts";

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

/** Bytes of all tensors when the loss of the first step has been computed: the tape is at its largest. */
async function bytesAtLoss(config: Config): Promise<number> {
  let bytes = Number.NaN;
  const training = new Training(config, new ShuffledExamples(train, 5), {
    loss: ({ total }) => {
      bytes = total.value.backend.memory().liveBytes;
      return total;
    },
  });
  await training.supervisionStep();
  training.dispose();
  return bytes;
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

describe("the progress within a step", () => {
  const partsOf = async (microBatch: number): Promise<number[][]> => {
    const training = new Training(parseConfig(small), new ShuffledExamples(train, 5), { microBatch });
    const seen: number[][] = [];
    await training.supervisionStep((slots, of) => void seen.push([slots, of]));
    training.dispose();
    return seen;
  };

  it("is reported after every part of a batch", async () => {
    expect(await partsOf(4)).toEqual([
      [4, 6],
      [6, 6],
    ]);
  });

  it("leaves no memory behind if the caller gives the step up", async () => {
    const training = new Training(parseConfig(small), new ShuffledExamples(train, 5), { microBatch: 2 });
    const liveBytes = (): number => defaultBackend().memory().liveBytes;
    const giveUpAt = (part: number) => (slots: number) => {
      if (slots === part) throw new Error("given up");
    };
    await expect(training.supervisionStep(giveUpAt(2))).rejects.toThrow("given up");
    const before = liveBytes();
    await expect(training.supervisionStep(giveUpAt(6))).rejects.toThrow("given up");
    expect(liveBytes()).toBe(before);
    training.dispose();
  });

  it("leaves no memory behind if a later part fails", async () => {
    let losses = 0;
    const training = new Training(parseConfig(small), new ShuffledExamples(train, 5), {
      microBatch: 2,
      loss: ({ total }) => {
        losses++;
        if (losses % 3 === 0) throw new Error("no memory");
        return total;
      },
    });
    const liveBytes = (): number => defaultBackend().memory().liveBytes;
    await expect(training.supervisionStep()).rejects.toThrow("no memory");
    const before = liveBytes();
    await expect(training.supervisionStep()).rejects.toThrow("no memory");
    expect(liveBytes()).toBe(before);
    training.dispose();
  });

  it("leaves no memory behind if the memory ends at any tensor", async () => {
    const backend = defaultBackend();
    const training = new Training(parseConfig(small), new ShuffledExamples(train, 5), { microBatch: 2 });
    await training.supervisionStep();
    const before = backend.memory().liveBytes;
    const allocate = backend.allocate.bind(backend);
    for (let last = 0, isDone = false; !isDone; last++) {
      let left = last;
      const limited = vi.spyOn(backend, "allocate").mockImplementation((length, dtype) => {
        if (left-- === 0) throw new MemoryError("no memory");
        return allocate(length, dtype);
      });
      const ended = await training.supervisionStep().then(
        () => "done",
        (error: Error) => error.message,
      );
      limited.mockRestore();
      isDone = ended === "done";
      if (!isDone) expect([last, ended, backend.memory().liveBytes]).toEqual([last, "no memory", before]);
    }
    training.dispose();
  });

  it("is not reported if the batch is computed as a whole", async () => expect(await partsOf(6)).toEqual([]));
});

describe("the size of the parts", () => {
  it("is at least one slot", () => {
    for (const microBatch of [0, 1.5, Number.NaN]) {
      expect(() => new Training(parseConfig(small), new ShuffledExamples(train, 5), { microBatch })).toThrow(
        `Training: got ${microBatch} as microBatch, expected a whole number from 1`,
      );
    }
  });

  it("is the whole batch for a small model", () => {
    expect(microBatchOf(parseConfig(small))).toBe(6);
  });

  it("is estimated from what a training really keeps on its tape", async () => {
    const wide = { ...small, hiddenSize: 32, n: 4, layers: 3 };
    const variants: Record<string, unknown>[] = [
      {},
      { mixer: "attention" },
      { oneStepGradient: true },
      { separateNets: true, layersY: 1 },
      { recursion: "direct" },
    ];
    for (const settings of variants) {
      const config = (batchSize: number) => parseConfig({ ...wide, ...settings, batchSize } as Settings);
      const perSlot = ((await bytesAtLoss(config(48))) - (await bytesAtLoss(config(16)))) / 32;
      const estimate = tapeBytesPerSlot(config(1).model);
      expect(estimate / perSlot).toBeGreaterThan(0.9);
      expect(estimate / perSlot).toBeLessThan(1.15);
    }
  });

  it("counts the fixed point's steps on the tape instead of n", () => {
    const bytes = (settings: Record<string, unknown>) =>
      tapeBytesPerSlot(parseConfig({ ...small, ...settings } as Settings).model);
    expect(bytes({ recursion: "fixedPoint", gradientSteps: 2, n: 6 })).toBe(bytes({ n: 2 }));
  });

  it("is announced with the memory of tape, carry, weights, moments, gradients and average", () => {
    const bytes = (settings: Record<string, unknown>, parameters: number) =>
      trainingBytes(parseConfig({ ...small, ...settings } as Settings), parameters);
    expect(bytes({}, 1e6) - bytes({}, 0)).toBe(4 * 6e6);
    expect(bytes({ emaRate: 0 }, 1e6) - bytes({ emaRate: 0 }, 0)).toBe(4 * 5e6);
    const latents = (count: number) => 4 * 3 * 6 * count * 16 * 16; // three times [6, 16, 16] in float32
    const tape = (settings: Record<string, unknown>) =>
      1.5 * 6 * tapeBytesPerSlot(parseConfig({ ...small, ...settings } as Settings).model);
    expect(bytes({}, 0)).toBeCloseTo(0.3e9 + latents(2) + tape({}), 3);
    const several = { recursion: "multiZ", n: 4 };
    expect(bytes(several, 0)).toBeCloseTo(0.3e9 + latents(5) + tape(several), 3);
  });

  it("keeps the tape of the official Sudoku settings below two gigabytes", () => {
    const official = parseConfig({ vocabularySize: 11, sequenceLength: 81, puzzleEmbeddingSize: 512 });
    const size = microBatchOf(official);
    expect(size * tapeBytesPerSlot(official.model)).toBeLessThan(2e9);
    expect(size).toBeGreaterThan(8);
  });
});
