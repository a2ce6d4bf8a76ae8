// The probe: the area under the curve, puzzles with one blank, and what the report counts.
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ratingOf, sudokuTask } from "../../src/puzzles/index.ts";
import { Random } from "../../src/tensor/index.ts";
import { type Examples, evaluate, Model, parseConfig, predictions, probe } from "../../src/trm/index.ts";
import { PredictionRun } from "../../src/trm/prediction.ts";
import { areaUnderCurve, oneBlankPuzzles } from "../../src/trm/probe.ts";

const task = sudokuTask(4);
const { test: puzzles } = task.generate({ train: 0, test: 8, seed: 3 });
const settings = {
  vocabularySize: 6,
  sequenceLength: 16,
  hiddenSize: 8,
  heads: 2,
  widthMultiple: 8,
  layers: 1,
  T: 1,
  n: 2,
};
const config = parseConfig({ ...settings, nSup: 4 });
const model = new Model(config.model, new Random(5));
afterAll(() => model.dispose());
const options = { ...config.training, batchSize: 3 };

describe("the area under the curve", () => {
  it("is the share of pairs of a correct and a wrong puzzle that the value orders, ties counted half", () => {
    const judged = fc.record({ value: fc.integer({ min: 0, max: 4 }), isCorrect: fc.boolean() });
    fc.assert(
      fc.property(fc.array(judged, { maxLength: 12 }), (all) => {
        const correct = all.filter(({ isCorrect }) => isCorrect);
        const wrong = all.filter(({ isCorrect }) => !isCorrect);
        const won = correct.flatMap((a) => wrong.map((b) => (a.value > b.value ? 1 : a.value === b.value ? 0.5 : 0)));
        const area = areaUnderCurve(all);
        if (won.length === 0) expect(area).toBeNull();
        else expect(area).toBeCloseTo(won.reduce<number>((sum, each) => sum + each, 0) / won.length, 12);
      }),
    );
    const perfect = [0.1, 0.2, 0.3].map((value) => ({ value, isCorrect: value > 0.15 }));
    expect(areaUnderCurve(perfect)).toBe(1);
  });
});

describe("a puzzle with one blank", () => {
  it("differs from its answer in exactly one cell, which the question leaves blank", () => {
    const pairs = Array.from({ length: puzzles.count }, (_, i) => ({
      question: puzzles.inputs.slice(16 * i, 16 * i + 16),
      answer: puzzles.labels.slice(16 * i, 16 * i + 16),
    }));
    const filled = oneBlankPuzzles(pairs);
    expect(filled.count).toBe(puzzles.count);
    expect(filled.labels).toEqual(puzzles.labels);
    for (let i = 0; i < filled.count; i++) {
      const cells = [...new Array(16).keys()].map((cell) => 16 * i + cell);
      const open = cells.filter((cell) => filled.inputs[cell] !== filled.labels[cell]);
      expect(open).toHaveLength(1);
      expect(filled.inputs[open[0]!]).toBe(1);
      expect(puzzles.inputs[open[0]!]).toBe(1);
    }
    const answered = { question: pairs[0]!.answer, answer: pairs[0]!.answer };
    expect(oneBlankPuzzles([answered]).count).toBe(0);
  });
});

describe("a probe", () => {
  /** Labels that the model answers after step 4 for puzzles 0 to 3, and after step 1 alone, if at all, for the others. */
  async function labelled(): Promise<Examples> {
    const steps: Int32Array[] = [];
    for await (const { tokens } of predictions(model, puzzles, 4)) steps.push(tokens);
    const labels = puzzles.labels.map((_, i) => (i < 64 ? steps[3]![i]! : steps[0]![i]!));
    return { ...puzzles, labels, ignoreLabel: null };
  }

  it("has the accuracy of evaluate, counts every puzzle once in each table, and knows which puzzles stay solved", async () => {
    const set = await labelled();
    const measured = await probe(model, set, { ...options, rating: ratingOf(task) });
    const { exact } = await evaluate(model, set, options);
    expect(measured.exact).toEqual(exact);
    const { settledCorrect, settledWrong, driftingCorrect, driftingWrong, window } = measured.drift;
    expect(settledCorrect + settledWrong + driftingCorrect + driftingWrong).toBe(8);
    expect(settledCorrect + driftingCorrect).toBe(Math.round(8 * exact.at(-1)!));
    expect(window).toBe(3);
    for (const groups of [measured.q.reliability, measured.byClues, measured.byRating!]) {
      expect(groups.reduce((sum, { puzzles }) => sum + puzzles, 0)).toBe(8);
      const correct = groups.reduce((sum, group) => sum + group.puzzles * group.exact!, 0);
      expect(correct).toBeCloseTo(8 * exact.at(-1)!, 10);
    }
    const history: boolean[][] = Array.from({ length: 8 }, () => []);
    for await (const { tokens } of predictions(model, puzzles, 4)) {
      for (const [i, of] of history.entries()) {
        of.push(tokens.slice(16 * i, 16 * i + 16).every((token, cell) => token === set.labels[16 * i + cell]));
      }
    }
    const solved = history.filter((of) => of.includes(true));
    const kept = solved.filter((of) => of.slice(of.indexOf(true)).every(Boolean));
    expect(measured.monotonicity).toMatchObject({ puzzles: solved.length, exact: kept.length / solved.length });
  });

  it("measures the same drift whatever the batch size, and none that is below a threshold of 0", async () => {
    const set = await labelled();
    const measured = await probe(model, set, { ...options, settled: 0 });
    expect(measured.drift.settledCorrect + measured.drift.settledWrong).toBe(0);
    expect(await probe(model, set, { ...options, settled: 0, batchSize: 8 })).toEqual(measured);
    expect((await probe(model, set, { ...options, settled: Infinity })).drift.driftingWrong).toBe(0);
  });

  it("refuses a single supervision step, in which nothing can drift", async () => {
    await expect(probe(model, puzzles, { ...options, nSup: 1 })).rejects.toThrow(
      "probe: got 1 supervision steps, expected at least 2",
    );
  });
});

it("a probe has the drift, the areas under the curve and the groups that their definitions give", async () => {
  const steps = 6;
  // Half of the puzzles have the model's last answer as labels, so that the model is correct on them.
  const run = new PredictionRun(model, { inputs: puzzles.inputs, puzzleIds: new Int32Array(8) }, {});
  const y: Float32Array[] = [];
  let [tokens, q] = [new Int32Array(0), new Float32Array(0)];
  for (let step = 1; step <= steps; step++) {
    const outputs = run.step();
    y.push(Float32Array.from(await run.latents.y!.value.data()));
    tokens = Int32Array.from(await outputs.tokens.data());
    q = Float32Array.from(await outputs.q.data());
    for (const tensor of Object.values(outputs)) tensor.dispose();
  }
  run.dispose();
  const labels = puzzles.labels.slice();
  for (const row of [0, 2, 3, 6]) labels.set(tokens.subarray(16 * row, 16 * row + 16), 16 * row);
  const set: Examples = { ...puzzles, labels, ignoreLabel: null };

  const isCorrect = [...Array(8).keys()].map((row) => [0, 2, 3, 6].includes(row));
  const size = y[0]!.length / 8;
  const moved = (row: number, step: number): number => {
    const cells = [...Array(size).keys()].map((i) =>
      Math.abs(y[step]![row * size + i]! - y[step - 1]![row * size + i]!),
    );
    return cells.reduce((sum, each) => sum + each, 0) / size;
  };
  const drift = isCorrect.map((_, row) => [2, 3, 4, 5].reduce((sum, step) => sum + moved(row, step), 0) / 4);
  const middle = drift.toSorted((a, b) => a - b)[3]! + 1e-9;
  const area = (values: readonly number[]) =>
    areaUnderCurve(values.map((value, row) => ({ value, isCorrect: isCorrect[row]! })));
  const rating = (question: Int32Array): number => question[0]!;

  const found = await probe(model, set, { ...options, nSup: steps, settled: middle, rating });
  expect(found.drift.window).toBe(4);
  expect(found.drift.settledCorrect + found.drift.settledWrong).toBe(4);
  expect(found.drift.settledCorrect).toBe(drift.filter((each, row) => each < middle && isCorrect[row]).length);
  expect(found.drift.auc).toBeCloseTo(area(drift.map((each) => -each))!, 10);
  expect(found.q.auc).toBeCloseTo(area(isCorrect.map((_, row) => q[2 * row]!))!, 10);
  const clues = isCorrect.map((_, row) => {
    const cells = [...Array(16).keys()].map((cell) => 16 * row + cell);
    return cells.filter((i) => puzzles.inputs[i] === labels[i]).length;
  });
  const values = [...new Set(clues)].sort((a, b) => a - b);
  expect(found.byClues.map(({ from, to, puzzles: count }) => [from, to, count])).toEqual(
    values.map((value) => [value, value, clues.filter((each) => each === value).length]),
  );
  const rated = found.byRating!;
  expect(rated.map(({ from }) => from)).toEqual(rated.map(({ from }) => from).sort((a, b) => a - b));
  expect(rated.reduce((sum, each) => sum + each.puzzles, 0)).toBe(8);
});
