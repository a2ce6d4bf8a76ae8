// Deep supervision: memory, determinism, the composed definitions, and refilling of slots.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { type Backend, defaultBackend, setRootBackend } from "../../src/tensor/index.ts";
import { type BatchSource, parseConfig, ShuffledExamples, type StepMetrics, Training } from "../../src/trm/index.ts";

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

/** The backend without its fused kernels, so that fused operations run as their composed definitions. */
const withoutFusedKernels = (backend: Backend): Backend => Object.create(backend, { fused: { value: {} } });

async function run(settings: Record<string, unknown>, steps: number, fused = true): Promise<StepMetrics[]> {
  const backend = defaultBackend();
  if (!fused) setRootBackend(withoutFusedKernels(backend));
  try {
    const training = new Training(parseConfig({ ...small, ...settings }), new ShuffledExamples(train, 5));
    const metrics: StepMetrics[] = [];
    for (let i = 0; i < steps; i++) metrics.push(await training.supervisionStep());
    training.dispose();
    return metrics;
  } finally {
    setRootBackend(backend);
  }
}

describe("memory", () => {
  it("after step 300 as many bytes live as after step 3, and none after dispose", async () => {
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
    for (let step = 1; step <= 300; step++) {
      await training.supervisionStep();
      live.push(defaultBackend().memory().liveBytes);
    }
    expect(live[299]).toBe(live[2]);
    training.dispose();
    expect(defaultBackend().memory().liveBytes).toBe(before);
  });
});

describe("determinism", () => {
  it("the same seed gives the same losses, bit for bit, twice; another seed does not", async () => {
    const losses = async (seed: number): Promise<number[]> => (await run({ seed }, 10)).map((m) => m.loss);
    expect(await losses(1)).toEqual(await losses(1));
    expect(await losses(1)).not.toEqual(await losses(2));
  });
});

/** Settings of every published system; the same list stands in docs/paper-to-code.md. */
const systems: Record<string, Record<string, unknown>> = {
  "TRM-MLP": {},
  "TRM-Att": { mixer: "attention", positions: "rotary" },
  "TRM-Att, learned positions": { mixer: "attention", positions: "learned" },
  "TRM with continue loss": { continueLoss: true },
  "separate networks": { separateNets: true },
  HRM: { separateNets: true, oneStepGradient: true, continueLoss: true, mixer: "attention", positions: "rotary" },
  "1-step gradient": { oneStepGradient: true },
  "single z": { recursion: "singleZ" },
  "multi z": { recursion: "multiZ" },
  "direct prediction": { recursion: "direct", haltAgainstContinue: true, mixer: "attention", positions: "rotary" },
  "puzzle embedding": { puzzleEmbeddingSize: 24, puzzleSlots: 2 },
  "softmax loss, AdamW, no EMA": { loss: "softmax", optimizer: "adamW", emaRate: 0 },
};

describe("the composed definitions alone", () => {
  for (const [name, settings] of Object.entries(systems)) {
    it(`give the same losses to 1e-5: ${name}`, async () => {
      const fused = await run(settings, 3);
      const composed = await run(settings, 3, false);
      for (const [i, { loss }] of composed.entries()) {
        expect(Math.abs(loss - fused[i]!.loss) / loss).toBeLessThan(1e-5);
      }
    });
  }
});

describe("slots", () => {
  it("a halted slot takes the puzzle in its place, the others keep theirs; steps never exceed nSup", async () => {
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
});
