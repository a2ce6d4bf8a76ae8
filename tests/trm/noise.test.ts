// The hooks of EqR: random starts, damped updates and path noise, in training and in evaluation.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { add, checkGradient, constant, type Variable } from "../../src/autograd/index.ts";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { loadModel, packModel } from "../../src/runs/index.ts";
import { Random, tensor } from "../../src/tensor/index.ts";
import {
  damping,
  evaluate,
  Model,
  noiseOnZ,
  parseConfig,
  predictRollouts,
  randomStarts,
  ShuffledExamples,
  type StepMetrics,
  Training,
  type TrainingHooks,
} from "../../src/trm/index.ts";
import { resumeFrom, stepsOf } from "../runs/tiny-run.ts";

const task = sudokuTask(4);
const { train, test } = task.generate({ train: 20, test: 5, seed: 3 });
const sizes = {
  vocabularySize: 6,
  sequenceLength: 16,
  hiddenSize: 8,
  heads: 2,
  widthMultiple: 8,
  layers: 1,
  T: 2,
  n: 2,
};
const config = parseConfig({ ...sizes, batchSize: 4, nSup: 3, learningRate: 1e-2, warmupSteps: 2 });
const trainingOf = (hooks: TrainingHooks): Training => new Training(config, new ShuffledExamples(train, 5), hooks);

/** The first steps of a training. */
async function start(hooks: TrainingHooks): Promise<StepMetrics[]> {
  const training = trainingOf(hooks);
  const metrics = await stepsOf(training, 3);
  training.dispose();
  return metrics;
}

describe("damping", () => {
  it("with lambda 1 and beta 0 is TRM, bit for bit; with other values it is not", async () => {
    const plain = await start({});
    expect(await start({ around: damping(1, 0) })).toEqual(plain);
    expect(await start({ around: damping(0.95, 0) })).not.toEqual(plain);
    expect(await start({ around: damping(1, 0.01) })).not.toEqual(plain);
  });

  it("mixes the latent before the update and the one after it, in the shares 1 - lambda and lambda", async () => {
    const context = { step: 1, steps: new Int32Array(1), puzzles: new Int32Array(1), random: new Random(1), call: 0 };
    const [before, after] = [constant(tensor([10, 0])), constant(tensor([20, 8]))];
    const update = { index: 0, latent: "y", before, latents: { y: before }, line: null };
    const damped = async (lambda: number) => [...(await damping(lambda, 0)(update, () => after, context).value.data())];
    expect(await damped(0.25)).toEqual([12.5, 2]);
    expect(await damped(0)).toEqual([10, 0]);
  });

  it("passes the gradient", () => {
    const values = Float64Array.from({ length: 8 }, (_, i) => Math.sin(1 + i));
    const context = { step: 1, steps: new Int32Array(1), puzzles: new Int32Array(1), random: new Random(1), call: 0 };
    const call = (h: Variable, x: Variable): Variable => {
      const update = { index: 0, latent: "y", before: h, latents: { y: h }, line: null };
      return damping(0.7, 0)(update, () => add(h, x), context);
    };
    checkGradient("damping", call, [
      { shape: [8], values },
      { shape: [8], values: values.map((value) => value / 2) },
    ]);
  });

  it("is refused for a lambda outside 0..1 and a negative beta", () => {
    fc.assert(
      fc.property(fc.double({ max: -1e-9, noNaN: true }), (negative) => {
        expect(() => damping(negative, 0)).toThrow(`damping: got lambda ${negative}, expected 0 to 1`);
        expect(() => damping(1, negative)).toThrow(`damping: got beta ${negative}, expected a number from 0`);
        expect(() => damping(1 - negative + 1e-9, 0)).toThrow("expected 0 to 1");
      }),
    );
  });
});

describe("random starts and path noise", () => {
  const hooks: TrainingHooks = { initial: randomStarts(config.model), around: damping(0.95, 0.01) };

  it("are drawn again, bit for bit, in a training that is resumed from a checkpoint", async () => {
    const training = trainingOf(hooks);
    await stepsOf(training, 2);
    const resumed = trainingOf(hooks);
    await resumeFrom(training, resumed);
    expect(await stepsOf(resumed, 2)).toEqual(await stepsOf(training, 2));
    training.dispose();
    resumed.dispose();
  });

  it("of a rollout depend on the seed, the puzzle and the rollout, not on the batch, and differ between rollouts", async () => {
    const model = new Model(config.model, new Random(5));
    const given = { rollouts: 2, sigma: 0, steps: 2, randomStarts: true, hooks: { around: damping(0.95, 0.1) } };
    const all = await predictRollouts(model, { inputs: test.inputs }, given);
    const last = await predictRollouts(model, { inputs: test.inputs.slice(48) }, { ...given, firstPuzzle: 3 });
    for (const [k, { residual, tokens }] of last.entries()) {
      expect(residual).toEqual(all[k]!.residual.slice(3));
      expect(tokens).toEqual(all[k]!.tokens.slice(48));
    }
    expect(all[0]!.residual).not.toEqual(all[1]!.residual);
    model.dispose();
  });
});

it("every draw of the hooks has its own numbers: of puzzles, rollouts, seeds, steps and updates, and of y and z at the start", async () => {
  const context = { step: 1, steps: new Int32Array(2), puzzles: Int32Array.of(0, 1), random: new Random(1) };
  const rollout = { seed: 1, k: 1 };
  const still = constant(tensor(new Float32Array(2 * 16 * 8), { shape: [2, 16, 8] }));
  const update = { index: 0, latent: "y", before: still, latents: { y: still }, line: null };
  const path = async (change: object) => {
    const given = { ...context, rollout, call: 0, ...change };
    return String(await damping(1, 1)(update, () => still, given).value.data());
  };
  const starts = randomStarts(config.model)!({ ...context, rollout });
  const before = noiseOnZ(1)({ z: still }, { ...context, rollout, step: 2 });
  const draws = [
    await path({}),
    await path({ call: 1 }),
    await path({ step: 2 }),
    await path({ rollout: { seed: 2, k: 1 } }),
    await path({ rollout: { seed: 1, k: 2 } }),
    await path({ puzzles: Int32Array.of(2, 3) }),
    String(await starts.y!.value.data()),
    String(await starts.z!.value.data()),
    String(await before.z!.value.data()),
    String(await noiseOnZ(1)({ z: still }, { ...context, rollout }).z!.value.data()),
  ];
  expect(new Set(draws).size).toBe(draws.length);
  const [first, second] = [draws[0]!.split(",").slice(0, 128), draws[0]!.split(",").slice(128)];
  expect(first).not.toEqual(second);
});

describe("the settings of EqR", () => {
  const settings = { ...sizes, batchSize: 4, nSup: 3, learningRate: 1e-2, warmupSteps: 2 };
  const own = parseConfig({ ...settings, randomStarts: true, dampingLambda: 0.95, pathNoiseBeta: 0.01 });
  const hooks = { initial: randomStarts(config.model), around: damping(0.95, 0.01) };
  const begin = (): Training => new Training(own, new ShuffledExamples(train, 5));
  const options = { ...config.training, batchSize: 3 };

  it("are off by default, and left out of an older configuration", () => {
    const off = { randomStarts: false, dampingLambda: 1, pathNoiseBeta: 0 };
    expect(config.model).toMatchObject(off);
    expect(parseConfig({ ...settings, ...off })).toEqual(config);
    const model = new Model(config.model, new Random(5));
    expect(model.hooks).toEqual({ initial: undefined, around: undefined });
    model.dispose();
  });

  it("are each enough to change the model's updates or its start", () => {
    const hooksOf = (given: object) => {
      const model = new Model(parseConfig({ ...settings, ...given }).model, new Random(5));
      model.dispose();
      return Object.entries(model.hooks).flatMap(([name, hook]) => (hook ? [name] : []));
    };
    expect(hooksOf({ randomStarts: true })).toEqual(["initial"]);
    expect(hooksOf({ dampingLambda: 0.95 })).toEqual(["around"]);
    expect(hooksOf({ pathNoiseBeta: 0.01 })).toEqual(["around"]);
  });

  it("equal the hooks of the same values, bit for bit, in training and in evaluation", async () => {
    const training = begin();
    expect(await stepsOf(training, 3)).toEqual(await start(hooks));
    const model = new Model(config.model, new Random(5));
    const configured = new Model(own.model, new Random(5));
    expect(await evaluate(configured, test, options)).toEqual(await evaluate(model, test, { ...options, ...hooks }));
    for (const each of [training, model, configured]) each.dispose();
  });

  it("resume bit for bit, and belong to a model that is loaded from its files", async () => {
    const training = begin();
    await stepsOf(training, 2);
    const resumed = begin();
    await resumeFrom(training, resumed);
    expect(await stepsOf(resumed, 2)).toEqual(await stepsOf(training, 2));
    const model = training.evaluationModel;
    const loaded = loadModel(await packModel({ model, task, config: own, step: 4 }));
    expect(loaded.config).toEqual(own);
    const answers = async (of: Model) =>
      predictRollouts(of, { inputs: test.inputs }, { rollouts: 2, sigma: 0, steps: 2 });
    const [first, second] = await answers(loaded.model);
    expect([first, second]).toEqual(await answers(model));
    expect(first!.residual).not.toEqual(second!.residual); // every rollout has its own start
    for (const each of [training, resumed, loaded.model]) each.dispose();
  });

  it("are refused outside their ranges, with the key and the value", () => {
    const refused = (given: object, message: string) =>
      expect(() => parseConfig({ ...settings, ...given })).toThrow(message);
    refused({ dampingLambda: 0 }, "dampingLambda: ");
    refused({ dampingLambda: 1.1 }, "dampingLambda: ");
    refused({ pathNoiseBeta: -0.1 }, "pathNoiseBeta: ");
    refused({ randomStarts: 1 }, "randomStarts: ");
  });
});
