// Early exit changes when a puzzle stops, but not its predictions at a step, and the saved compute is really not spent.
import { afterAll, describe, expect, it, vi } from "vitest";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { assign, Random } from "../../src/tensor/index.ts";
import { predictionsAtExit } from "../../src/trm/early-exit.ts";
import { evaluateHalting, sweepHalting, sweepThresholds } from "../../src/trm/halting-evaluation.ts";
import { type Examples, evaluate, Model, parseConfig, predictions } from "../../src/trm/index.ts";

const task = sudokuTask(4);
const { test: questions } = task.generate({ train: 0, test: 23, seed: 3 });
const base = { vocabularySize: 6, sequenceLength: 16, hiddenSize: 16, heads: 2, widthMultiple: 8, T: 1, n: 1, nSup: 6 };

/**
 * A model whose q varies, so that puzzles stop at different steps, and puzzles of which it answers about half correctly: two of
 * three have the model's own answers of step 3, 4, 5 or 6 as labels.
 */
async function modelWithSpreadQ(settings: Record<string, unknown> = {}) {
  const config = parseConfig({ ...base, ...settings });
  const random = new Random(5);
  const model = new Model(config.model, random);
  assign(
    model.qWeights.weight.value,
    Float32Array.from({ length: 32 }, () => random.normal()),
  );
  assign(model.qWeights.bias.value, [-3, 0]);
  const labels = questions.labels.slice();
  for await (const { step, tokens } of predictions(model, questions, 6)) {
    const rows = [...Array(23).keys()].filter((row) => row % 6 === step % 6 && step >= 3);
    for (const row of rows) labels.set(tokens.subarray(row * 16, row * 16 + 16), row * 16);
  }
  const puzzles: Examples = { ...questions, labels, ignoreLabel: null };
  return { model, options: { ...config.training, batchSize: 10 }, puzzles };
}

const cases = {
  trm: await modelWithSpreadQ(),
  "q_halt against q_continue, attention": await modelWithSpreadQ({
    continueLoss: true,
    mixer: "attention",
    positions: "rotary",
  }),
  "several latents": await modelWithSpreadQ({ recursion: "multiZ", n: 2 }),
};
afterAll(() => {
  for (const { model } of Object.values(cases)) model.dispose();
});

describe.each(Object.entries(cases))("%s", (_, { model, options, puzzles }) => {
  it("equals the fixed evaluation if no puzzle stops early", async () => {
    const fixed = await evaluate(model, puzzles, options);
    const halting = await evaluateHalting(model, puzzles, { ...options, threshold: Infinity });
    expect(halting).toMatchObject({ exact: fixed.exact.at(-1), cell: fixed.cell.at(-1), interval95: fixed.interval95 });
    expect(halting.exitSteps).toEqual(new Array(23).fill(6));
    expect([halting.meanSteps, halting.computeSaved]).toEqual([6, 0]);
  });

  it("stops each puzzle at the step that the fixed evaluation reports, with the prediction of that step", async () => {
    const fixed = await evaluate(model, puzzles, options);
    const halting = await evaluateHalting(model, puzzles, options);
    expect(halting.meanSteps).toBeCloseTo(fixed.meanHaltStep, 10);
    expect(new Set(halting.exitSteps).size).toBeGreaterThan(1);
    const exit = await predictionsAtExit(model, puzzles, { maxSteps: 6, stops: (q) => q > 0.5 });
    for await (const { step, tokens, qHalt } of predictions(model, puzzles, 6)) {
      exit.exitSteps.forEach((left, slot) => {
        if (step < left) expect(qHalt[slot]).toBeLessThanOrEqual(0.5);
        if (step !== left) return;
        expect(exit.tokens.subarray(slot * 16, slot * 16 + 16)).toEqual(tokens.subarray(slot * 16, slot * 16 + 16));
        expect(exit.qHalt[slot]).toBeCloseTo(qHalt[slot]!, 4);
      });
    }
  });

  it("gives at each threshold of a sweep the result of halting at this threshold", async () => {
    const points = await sweepHalting(model, puzzles, options);
    expect(points[0]).toMatchObject({ threshold: -Infinity, meanSteps: 1 });
    expect(points.at(-1)).toMatchObject({ threshold: Infinity, meanSteps: 6, computeSaved: 0 });
    for (const { threshold, ...point } of points.filter((_, i) => i % 3 === 0)) {
      const { exact, meanSteps, computeSaved } = await evaluateHalting(model, puzzles, { ...options, threshold });
      expect({ exact, meanSteps, computeSaved }).toEqual(point);
    }
    expect(Math.max(...points.map(({ exact }) => exact))).toBeGreaterThan(0.1);
    const steps = points.map(({ meanSteps }) => meanSteps);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });
});

it("the thresholds of a sweep rise from halting after one step to never halting, and include that of the evaluation", () => {
  expect(sweepThresholds).toEqual([...new Set(sweepThresholds)].sort((a, b) => a - b));
  expect([sweepThresholds[0], sweepThresholds.at(-1)]).toEqual([-Infinity, Infinity]);
  expect(sweepThresholds).toContain(0);
});

describe("early exit", () => {
  const { model, options, puzzles } = cases.trm;

  it("does not compute further steps of puzzles that have left", async () => {
    const embed = vi.spyOn(model, "embed");
    const exit = await evaluateHalting(model, puzzles, { ...options, batchSize: 23 });
    const sizes = embed.mock.calls.map(([inputs]) => inputs.shape[0]!);
    embed.mockRestore();
    expect(sizes).toEqual(
      Array.from(
        { length: Math.max(...exit.exitSteps) },
        (_, step) => exit.exitSteps.filter((left) => left > step).length,
      ),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0) / 23).toBeCloseTo(exit.meanSteps, 10);
    expect(exit.computeSaved).toBeGreaterThan(0);
  });

  it("can run more steps than were trained, and releases all its memory", async () => {
    const { backend } = model.embedding.weight.value;
    await evaluateHalting(model, puzzles, { ...options, nSup: 2 });
    const before = backend.memory().liveBytes;
    const { exact } = await evaluate(model, puzzles, { ...options, nSup: 64 });
    expect(exact).toHaveLength(64);
    const halting = await evaluateHalting(model, puzzles, { ...options, nSup: 128, threshold: 3 });
    expect(Math.max(...halting.exitSteps)).toBe(128); // more than base.nSup, with which the model was made
    expect(backend.memory().liveBytes).toBe(before);
  });
});

it("predictionsAtExit asks once per puzzle and step whether it stops, so that an answer that changes loses no puzzle", async () => {
  const { model } = cases.trm;
  const asked: number[] = [];
  let calls = 0;
  const exit = await predictionsAtExit(model, questions, {
    maxSteps: 6,
    stops: (q) => {
      asked.push(q);
      return calls++ % 2 === 0;
    },
  });
  expect(exit.exitSteps.every((step) => step >= 1)).toBe(true);
  // A puzzle that leaves after step s < 6 was asked s times; at the last step none is asked.
  expect(asked).toHaveLength(exit.exitSteps.reduce((sum, step) => sum + Math.min(step, 5), 0));
});
