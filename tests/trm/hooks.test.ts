// Changing the algorithm without editing the sources: hooks of a supervision step, models, optimizers and losses of one's own.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { add, affine, checkGradient, constant, multiply, sigmoid, type Variable } from "../../src/autograd/index.ts";
import { Adam, Linear, Optimizer } from "../../src/nn/index.ts";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { exportWeights, modelFrom, packCheckpoint, parseSide } from "../../src/runs/index.ts";
import {
  add as addTensors,
  affine as affineTensor,
  assign,
  defaultBackend,
  Random,
  scope,
  sign,
  type Tensor,
  tensor,
} from "../../src/tensor/index.ts";
import {
  type AroundUpdate,
  type CreateModel,
  evaluate,
  evaluateHalting,
  Model,
  type ModelConfig,
  type Network,
  parseConfig,
  predictions,
  ShuffledExamples,
  type StepContext,
  type StepHooks,
  Training,
  type TrainingHooks,
  type Variant,
} from "../../src/trm/index.ts";
import { aboutCheckpoint, resumeFrom, stepsOf } from "../runs/tiny-run.ts";

const task = sudokuTask(4);
const { train, test } = task.generate({ train: 40, test: 12, seed: 3 });
const small = {
  vocabularySize: task.vocabularySize,
  sequenceLength: task.sequenceLength,
  hiddenSize: 8,
  heads: 2,
  widthMultiple: 8,
  layers: 1,
  T: 2,
  n: 2,
  batchSize: 6,
  nSup: 3,
  learningRate: 1e-2,
  warmupSteps: 2,
  weightDecay: 0.1,
  emaRate: 0.9,
  explorationProbability: 0.5,
};
const trainingOf = (hooks: TrainingHooks = {}, settings: Record<string, unknown> = {}): Training =>
  new Training(parseConfig({ ...small, ...settings }), new ShuffledExamples(train, 5), hooks);

/** Metrics and weights of a short training. */
async function run(hooks: TrainingHooks = {}, settings: Record<string, unknown> = {}) {
  const training = trainingOf(hooks, settings);
  const metrics = await stepsOf(training, 6);
  const weights = [...(await exportWeights(training.evaluationModel))].map(([name, { data }]) => [name, [...data]]);
  training.dispose();
  return { metrics, weights };
}

const noiseOnZ =
  (sigma: number): NonNullable<StepHooks["before"]> =>
  (latents, { random }) => {
    const z = latents.z!;
    const noise = Float32Array.from({ length: z.value.size }, () => sigma * random.normal());
    return { ...latents, z: add(z, constant(tensor(noise, { shape: z.shape }))) };
  };

describe("hooks that change nothing", () => {
  const neutral: TrainingHooks = {
    before: (latents) => latents,
    after: (latents) => latents,
    around: (_, compute) => compute(),
    depth: () => ({ T: 2, n: 2 }),
    loss: ({ total }) => total,
    createModel: (...given) => new Model(...given),
    createOptimizer: (parameters, { optimizer, beta1, beta2, weightDecay }) =>
      new Adam(optimizer, { beta1, beta2, weightDecay }, parameters),
    observe: async () => {},
  };

  it("change no bit of a training, alone or together, with micro-batches and with the continue loss", async () => {
    const settings = [{}, { continueLoss: true }, { separateNets: true, oneStepGradient: true }];
    const keys = fc.subarray(Object.keys(neutral) as (keyof TrainingHooks)[], { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(keys, fc.constantFrom(...settings), fc.constantFrom(3, 6), async (names, own, microBatch) => {
        const hooks = Object.fromEntries(names.map((name) => [name, neutral[name]]));
        expect(await run({ ...hooks, microBatch }, own)).toEqual(await run({ microBatch }, own));
      }),
      { numRuns: 4, examples: [[Object.keys(neutral) as (keyof TrainingHooks)[], {}, 6]] },
    );
  });

  it("change no bit of an evaluation, and neither does noise of strength 0", async () => {
    const model = new Model(parseConfig(small).model, new Random(4));
    const options = { ...parseConfig(small).training, batchSize: 5 };
    const { before: _, ...rest } = neutral;
    const plain = await evaluate(model, test, options);
    expect(await evaluate(model, test, { ...options, ...rest, before: noiseOnZ(0) })).toEqual(plain);
    const halted = await evaluateHalting(model, test, { ...options, threshold: -5.001 });
    expect(await evaluateHalting(model, test, { ...options, ...rest, threshold: -5.001 })).toEqual(halted);
    model.dispose();
  });
});

describe("the hooks before and after a supervision step", () => {
  it("are called once per step with the step, the steps of each puzzle, and the index of each puzzle in the set", async () => {
    const model = new Model(parseConfig(small).model, new Random(4));
    const seen: string[] = [];
    const note = (name: string) => (latents: Record<string, Variable>, context: StepContext) => {
      seen.push(`${name} ${context.step}: ${context.puzzles} made ${context.steps}`);
      return latents;
    };
    const options = { ...parseConfig({ ...small, nSup: 2 }).training, batchSize: 2 };
    const set = { ...test, count: 3, inputs: test.inputs.slice(0, 48), labels: test.labels.slice(0, 48) };
    await evaluate(model, set, { ...options, before: note("before"), after: note("after") });
    expect(seen).toEqual([
      "before 1: 0,1 made 0,0",
      "after 1: 0,1 made 0,0",
      "before 2: 0,1 made 1,1",
      "after 2: 0,1 made 1,1",
      "before 1: 2 made 0",
      "after 1: 2 made 0",
      "before 2: 2 made 1",
      "after 2: 2 made 1",
    ]);
    model.dispose();
  });

  it("change the latents that the recursion reads and the heads decode", async () => {
    const model = new Model(parseConfig(small).model, new Random(4));
    const logits = async (hooks: StepHooks): Promise<number[]> => {
      for await (const prediction of predictions(model, { inputs: test.inputs }, 1, hooks)) {
        return [...(await prediction.logits.data())];
      }
      return [];
    };
    const plain = await logits({});
    expect(await logits({ before: noiseOnZ(1) })).not.toEqual(plain);
    const zero = await logits({ after: ({ y, z }) => ({ y: affine(y!, 0), z: z! }) });
    expect(zero.every((value) => value === 0)).toBe(true);
    model.dispose();
  });

  it("draw the same noise again in a training that is resumed from a checkpoint", async () => {
    const hooks = { before: noiseOnZ(0.3) };
    const training = trainingOf(hooks);
    await stepsOf(training, 3);
    const resumed = trainingOf(hooks);
    await resumeFrom(training, resumed);
    expect(await stepsOf(resumed, 3)).toEqual(await stepsOf(training, 3));
    expect((await run(hooks)).metrics).not.toEqual((await run()).metrics);
    training.dispose();
    resumed.dispose();
  });
});

describe("the hook around an update", () => {
  it("can leave a latent as it is over several steps, in training and in prediction", async () => {
    const around: StepHooks["around"] = ({ latent, before }, compute) => (latent === "y" ? before : compute());
    for (const microBatch of [3, 6]) expect((await run({ around, microBatch })).metrics).toHaveLength(6);
    const model = new Model(parseConfig(small).model, new Random(4));
    const { exact } = await evaluate(model, test, { ...parseConfig(small).training, batchSize: 5, around });
    expect(exact).toHaveLength(3);
    model.dispose();
  });

  const damping =
    (lambda: number): AroundUpdate =>
    ({ before }, compute) =>
      add(affine(before, 1 - lambda), affine(compute(), lambda));

  it("sees the latents of every call in order, with the value before", async () => {
    const model = new Model(parseConfig(small).model, new Random(4));
    const seen: string[] = [];
    const results: Variable[] = [];
    scope(() => {
      const recur = model.recurAround((update, compute) => {
        seen.push(`${update.index} ${update.latent}`);
        if (update.index === 1) expect(update.before).toBe(results[0]);
        if (update.index === 2) expect(update.latents.z).toBe(results[1]);
        results.push(compute());
        return results.at(-1)!;
      });
      const { x } = model.embed(tensor(test.inputs, { shape: [12, 16] }), tensor(new Int32Array(12)));
      const after = recur(x, model.initialLatents(12));
      expect(after.y).toBe(results[2]);
    });
    expect(seen).toEqual(["0 z", "1 z", "2 y"]);
    model.dispose();
  });

  it("damps an update: with lambda 1 nothing changes, with less the training differs", async () => {
    expect((await run({ around: damping(1) })).metrics).toEqual((await run()).metrics);
    expect((await run({ around: damping(0.9) })).metrics).not.toEqual((await run()).metrics);
  });

  it("is on the tape like the call: the gradient passes through the damping", () => {
    const values = Float64Array.from({ length: 8 }, (_, i) => Math.sin(1 + i));
    const net: Network = (...terms) => sigmoid(terms.reduce((a, b) => add(a, b)));
    checkGradient(
      "damped",
      (x, y) => damping(0.7)({ index: 0, latent: "y", before: y, latents: { y }, line: null }, () => net(x, y)),
      [
        { shape: [8], values },
        { shape: [8], values: values.map((value) => value / 2) },
      ],
    );
  });
});

describe("the hook for the depth of a step", () => {
  it("gives the model of a configuration with that T and n", async () => {
    const depth = await run({ depth: () => ({ T: 1, n: 3 }) });
    expect(depth).toEqual(await run({}, { T: 1, n: 3 }));
    expect(depth).not.toEqual(await run());
  });

  it("can depend on the step", async () => {
    const curriculum: StepHooks["depth"] = ({ step }) => (step <= 3 ? { T: 1, n: 1 } : {});
    const [own, shallow, full] = [await run({ depth: curriculum }), await run({}, { T: 1, n: 1 }), await run()];
    expect(own.metrics.slice(0, 3)).toEqual(shallow.metrics.slice(0, 3));
    expect(own.metrics[3]).not.toEqual(shallow.metrics[3]);
    expect(own.metrics[3]).not.toEqual(full.metrics[3]);
  });

  it.each([
    [{ T: 1.5 }, "depth: got 1.5 as T, expected a whole number from 1"],
    [{ T: 0 }, "depth: got 0 as T"],
    [{ n: 2.5 }, "depth: got 2.5 as n, expected a whole number from 1"],
  ])("is refused with %j", async (depth, message) => {
    const training = trainingOf({ depth: () => depth });
    await expect(training.supervisionStep()).rejects.toThrow(message);
    training.dispose();
  });

  it("is refused for multiZ, where n is the number of z latents", async () => {
    const training = trainingOf({ depth: () => ({ n: 1 }) }, { recursion: "multiZ" });
    await expect(training.supervisionStep()).rejects.toThrow(
      "depth: got n = 1, expected 2, the number of z latents of multiZ",
    );
    training.dispose();
  });
});

describe("the hook for initial latents", () => {
  it("is told that a puzzle which takes a slot has made no step", async () => {
    const seen: (readonly [steps: readonly number[], halted: readonly boolean[]])[] = [];
    let halted: readonly boolean[] = [];
    const training = trainingOf({
      initial: ({ steps }) => {
        seen.push([[...steps], halted]);
        return training.model.initialLatents(6);
      },
    });
    for (let step = 1; step <= 6; step++) {
      halted = [...training.carry.halted];
      await training.supervisionStep();
    }
    expect(seen).toHaveLength(6);
    for (const [steps, ended] of seen) for (const [slot, made] of steps.entries()) expect(made === 0).toBe(ended[slot]);
    training.dispose();
  });

  it("restarts the slots that have halted, and leaves the others alone", async () => {
    const shape = [6, 16, 8];
    const initial: StepHooks["initial"] = ({ random }) => {
      const draw = (): Variable =>
        constant(
          tensor(
            Float32Array.from({ length: 6 * 16 * 8 }, () => random.truncatedNormal()),
            { shape },
          ),
        );
      return { y: draw(), z: draw() };
    };
    let before: number[][] = [];
    let halted: boolean[] = [];
    const read = (latent: Variable): number[] => {
      const numbers = Array.from((latent.value.storage as unknown as { array: Float32Array }).array);
      return numbers;
    };
    const training = trainingOf({
      initial,
      before: (latents) => {
        const [previous] = before;
        const now = read(latents.z!);
        for (let slot = 0; slot < 6; slot++) {
          const part = now.slice(slot * 128, (slot + 1) * 128);
          const isFresh = halted.length === 0 || halted[slot]!;
          if (isFresh) expect(new Set(part).size).toBeGreaterThan(100);
          else expect(part).toEqual(previous!.slice(slot * 128, (slot + 1) * 128));
        }
        return latents;
      },
      after: (latents) => {
        before = [read(latents.z!)];
        return latents;
      },
    });
    for (let step = 0; step < 8; step++) {
      await training.supervisionStep();
      halted = [...training.carry.halted];
    }
    training.dispose();
  });
});

/** TRM with a learned gate: z moves only a part of the way to the network's result. */
class GatedModel extends Model {
  readonly gate: Linear;

  constructor(config: ModelConfig, random: Random, shared?: Parameters<CreateModel>[2]) {
    super(config, random, shared);
    this.gate = new Linear(config.hiddenSize, config.hiddenSize, random);
  }

  override variant(net: Network, netY: Network, config: ModelConfig): Variant {
    const { source: _, ...rest } = super.variant(net, netY, config);
    return {
      ...rest,
      recur: (x, latents) => {
        let [y, z] = [latents.y!, latents.z!];
        for (let i = 0; i < config.n; i++) {
          const share = sigmoid(this.gate.forward(z));
          z = add(z, multiply(share, add(net(x, y, z), affine(z, -1))));
        }
        y = netY(y, z);
        return { y, z };
      },
    };
  }
}
const gated: CreateModel = (...given) => new GatedModel(...given);

describe("a model of one's own", () => {
  it("is refused if its average does not share the puzzle embedding of the model", () => {
    const live = defaultBackend().memory().liveBytes;
    const embedded = { puzzleEmbeddingSize: 8, puzzleSlots: 1, puzzleIds: 3 };
    expect(() => trainingOf({ createModel: (config, random) => new Model(config, random) }, embedded)).toThrow(
      "createModel: got a model with a puzzle embedding of its own, expected the one that is passed",
    );
    expect(defaultBackend().memory().liveBytes).toBe(live);
  });

  it("has the depth that the hook gives, although its updates cannot be hooked", async () => {
    const depth: StepHooks["depth"] = () => ({ T: 1, n: 3 });
    const [hooked, configured] = [
      trainingOf({ createModel: gated, depth }),
      trainingOf({ createModel: gated }, { T: 1, n: 3 }),
    ];
    expect(await stepsOf(hooked, 2)).toEqual(await stepsOf(configured, 2));
    for (const training of [hooked, configured]) training.dispose();
  });

  it("is trained, averaged, saved under its own names, and restored bit for bit", async () => {
    const training = trainingOf({ createModel: gated });
    await stepsOf(training, 4);
    expect(training.ema).toBeInstanceOf(GatedModel);
    const files = await packCheckpoint(training, aboutCheckpoint);
    const side = parseSide(files.get("checkpoint.json")!, "c");
    const names = [...(await exportWeights(training.model)).keys()];
    expect(names).toContain("gate.weight");
    expect(names).toContain("inner.L_level.layers.0.mlp.down_proj.weight");

    const loaded = modelFrom(side, files.get("ema.safetensors")!, "ema", gated);
    const options = { ...training.config.training, batchSize: 4 };
    expect(await evaluate(loaded, test, options)).toEqual(await evaluate(training.evaluationModel, test, options));
    expect(() => modelFrom(side, files.get("ema.safetensors")!, "ema")).toThrow(
      'ema: unknown tensor "gate.weight", expected only those of the model (a model of your own is loaded with createModel)',
    );

    const resumed = trainingOf({ createModel: gated });
    await resumeFrom(training, resumed);
    expect(await stepsOf(resumed, 3)).toEqual(await stepsOf(training, 3));
    for (const each of [training, resumed, loaded]) each.dispose();
  });

  it("is refused if its recursion makes more or fewer calls than its updates say", async () => {
    const calls = (updates: string[]): CreateModel => {
      class Wrong extends Model {
        override variant(net: Network, netY: Network, config: ModelConfig): Variant {
          return { ...super.variant(net, netY, config), updates };
        }
      }
      return (...given) => new Wrong(...given);
    };
    const around: StepHooks["around"] = (_, compute) => compute();
    for (const [updates, got] of [
      [["z", "y"], "more than 2 calls"],
      [["z", "z", "y", "y"], "3 calls"],
    ] as const) {
      const training = trainingOf({ createModel: calls([...updates]), around });
      await expect(training.supervisionStep()).rejects.toThrow(
        `variant: got ${got} of its networks in a latent recursion, expected ${updates.length}, one for each of its updates`,
      );
      training.dispose();
    }
  });
});

/** Lion (Chen et al. 2023) with β1 0.9 and β2 0.99. */
class Lion extends Optimizer<"m"> {
  constructor(parameters: ReadonlyMap<string, Variable>) {
    super(parameters, ["m"]);
  }
  protected override updateParameter(p: Tensor, g: Tensor, { m }: Record<"m", Tensor>, learningRate: number): void {
    const direction = sign(addTensors(affineTensor(m, 0.9), affineTensor(g, 0.1)));
    assign(p, addTensors(affineTensor(p, 1 - 0.1 * learningRate), affineTensor(direction, -learningRate)));
    assign(m, addTensors(affineTensor(m, 0.99), affineTensor(g, 0.01)));
  }
}

describe("an optimizer of one's own", () => {
  it("updates the parameters by its formula", async () => {
    await scope(() => {
      const w = constant(tensor([1, -2, 3]));
      const lion = new Lion(new Map([["w", w]]));
      let [p, m] = [
        [1, -2, 3],
        [0, 0, 0],
      ];
      for (const g of [
        [1, 0, -1],
        [-3, 1, 2],
        [0.5, 0.5, 0.5],
      ]) {
        lion.update([tensor(g)], 0.1);
        p = p.map((each, i) => each * (1 - 0.01) - 0.1 * Math.sign(0.9 * m[i]! + 0.1 * g[i]!));
        m = m.map((each, i) => 0.99 * each + 0.01 * g[i]!);
      }
      expect(lion.steps).toBe(3);
      const numbers = Array.from((w.value.storage as unknown as { array: Float32Array }).array);
      lion.dispose();
      numbers.forEach((number, i) => {
        expect(number).toBeCloseTo(p[i]!, 5);
      });
    });
  });

  it("may be made by a method that reads other properties of the hooks", async () => {
    class Hooks implements TrainingHooks {
      readonly made: Lion[] = [];
      createOptimizer(parameters: ConstructorParameters<typeof Lion>[0]): Lion {
        this.made.push(new Lion(parameters));
        return this.made[0]!;
      }
    }
    const hooks = new Hooks();
    const training = trainingOf(hooks);
    expect(hooks.made).toEqual([training.optimizer]);
    training.dispose();
  });

  it("trains, releases its memory, and continues bit for bit from a checkpoint", async () => {
    const live = defaultBackend().memory().liveBytes;
    const hooks: TrainingHooks = { createOptimizer: (parameters) => new Lion(parameters) };
    const training = trainingOf(hooks);
    await stepsOf(training, 3);
    const resumed = trainingOf(hooks);
    await resumeFrom(training, resumed);
    expect(await stepsOf(resumed, 3)).toEqual(await stepsOf(training, 3));
    expect((await run(hooks)).metrics).not.toEqual((await run()).metrics);
    const withAdam = trainingOf();
    await expect(resumeFrom(training, withAdam)).rejects.toThrow(/no tensor "optimizer\/v\//);
    for (const each of [training, resumed, withAdam]) each.dispose();
    expect(defaultBackend().memory().liveBytes).toBe(live);
  });
});

describe("a loss of one's own", () => {
  it("replaces the total, and sees question, labels and the parts of the standard loss", async () => {
    const doubled = await run({ loss: ({ total }) => affine(total, 2) });
    const plain = await run();
    expect(doubled.metrics[0]!.loss).toBe(2 * plain.metrics[0]!.loss);
    expect(doubled.metrics[0]!.answerLoss).toBe(plain.metrics[0]!.answerLoss);
    const seen: number[][] = [];
    const training = trainingOf({
      microBatch: 4,
      loss: ({ inputs, labels, logits, answerLoss }) => {
        seen.push([inputs.length, labels.length, logits.shape[0]!]);
        return answerLoss;
      },
    });
    const { loss, answerLoss } = await training.supervisionStep();
    expect(loss).toBe(answerLoss);
    expect(seen).toEqual([
      [64, 64, 4],
      [32, 32, 2],
    ]);
    training.dispose();
  });

  it("is refused if it is not a scalar", async () => {
    const training = trainingOf({ loss: ({ q }) => q });
    await expect(training.supervisionStep()).rejects.toThrow(
      "loss: got shape [6, 2], expected a scalar, the sum over the puzzles",
    );
    training.dispose();
  });
});

describe("a hook that throws", () => {
  const fail = (): never => {
    throw new Error("from the hook");
  };

  it("leaves no tensors behind when a prediction begins", async () => {
    const training = trainingOf();
    const live = defaultBackend().memory().liveBytes;
    const first = predictions(training.model, { inputs: test.inputs }, 1, { initial: fail }).next();
    await expect(first).rejects.toThrow("from the hook");
    expect(defaultBackend().memory().liveBytes).toBe(live);
    training.dispose();
  });

  let models = 0;
  const secondModelFails: CreateModel = (...given) => (models++ === 0 ? new Model(...given) : fail());
  const withoutStart = class extends Model {
    override initialLatents(batch: number) {
      super.initialLatents(batch);
      return fail();
    }
  };
  it.each<[name: string, hooks: TrainingHooks]>([
    ["createOptimizer", { createOptimizer: fail }],
    ["createModel for the moving average", { createModel: secondModelFails }],
    ["initialLatents of a model of one's own", { createModel: (...given) => new withoutStart(...given) }],
  ])("leaves no tensors behind when a training is made: %s", (_, hooks) => {
    const live = defaultBackend().memory().liveBytes;
    expect(() => trainingOf(hooks)).toThrow("from the hook");
    expect(defaultBackend().memory().liveBytes).toBe(live);
  });

  it("is not called for a micro-batch that is refused", () => {
    expect(() => trainingOf({ microBatch: 0.5, createModel: fail })).toThrow(
      "Training: got 0.5 as microBatch, expected a whole number from 1",
    );
  });
});

describe("the observer of a training", () => {
  it("sees the latents, q and gradients of every step, may read them asynchronously, and leaves no memory behind", async () => {
    const seen: string[] = [];
    let norm = 0;
    const training = trainingOf({
      observe: async ({ step, latents, q, gradients }) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        const y = await latents.y!.data();
        const gradient = await gradients.get("net.blocks.0.mlp.down")!.data();
        norm = Math.hypot(...gradient);
        seen.push(`${step}: ${Object.keys(latents)} ${latents.z!.shape} ${y.length} ${(await q.data()).length}`);
      },
    });
    await stepsOf(training, 3);
    const live = defaultBackend().memory().liveBytes;
    await stepsOf(training, 3);
    expect(defaultBackend().memory().liveBytes).toBe(live);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6].map((step) => `${step}: y,z 6,16,8 768 12`));
    expect(norm).toBeGreaterThan(0);
    training.dispose();
  });

  it("can fail after a step that leaves a latent as it is, and the training goes on", async () => {
    let fails = true;
    const training = trainingOf({
      around: ({ latent, before }, compute) => (latent === "y" ? before : compute()),
      observe: () => {
        if (fails) throw new Error("seen enough");
      },
    });
    await expect(training.supervisionStep()).rejects.toThrow("seen enough");
    fails = false;
    expect((await training.supervisionStep()).step).toBe(2);
    training.dispose();
  });

  it("ends the step with its error, and the training can be released", async () => {
    const live = defaultBackend().memory().liveBytes;
    const training = trainingOf({
      observe: () => {
        throw new Error("seen enough");
      },
    });
    await expect(training.supervisionStep()).rejects.toThrow("seen enough");
    training.dispose();
    expect(defaultBackend().memory().liveBytes).toBe(live);
  });
});

describe("a wrong result of a hook", () => {
  it.each([["createModel"], ["createOptimizer"]])("is refused if %s returns nothing", (name) => {
    const hooks = { [name]: () => undefined } as unknown as TrainingHooks;
    const live = defaultBackend().memory().liveBytes;
    expect(() => trainingOf(hooks)).toThrow(`${name}: got undefined as the result, expected a`);
    expect(defaultBackend().memory().liveBytes).toBe(live);
  });

  const wrong = (message: string | RegExp, hooks: Record<string, unknown>) =>
    it(`is refused in one line: ${Object.keys(hooks)[0]}, ${message}`, async () => {
      const run = async (): Promise<void> => {
        const training = trainingOf(hooks as TrainingHooks);
        try {
          await training.supervisionStep();
        } finally {
          training.dispose();
        }
      };
      await expect(run()).rejects.toThrow(message);
    });
  wrong("loss: got undefined as the result, expected a Variable", { loss: () => undefined });
  wrong(/^loss: got .* as the result, expected a Variable/, { loss: () => tensor([1]) });
  wrong("createModel: got undefined as the result, expected a Model", { createModel: () => undefined });
  wrong("before: got undefined as the result, expected an object with y, z", { before: () => undefined });
  wrong("after: got the result without y, expected an object with y, z", {
    after: ({ z }: Readonly<Record<string, Variable>>) => ({ z }),
  });
  wrong(/^initial: got .* as y, expected a Variable \(see constant\)/, {
    initial: () => ({ y: tensor([1]), z: tensor([1]) }),
  });
});

it("an optimizer that throws leaves no tensors of the step behind", async () => {
  class Failing extends Optimizer {
    constructor(parameters: ReadonlyMap<string, Variable>) {
      super(parameters, []);
    }
    protected override updateParameter(): void {
      throw new Error("failed on purpose");
    }
  }
  const training = trainingOf({ createOptimizer: (parameters) => new Failing(parameters) });
  await expect(training.supervisionStep()).rejects.toThrow("failed on purpose");
  const before = defaultBackend().memory().liveBytes;
  await expect(training.supervisionStep()).rejects.toThrow("failed on purpose");
  expect(defaultBackend().memory().liveBytes).toBe(before);
  training.dispose();
});

it("around is refused for a variant whose latent is not the result of its last call of a network", async () => {
  class Halved extends Model {
    override variant(net: Network): Variant {
      const recur = (x: Variable, { y, z }: Readonly<Record<string, Variable>>) => {
        const next = affine(net(x, y!, z!), 0.5);
        return { z: next, y: net(y!, next) };
      };
      return { latents: ["y", "z"], output: "y", updates: ["z", "y"], recur };
    }
  }
  const createModel: CreateModel = (...given) => new Halved(...given);
  const training = trainingOf({ createModel, around: (_, compute) => compute() });
  await expect(training.supervisionStep()).rejects.toThrow(
    "variant: got a latent z that is not the result of its last call of a network",
  );
  training.dispose();
});
