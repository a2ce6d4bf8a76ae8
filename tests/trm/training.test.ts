// Deep supervision: memory, determinism, the composed definitions, and refilling of slots.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Optimizer } from "../../src/nn/index.ts";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { assign, type Backend, defaultBackend, setRootBackend } from "../../src/tensor/index.ts";
import {
  type BatchSource,
  Model,
  parseConfig,
  predictions,
  ShuffledExamples,
  type StepMetrics,
  Training,
  type TrainingHooks,
} from "../../src/trm/index.ts";
import { labelCounts } from "../../src/trm/losses.ts";
import { readCheck } from "../../src/trm/step-check.ts";
import { resumeFrom, stepsOf } from "../runs/tiny-run.ts";

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
  batchSize: 8,
  nSup: 4,
  learningRate: 1e-3,
  warmupSteps: 5,
  weightDecay: 0.1,
};

/** Leaves the weights as they are. */
class Frozen extends Optimizer {
  protected override updateParameter(): void {}
}

/** The backend without its fused kernels, so that fused operations run as their composed definitions. */
const withoutFusedKernels = (backend: Backend): Backend => Object.create(backend, { fused: { value: {} } });

/** The numbers of every weight of a model. */
const weightsOf = async (model: Model) => Promise.all(model.parameters().map(({ value }) => value.data()));

async function run(settings: Record<string, unknown>, steps: number, fused = true): Promise<StepMetrics[]> {
  const backend = defaultBackend();
  if (!fused) setRootBackend(withoutFusedKernels(backend));
  try {
    const training = new Training(parseConfig({ ...small, ...settings }), new ShuffledExamples(train, 5));
    const metrics = await stepsOf(training, steps);
    training.dispose();
    return metrics;
  } finally {
    setRootBackend(backend);
  }
}

describe("a training in its steady state", () => {
  it("uses as many bytes after step 100 as after step 3, and none after dispose", async () => {
    const before = defaultBackend().memory().liveBytes;
    const config = parseConfig({
      ...small,
      hiddenSize: 8,
      layers: 1,
      puzzleEmbeddingSize: 8,
      puzzleSlots: 1,
      continueLoss: true,
    });
    const training = new Training(config, new ShuffledExamples(train, 5));
    const live: number[] = [];
    for (let step = 1; step <= 100; step++) {
      await training.supervisionStep();
      live.push(defaultBackend().memory().liveBytes);
    }
    expect(live[99]).toBe(live[2]);
    training.dispose();
    expect(defaultBackend().memory().liveBytes).toBe(before);
  });
});

describe("a repeated training", () => {
  it("has the same losses bit for bit with the same seed, and others with another seed", async () => {
    const losses = async (seed: number): Promise<number[]> => (await run({ seed }, 10)).map((m) => m.loss);
    expect(await losses(1)).toEqual(await losses(1));
    expect(await losses(1)).not.toEqual(await losses(2));
  });
});

/** Settings of every published system, as in docs/paper-to-code.md. */
const systems: Record<string, Record<string, unknown>> = {
  "TRM-MLP": {},
  "TRM-Att": { mixer: "attention", positions: "rotary" },
  "TRM-Att, learned positions": { mixer: "attention", positions: "learned" },
  "TRM-Att, rows and columns": { mixer: "attention", positions: "rotary2d", columns: 4 },
  "TRM with continue loss": { continueLoss: true },
  "separate networks": { separateNets: true },
  "4 layers": { layers: 4, n: 1 },
  HRM: {
    separateNets: true,
    oneStepGradient: true,
    continueLoss: true,
    layers: 4,
    mixer: "attention",
    positions: "rotary",
  },
  "1-step gradient": { oneStepGradient: true },
  "single z": { recursion: "singleZ" },
  "multi z": { recursion: "multiZ" },
  "direct prediction": { recursion: "direct", haltAgainstContinue: true, mixer: "attention", positions: "rotary" },
  "fixed point": { recursion: "fixedPoint", solverIterations: 2, gradientSteps: 1 },
  "fixed point by Picard iteration": {
    recursion: "fixedPoint",
    solver: "picard",
    solverIterations: 1,
    gradientSteps: 1,
  },
  EqR: { randomStarts: true, dampingLambda: 0.95, pathNoiseBeta: 0.01 },
  "puzzle embedding": { puzzleEmbeddingSize: 24, puzzleSlots: 2 },
  "softmax loss, AdamW, no EMA": { loss: "softmax", optimizer: "adamW", emaRate: 0 },
};

describe("the composed definitions of fused operations", () => {
  for (const [name, settings] of Object.entries(systems)) {
    it(`give the losses of the fused kernels to 1e-5 for ${name}`, async () => {
      const fused = await run(settings, 3);
      const composed = await run(settings, 3, false);
      for (const [i, { loss }] of composed.entries()) {
        expect(Math.abs(loss - fused[i]!.loss) / loss).toBeLessThan(1e-5);
      }
    });
  }
});

describe("slots", () => {
  it("get a new puzzle when they have halted, keep theirs otherwise, and make at most nSup steps", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), fc.constantFrom("slot", "batch"), async (seed, refill) => {
        let drawn = 0;
        const source: BatchSource = {
          sequenceLength: task.sequenceLength,
          state: null,
          next: (batchSize) => {
            drawn++;
            const cells = batchSize * task.sequenceLength;
            return {
              inputs: new Int32Array(cells).fill(1),
              labels: new Int32Array(cells).fill(2),
              puzzleIds: new Int32Array(batchSize).fill(0),
            };
          },
        };
        const config = parseConfig({
          ...small,
          hiddenSize: 8,
          layers: 1,
          T: 1,
          n: 1,
          explorationProbability: 0.5,
          seed,
          refill,
        });
        const training = new Training(config, source);
        const before = { steps: [...training.carry.steps], halted: [...training.carry.halted] };
        for (let step = 0; step < 6; step++) {
          await training.supervisionStep();
          const { steps, halted } = training.carry;
          for (const [slot, count] of steps.entries()) {
            expect(count).toBe(before.halted[slot] ? 1 : before.steps[slot]! + 1);
            expect(count).toBeLessThanOrEqual(config.training.nSup);
            if (count === config.training.nSup) expect(halted[slot]).toBe(true);
          }
          before.steps = [...steps];
          before.halted = [...halted];
        }
        expect(drawn).toBe(6);
        training.dispose();
      }),
      { numRuns: 10 },
    );
  });

  it("that halt at different times go through the steps that a prediction of their puzzle makes, and the others go on", async () => {
    const halts = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(halts, fc.constantFrom(1, 4), async (minimum, microBatch) => {
        const seen: Float32Array[] = [];
        const hooks: TrainingHooks = {
          microBatch,
          minimumSteps: () => Int32Array.from(minimum),
          createOptimizer: (parameters) => new Frozen(parameters, []),
          observe: async ({ logits }) => void seen.push(Float32Array.from(await logits.data(), Number)),
        };
        const training = new Training(parseConfig({ ...small, batchSize: 4 }), new ShuffledExamples(train, 5), hooks);
        assign(training.model.qWeights.bias.value, Float32Array.of(5, 5)); // q always says halt
        const { carry, model } = training;
        const puzzles = new Set<string>();
        for (let i = 0; i < 6; i++) {
          await training.supervisionStep();
          for (let slot = 0; slot < 4; slot++) {
            const steps = (i % minimum[slot]!) + 1;
            expect([carry.steps[slot], carry.halted[slot]]).toEqual([steps, steps === minimum[slot]]);
            const inputs = carry.inputs.slice(16 * slot, 16 * (slot + 1));
            puzzles.add(`${slot}: ${inputs}`);
            for await (const { step, logits } of predictions(model, { inputs }, steps)) {
              if (step < steps) continue;
              const size = seen[i]!.length / 4;
              const own = seen[i]!.subarray(slot * size, (slot + 1) * size);
              const expected = await logits.data();
              expect(Math.max(...own.map((value, k) => Math.abs(value - Number(expected[k]))))).toBeLessThan(1e-4);
            }
          }
        }
        expect(puzzles.size).toBe(minimum.reduce((sum, steps) => sum + Math.ceil(6 / steps), 0));
        training.dispose();
      }),
      { numRuns: 5, examples: [[[1, 2, 3, 1], 4]] },
    );
  });

  it("explore: with probability 1 no puzzle halts after its first step, and they halt after different steps", async () => {
    const settings = { ...small, explorationProbability: 1, seed: 2 };
    const hooks: TrainingHooks = { createOptimizer: (parameters) => new Frozen(parameters, []) };
    const training = new Training(parseConfig(settings), new ShuffledExamples(train, 5), hooks);
    assign(training.model.qWeights.bias.value, Float32Array.of(5, 5));
    const halted: number[] = [];
    for (let i = 0; i < 8; i++) {
      await training.supervisionStep();
      const { carry } = training;
      halted.push(...[...carry.steps].filter((_, slot) => carry.halted[slot]));
    }
    expect(new Set(halted)).toEqual(new Set([2, 3, 4]));
    training.dispose();
  });
});

describe("the check of a step", () => {
  it("measures the norm of the gradients that an observer sees, also if the batch is computed in parts", async () => {
    for (const microBatch of [8, 3]) {
      const norms: number[] = [];
      let pending: Promise<unknown> = Promise.resolve();
      const observe: NonNullable<TrainingHooks["observe"]> = ({ gradients }) => {
        pending = Promise.all([...gradients.values()].map((gradient) => gradient.data())).then((all) =>
          norms.push(Math.sqrt(all.flatMap((numbers) => [...numbers]).reduce((sum, value) => sum + value * value, 0))),
        );
      };
      const training = new Training(parseConfig(small), new ShuffledExamples(train, 5), { observe, microBatch });
      for (let step = 0; step < 3; step++) {
        const { gradientNorm, notFinite } = await training.supervisionStep();
        await pending;
        expect(Math.abs(gradientNorm / norms[step]! - 1)).toBeLessThan(1e-5);
        expect(notFinite).toBeNull();
      }
      training.dispose();
    }
  });

  it("names the first gradient that is not finite, and else the first weight", async () => {
    const training = new Training(parseConfig({ ...small, puzzleEmbeddingSize: 8 }), new ShuffledExamples(train, 5));
    const [name, parameter] = [...training.model.namedParameters()].at(-1)!;
    await training.supervisionStep();
    assign(parameter.value, new Float32Array(parameter.value.size).fill(Number.NaN));
    const { notFinite } = await training.supervisionStep();
    const first = [...training.model.namedParameters()][0]![0];
    expect([notFinite, name]).toEqual([`gradient of ${first}`, "qWeights.bias"]);
    training.dispose();
    const [fine, bad] = [Float64Array.of(4, 5, 0), Float64Array.of(1, 2, Number.NaN)];
    expect(readCheck(["a", "b"], fine, Float64Array.of(1, Infinity))).toEqual({
      gradientNorm: 3,
      notFinite: "weight b",
    });
    expect(readCheck(["a", "b"], bad, fine).notFinite).toBe("gradient of the puzzle embedding");
  });
});

describe("a new training", () => {
  it("evaluates with the averaged weights, or with the weights themselves if there is no average", () => {
    const [withAverage, without] = [0.9, 0].map((emaRate) => {
      return new Training(parseConfig({ ...small, emaRate }), new ShuffledExamples(train, 5));
    }) as [Training, Training];
    expect(withAverage.ema).not.toBeNull();
    expect(withAverage.evaluationModel).toBe(withAverage.ema);
    expect(without.evaluationModel).toBe(without.model);
    withAverage.dispose();
    without.dispose();
  });

  it("starts the average from the weights, and moves it by 1 - emaRate at each step", async () => {
    const training = new Training(parseConfig({ ...small, emaRate: 0.75 }), new ShuffledExamples(train, 5));
    const before = await weightsOf(training.model);
    expect(await weightsOf(training.ema!)).toEqual(before);
    await training.supervisionStep();
    const [after, average] = [await weightsOf(training.model), await weightsOf(training.ema!)];
    for (const [i, weights] of after.entries()) {
      for (const [k, weight] of weights.entries()) {
        expect(average[i]![k]).toBeCloseTo(0.75 * before[i]![k]! + 0.25 * weight, 5);
      }
    }
    training.dispose();
  });

  it("moves the average with emaWarmup by 9/11, 9/12, 9/13, ... of the way, also after a resume", async () => {
    const config = parseConfig({ ...small, emaWarmup: true });
    const create = () => new Training(config, new ShuffledExamples(train, 5));
    let training = create();
    for (let step = 1; step <= 4; step++) {
      if (step === 3) {
        const resumed = create();
        await resumeFrom(training, resumed);
        training.dispose();
        training = resumed;
      }
      const before = await weightsOf(training.ema!);
      await training.supervisionStep();
      const [weights, average] = [await weightsOf(training.model), await weightsOf(training.ema!)];
      const share = 9 / (10 + step);
      for (const [i, numbers] of weights.entries()) {
        for (const [k, weight] of numbers.entries()) {
          expect(average[i]![k]).toBeCloseTo((1 - share) * Number(before[i]![k]) + share * Number(weight), 5);
        }
      }
    }
    training.dispose();
  });

  it("trains the same weights with emaWarmup and without", async () => {
    expect(await run({ emaWarmup: true }, 3)).toEqual(await run({}, 3));
  });

  it("releases everything that it has created if a part of it cannot be created", () => {
    const before = defaultBackend().memory().liveBytes;
    class Broken extends Model {
      override variant(): never {
        throw new Error("no such variant");
      }
    }
    const source = new ShuffledExamples(train, 5);
    const failing: TrainingHooks[] = [
      { createModel: (...given) => new Broken(...given) },
      {
        createOptimizer() {
          throw new Error("no such optimizer");
        },
      },
    ];
    for (const hooks of failing) {
      expect(() => new Training(parseConfig({ ...small, puzzleEmbeddingSize: 16 }), source, hooks)).toThrow("no such");
      expect(defaultBackend().memory().liveBytes).toBe(before);
    }
  });

  it("refuses puzzles of another length than the configuration says", () => {
    const create = () => new Training(parseConfig({ ...small, sequenceLength: 81 }), new ShuffledExamples(train, 5));
    expect(create).toThrow("sequenceLength: got 81, expected 16, the length of the training puzzles");
  });

  it("refuses a batch whose puzzles have another length", async () => {
    const source: BatchSource = {
      sequenceLength: 16,
      state: null,
      next: (size) => ({
        inputs: new Int32Array(size * 9),
        labels: new Int32Array(size * 9),
        puzzleIds: new Int32Array(size),
      }),
    };
    const training = new Training(parseConfig(small), source);
    await expect(training.supervisionStep()).rejects.toThrow("got 9 tokens per puzzle, expected 16");
    training.dispose();
  });
});

describe("supervisionStep", () => {
  it("refuses minimum steps for another number of slots before it changes anything", async () => {
    const minimumSteps = () => new Int32Array(1);
    const training = new Training(parseConfig(small), new ShuffledExamples(train, 5), { minimumSteps });
    await expect(training.supervisionStep()).rejects.toThrow("minimumSteps: got 1 numbers as the result");
    expect([training.step, training.optimizer.steps, ...training.carry.steps]).toEqual(new Array(2 + 8).fill(0));
    training.dispose();
  });

  it("refuses to overlap with the previous step, which still completes", async () => {
    const training = new Training(parseConfig(small), new ShuffledExamples(train, 5));
    const first = training.supervisionStep();
    await expect(training.supervisionStep()).rejects.toThrow("the previous step is still running");
    expect((await first).step).toBe(1);
    expect((await training.supervisionStep()).step).toBe(2);
    training.dispose();
  });

  it("passes the puzzle ids of the examples on to the carry", async () => {
    const puzzleIds = Int32Array.from({ length: 64 }, (_, i) => 1 + (i % 5));
    const settings = { ...small, puzzleEmbeddingSize: 16, puzzleSlots: 1, puzzleIds: 6 };
    const training = new Training(parseConfig(settings), new ShuffledExamples({ ...train, puzzleIds }, 5));
    await training.supervisionStep();
    const { inputs, puzzleIds: carried } = training.carry;
    const rows = Array.from({ length: 64 }, (_, row) => train.inputs.subarray(row * 16, row * 16 + 16).join());
    carried.forEach((id, slot) => {
      expect(id).toBe(puzzleIds[rows.indexOf(inputs.subarray(slot * 16, slot * 16 + 16).join())]);
    });
    training.dispose();
  });

  it("leaves puzzles without labels out of the metrics, with finite losses", async () => {
    const labels = train.labels.map((label, i) => (Math.floor(i / 16) % 2 === 0 ? label : 0));
    const training = new Training(parseConfig({ ...small, nSup: 1 }), new ShuffledExamples({ ...train, labels }, 5));
    for (let step = 0; step < 4; step++) {
      const { haltedCount, loss, cellAccuracySum, stepsSum } = await training.supervisionStep();
      const counts = labelCounts(training.carry.labels, 16);
      const labelled = [...counts].filter((count) => count > 0).length;
      expect(labelled).toBeLessThan(8);
      expect([haltedCount, stepsSum]).toEqual([labelled, labelled]);
      expect(Number.isFinite(loss)).toBe(true);
      expect(cellAccuracySum).toBeLessThanOrEqual(labelled);
    }
    training.dispose();
  });

  it("reports losses as means over the batch: twice the same puzzles have the same loss", async () => {
    const lossOfBatch = async (batchSize: number): Promise<number> => {
      const one = { ...train, count: 1, inputs: train.inputs.slice(0, 16), labels: train.labels.slice(0, 16) };
      const training = new Training(parseConfig({ ...small, batchSize }), new ShuffledExamples(one, 1));
      const { loss } = await training.supervisionStep();
      training.dispose();
      return loss;
    };
    expect(await lossOfBatch(6)).toBeCloseTo(await lossOfBatch(1), 5);
  });
});
