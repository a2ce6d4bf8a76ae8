// The probe: the area under the curve, puzzles with one blank, and what the report counts.
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ratingOf, sudokuTask } from "../../src/puzzles/index.ts";
import { assign, Random } from "../../src/tensor/index.ts";
import { type Examples, evaluate, Model, parseConfig, predictions, probe } from "../../src/trm/index.ts";
import { PredictionRun } from "../../src/trm/prediction.ts";
import { areaUnderCurve, inGroups, oneBlankPuzzles, reliabilityOf } from "../../src/trm/probe.ts";
import { valuesOf } from "../values.ts";
import { withRandomQ } from "./random-q.ts";

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
const model = withRandomQ(new Model(config.model, new Random(5)), 6);
afterAll(() => model.dispose());
const options = { ...config.training, batchSize: 3 };

/** Puzzles whose values lie between 0 and 1, with many ties. */
const judgedPuzzles = fc.array(
  fc.record({ value: fc.integer({ min: 0, max: 40 }).map((value) => value / 40), isCorrect: fc.boolean() }),
  { minLength: 1, maxLength: 30 },
);
/** The published Sudoku test set has 422,786 puzzles. More than about 120,000 arguments overflow the stack of a call. */
it("tables of more puzzles than a call can take as arguments are computed", () => {
  const many = Array.from({ length: 200_000 }, (_, i) => ({ value: (i % 10) / 1e6, isCorrect: i % 2 === 0 }));
  expect(inGroups(many, 1)).toMatchObject([{ from: 0, to: 9e-6, puzzles: 200_000, exact: 0.5 }]);
  expect(reliabilityOf(many)).toMatchObject([{ from: 0, to: 9e-6, puzzles: 200_000, exact: 0.5 }]);
});

const judged = (...values: readonly number[]) => values.map((value) => ({ value, isCorrect: value > 0.5 }));

describe("the area under the curve", () => {
  it("is the share of pairs of a correct and a wrong puzzle that the value orders, ties counted half", () => {
    const tied = fc.record({ value: fc.integer({ min: 0, max: 4 }), isCorrect: fc.boolean() });
    fc.assert(
      fc.property(fc.array(tied, { maxLength: 12 }), (all) => {
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

describe("the reliability curve", () => {
  it("has the puzzles of every tenth of the confidence in one bin, with their mean confidence and their share correct", () => {
    fc.assert(
      fc.property(judgedPuzzles, (all) => {
        const bins = reliabilityOf(all);
        expect(bins.reduce((sum, { puzzles }) => sum + puzzles, 0)).toBe(all.length);
        for (const { from, to, puzzles, confidence, exact } of bins) {
          const tenth = Math.min(9, Math.floor(10 * from)); // a confidence of 1 belongs to the last bin
          const own = all.filter(({ value }) => value >= tenth / 10 && (value < (tenth + 1) / 10 || tenth === 9));
          const values = own.map(({ value }) => value);
          expect([from, to, puzzles]).toEqual([Math.min(...values), Math.max(...values), own.length]);
          expect(confidence).toBeCloseTo(values.reduce((a, b) => a + b) / own.length, 12);
          expect(exact).toBe(own.filter(({ isCorrect }) => isCorrect).length / own.length);
        }
      }),
    );
    const bins = reliabilityOf(judged(0, 0.05, 0.31, 0.39, 0.95, 1));
    expect(bins.map(({ from, to, puzzles, exact }) => [from, to, puzzles, exact])).toEqual([
      [0, 0.05, 2, 0],
      [0.31, 0.39, 2, 0],
      [0.95, 1, 2, 1],
    ]);
    expect(bins.map(({ confidence }) => confidence.toFixed(3))).toEqual(["0.025", "0.350", "0.975"]);
  });
});

describe("groups by rating", () => {
  it("are in the order of their values, hold every puzzle once, and keep equal values together", () => {
    fc.assert(
      fc.property(judgedPuzzles, fc.integer({ min: 1, max: 6 }), (all, groups) => {
        const found = inGroups(all, groups);
        expect(found.length).toBeLessThanOrEqual(groups);
        expect(found.reduce((sum, { puzzles }) => sum + puzzles, 0)).toBe(all.length);
        for (const [i, { from, to, puzzles, exact }] of found.entries()) {
          if (i > 0) expect(from).toBeGreaterThan(found[i - 1]!.to);
          const own = all.filter(({ value }) => from <= value && value <= to);
          expect(puzzles).toBe(own.length);
          expect(exact).toBe(own.filter(({ isCorrect }) => isCorrect).length / own.length);
        }
      }),
    );
  });

  it("have sizes that differ by at most one if all values differ", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 6 }),
        (values, groups) => {
          const sizes = inGroups(judged(...values), groups).map(({ puzzles }) => puzzles);
          expect(sizes).toHaveLength(Math.min(groups, values.length));
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        },
      ),
    );
    const found = inGroups(judged(7, 1, 9, 3, 5, 3), 3);
    expect(found.map(({ from, to, puzzles }) => [from, to, puzzles])).toEqual([
      [1, 3, 3],
      [5, 5, 1],
      [7, 9, 2],
    ]);
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
    expect(oneBlankPuzzles(pairs.map((pair, i) => ({ ...pair, puzzleId: i + 1 }))).puzzleIds).toEqual(
      Int32Array.from({ length: puzzles.count }, (_, i) => i + 1),
    );
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

  it("measures the puzzles with one blank with the puzzle embeddings of their puzzles", async () => {
    const { model: embedded } = parseConfig({ ...settings, puzzleEmbeddingSize: 8, puzzleSlots: 1, puzzleIds: 9 });
    const own = withRandomQ(new Model(embedded, new Random(5)), 6);
    const seen: number[] = [];
    const { lookup } = own.puzzleEmbedding!;
    own.puzzleEmbedding!.lookup = (ids) => {
      seen.push(...valuesOf(ids));
      return lookup.call(own.puzzleEmbedding, ids);
    };
    const puzzleIds = Int32Array.from({ length: 8 }, (_, i) => i + 1);
    await probe(own, { ...puzzles, puzzleIds }, options);
    expect(new Set(seen)).toEqual(new Set(puzzleIds));
    own.dispose();
  });

  it("reports how many puzzles the work amounts to after every step", async () => {
    const reports: number[] = [];
    await probe(model, await labelled(), { ...options, batchSize: 4, onProgress: (done) => void reports.push(done) });
    expect(reports).toEqual(reports.toSorted((a, b) => a - b));
    expect([reports[0], reports.at(-1)]).toEqual([0, 8]);
    expect(new Set(reports)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8]));
  });

  it("refuses a model whose y or q is NaN, and does not search forever", async () => {
    const broken = new Model(config.model, new Random(5));
    for (const { value } of broken.parameters()) assign(value, new Float32Array(value.size).fill(3e38));
    await expect(probe(broken, await labelled(), options)).rejects.toThrow(
      "probe: got NaN as y or q of a puzzle, expected a model that computes numbers",
    );
    broken.dispose();
    expect(areaUnderCurve([Number.NaN, Number.NaN].map((value, i) => ({ value, isCorrect: i === 0 })))).not.toBeNaN();
  });

  it("refuses a single supervision step, in which nothing can drift", async () => {
    await expect(probe(model, puzzles, { ...options, nSup: 1 })).rejects.toThrow(
      "probe: got 1 supervision steps, expected at least 2",
    );
  });
});

describe("the figures of a probe", () => {
  const rightRows = [0, 2, 3, 6];
  const rows = [...Array(8).keys()];
  const isCorrect = rows.map((row) => rightRows.includes(row));
  const judge = (values: readonly number[]) => values.map((value, row) => ({ value, isCorrect: isCorrect[row]! }));

  /** y and q after every step, and a set in which the model's last answers are the labels of half of the puzzles. */
  async function observed(steps: number) {
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
    for (const row of rightRows) labels.set(tokens.subarray(16 * row, 16 * row + 16), 16 * row);
    const set: Examples = { ...puzzles, labels, ignoreLabel: null };
    return { y, set, qHalt: rows.map((row) => q[2 * row]!) };
  }

  /** The mean |y_t - y_(t-1)| of every puzzle over the last four changes, or over all of them if there are fewer. */
  function driftOf(y: readonly Float32Array[]): number[] {
    const size = y[0]!.length / 8;
    const changes = y.slice(1).map((now, i) => now.map((value, at) => Math.abs(value - y[i]![at]!)));
    const last = changes.slice(-4);
    return rows.map((row) => {
      const own = last.map((change) => change.slice(row * size, (row + 1) * size).reduce((a, b) => a + b, 0) / size);
      return own.reduce((a, b) => a + b, 0) / last.length;
    });
  }

  it("have the drift that its definition gives, over as many steps as there are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 7 }), fc.integer({ min: 0, max: 8 }), async (steps, settled) => {
        const { y, set } = await observed(steps);
        const drift = driftOf(y);
        // A threshold that is just above the drift of `settled` puzzles.
        const threshold = settled === 0 ? 0 : drift.toSorted((a, b) => a - b)[settled - 1]! * (1 + 1e-5);
        const found = (await probe(model, set, { ...options, nSup: steps, settled: threshold })).drift;
        const count = (isSettled: boolean, isRight: boolean): number =>
          rows.filter((row) => drift[row]! < threshold === isSettled && isCorrect[row] === isRight).length;
        expect(found.settledCorrect + found.settledWrong).toBe(settled);
        expect(found).toEqual({
          window: Math.min(4, steps - 1),
          threshold,
          settledCorrect: count(true, true),
          settledWrong: count(true, false),
          driftingCorrect: count(false, true),
          driftingWrong: count(false, false),
          auc: areaUnderCurve(judge(drift.map((each) => -each))),
        });
      }),
      {
        numRuns: 12,
        examples: [
          [2, 4],
          [4, 3],
          [6, 4],
        ],
      },
    );
  });

  it("have the areas, the reliability and the groups that q, clues and rating give", async () => {
    const { set, qHalt } = await observed(6);
    const rating = (question: Int32Array): number => question[0]! + question[1]!;
    const found = await probe(model, set, { ...options, nSup: 6, rating });
    const confidences = judge(qHalt.map((q) => 1 / (1 + Math.exp(-q))));
    expect(found.q.auc).toBe(areaUnderCurve(judge(qHalt)));
    expect(found.q.reliability).toEqual(reliabilityOf(confidences));
    expect(found.q.reliability.length).toBeGreaterThan(2);
    const gaps = found.q.reliability.map(
      ({ puzzles: count, confidence, exact }) => count * Math.abs(confidence - exact!),
    );
    expect(found.q.calibrationError).toBeCloseTo(gaps.reduce((a, b) => a + b) / 8, 12);
    const questions = rows.map((row) => puzzles.inputs.slice(16 * row, 16 * row + 16));
    const clues = questions.map(
      (question, row) => question.filter((token, cell) => token === set.labels[16 * row + cell]).length,
    );
    const values = [...new Set(clues)].sort((a, b) => a - b);
    expect(found.byClues.map(({ from, to, puzzles: count }) => [from, to, count])).toEqual(
      values.map((value) => [value, value, clues.filter((each) => each === value).length]),
    );
    expect(found.byRating).toEqual(inGroups(judge(questions.map(rating)), 5));
    expect(found.byRating!.length).toBeGreaterThan(1);
  });
});
