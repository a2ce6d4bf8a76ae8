// Evaluation counts labelled puzzles only, never computes a share of nothing, and describes the last step with its interval.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { ArgumentError, assign, Random } from "../../src/tensor/index.ts";
import { batchHooks, compare, wilson95 } from "../../src/trm/evaluation.ts";
import { evaluateHalting, sweepHalting } from "../../src/trm/halting-evaluation.ts";
import {
  ConfigError,
  type Examples,
  evaluate,
  evaluationBatches,
  Model,
  packExamples,
  parseConfig,
  predictions,
} from "../../src/trm/index.ts";
import { withRandomQ } from "./random-q.ts";

const task = sudokuTask(4);
const { test: puzzles } = task.generate({ train: 0, test: 12, seed: 3 });
const config = parseConfig({
  vocabularySize: 6,
  sequenceLength: 16,
  hiddenSize: 16,
  heads: 2,
  widthMultiple: 8,
  T: 1,
  n: 1,
  nSup: 3,
  puzzleEmbeddingSize: 16,
  puzzleSlots: 1,
  puzzleIds: 4,
});
const model = new Model(config.model, new Random(5));
const options = { ...config.training, batchSize: 5 };

/** Examples whose labels are what the model predicts after its last step, so that it is correct on them. */
async function predicted(set: Examples): Promise<Examples> {
  const all = predictions(model, set, config.training.nSup);
  for await (const { step, tokens } of all) {
    if (step === config.training.nSup) return { ...set, labels: tokens.slice(), ignoreLabel: null };
  }
  throw new Error("no prediction");
}

describe("evaluate", () => {
  it("leaves puzzles without labels out of every figure and reports their number", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), async (isLabelled) => {
        const labels = puzzles.labels.map((label, i) => (isLabelled[Math.floor(i / 16)] ? label : 0));
        const kept = [...isLabelled.keys()].filter((row) => isLabelled[row]);
        const evaluations = [evaluate, evaluateHalting, sweepHalting] as const;
        for (const run of evaluations) {
          const received = run(model, { ...puzzles, labels }, options);
          if (kept.length === 0) {
            await expect(received).rejects.toThrow(ConfigError);
            continue;
          }
          const labelled = packExamples(
            kept.map((row) => ({
              question: puzzles.inputs.slice(row * 16, row * 16 + 16),
              answer: puzzles.labels.slice(row * 16, row * 16 + 16),
            })),
            16,
          );
          const expected = await run(model, labelled, options);
          const unlabelled = 12 - kept.length;
          expect(await received).toEqual("puzzles" in expected ? { ...expected, unlabelled } : expected);
        }
      }),
      { numRuns: 8 },
    );
  });

  it("has the figures that a count over the predictions of all puzzles gives, whatever the batch size", async () => {
    const judge = withRandomQ(new Model(config.model, new Random(6)), 7);
    const steps: { tokens: Int32Array; qHalt: Float32Array }[] = [];
    for await (const { tokens, qHalt } of predictions(judge, puzzles, 3)) steps.push({ tokens, qHalt });
    // The labels are what the model answers, but half of the puzzles have one that it does not answer in their last cell.
    const labels = steps.at(-1)!.tokens.map((token, i) => (i % 32 === 31 ? (token + 1) % 6 : token));
    const set: Examples = { ...puzzles, labels, ignoreLabel: null };
    const isRight = (tokens: Int32Array, i: number): boolean => tokens[i] === set.labels[i];
    const rows = [...Array(12).keys()];
    const solved = steps.map(
      ({ tokens }) =>
        rows.filter((row) => [...Array(16).keys()].every((cell) => isRight(tokens, 16 * row + cell))).length,
    );
    const firstHalt = rows.map((row) => steps.findIndex(({ qHalt }) => qHalt[row]! > 0) + 1);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 13 }), async (batchSize) => {
        const seen: number[] = [];
        const result = await evaluate(judge, set, {
          ...options,
          batchSize,
          onProgress: (done, total) => void seen.push(done, total),
        });
        expect(result.puzzles).toBe(12);
        expect(result.exact).toEqual(solved.map((count) => count / 12));
        expect(result.cell).toEqual(
          steps.map(({ tokens }) => set.labels.filter((_, i) => isRight(tokens, i)).length / (12 * 16)),
        );
        expect(result.haltCounts).toEqual([1, 2, 3].map((step) => firstHalt.filter((halt) => halt === step).length));
        expect(result.meanHaltStep).toBe(firstHalt.reduce((sum, halt) => sum + (halt || 3), 0) / 12);
        const starts = rows.map((row) => row * batchSize).slice(0, Math.ceil(12 / batchSize));
        const parts = starts.flatMap((start) => {
          const size = Math.min(batchSize, 12 - start);
          return [1, 2, 3].map((step) => start + Math.floor((size * step) / 3));
        });
        expect(seen).toEqual(parts.flatMap((part) => [part, 12]));
      }),
      { numRuns: 10 },
    );
    expect(solved.at(-1)).toBe(6);
    expect(firstHalt.some((halt) => halt > 0)).toBe(true);
  });

  it("takes a stored set, which need not be in memory, with the same figures", async () => {
    const stored = { count: puzzles.count, batches: (batchSize: number) => evaluationBatches(puzzles, batchSize) };
    expect(await evaluate(model, stored, options)).toEqual(await evaluate(model, puzzles, options));
  });

  it("refuses what is no model, and labels that are no array of tokens", async () => {
    await expect(evaluate(config as unknown as Model, puzzles, options)).rejects.toThrow(ArgumentError);
    const labels = "1234" as unknown as Int32Array;
    await expect(evaluate(model, { ...puzzles, labels }, options)).rejects.toThrow(ArgumentError);
  });

  it("refuses an empty set", async () => {
    const none = packExamples([], 16);
    await expect(evaluate(model, none, options)).rejects.toThrow("got 0 puzzles without labels, expected at least one");
  });

  it("gives the interval of the last step, not of another one", async () => {
    const set = await predicted(puzzles); // the answers of the last step, which earlier steps do not give for all puzzles
    const { exact, interval95 } = await evaluate(model, set, options);
    expect(exact[0]).toBeLessThan(1);
    expect(exact.at(-1)).toBe(1);
    expect(interval95).toEqual(wilson95(12, 12));
    const { exact: first } = await evaluate(model, set, { ...options, nSup: 1 });
    expect(first[0]).toBe(exact[0]);
  });

  it("uses the puzzle ids of the set", async () => {
    const spread = new Random(2);
    assign(
      model.puzzleEmbedding!.table,
      Float32Array.from({ length: 64 }, () => 3 * spread.normal()),
    );
    const ids = Int32Array.from({ length: 12 }, (_, i) => i % 4);
    const set = await predicted({ ...puzzles, puzzleIds: ids });
    const withIds = await evaluate(model, set, options);
    const withoutIds = await evaluate(model, { ...set, puzzleIds: new Int32Array(12) }, options);
    expect(withIds.cell.at(-1)).toBeGreaterThan(withoutIds.cell.at(-1)!);
  });
});

describe("predictions", () => {
  it("refuse puzzles of another length, with both lengths in the message", async () => {
    const first = predictions(model, { inputs: new Int32Array(10) }, 1).next();
    await expect(first).rejects.toThrow("question: got 10 tokens, expected a positive multiple of 16");
    const text = predictions(model, { inputs: "12..34" as unknown as Int32Array }, 1).next();
    await expect(text).rejects.toThrow(/got .*12.* as the inputs of the question, expected/);
    const ids = predictions(model, { inputs: new Int32Array(32), puzzleIds: new Int32Array(3) }, 1).next();
    await expect(ids).rejects.toThrow("question: got 3 puzzle ids, expected 2");
  });
});

describe("the helpers of an evaluation", () => {
  it("count every cell whose label is not negative, 0 included, and the correct ones among them", () => {
    const tokens = Int32Array.of(9, 9, 0, 1, 2, 3);
    const labels = Int32Array.of(9, 9, 0, -100, 2, 4);
    expect(compare(tokens, labels, 1, 3)).toEqual({ correct: 1, labelled: 2 });
    expect(compare(tokens, labels, 0, 3)).toEqual({ correct: 3, labelled: 3 });
  });

  it("share one generator with seed 0 between all batches if none is given", () => {
    const hooks = batchHooks({});
    expect(hooks(0).random).toBe(hooks(5).random);
    expect(hooks(0).random!.state).toEqual(new Random(0).state);
    expect(hooks(5).firstPuzzle).toBe(5);
  });
});

describe("the 95% interval", () => {
  it("is that of Wilson, from 0 to 1 if nothing was counted", () => {
    expect(wilson95(0, 0)).toEqual([0, 1]);
    // Figures of R's prop.test(correct = FALSE).
    const [low, high] = wilson95(1, 1);
    expect([low, high]).toEqual([expect.closeTo(0.206_549, 6), 1]);
    expect(wilson95(0, 1)).toEqual([0, expect.closeTo(0.793_451, 6)]);
    expect(wilson95(7, 10)).toEqual([expect.closeTo(0.396_778, 6), expect.closeTo(0.892_209, 6)]);
  });

  it("contains the share, stays within 0..1, and narrows with the number of puzzles", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }), (trials, share) => {
        const successes = Math.round(share * trials);
        const [low, high] = wilson95(successes, trials);
        const [low4, high4] = wilson95(4 * successes, 4 * trials);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(successes / trials + 1e-12);
        expect(high).toBeGreaterThanOrEqual(successes / trials - 1e-12);
        expect(high4 - low4).toBeLessThan(high - low);
      }),
    );
  });

  it.each([
    [5, 3, "got 5 as the successes, expected a number from 0 to 3"],
    [1, 0, "got 1 as the successes, expected a number from 0 to 0"],
    [-1, 3, "got -1 as the successes, expected a number from 0 to 3"],
    [NaN, 10, "got NaN as the successes, expected a number from 0 to 10"],
    [0, -1, "got -1 as the trials, expected a number from 0"],
    [0, NaN, "got NaN as the trials, expected a number from 0"],
  ])("of %s successes in %s trials is refused", (successes, trials, message) => {
    expect(() => wilson95(successes, trials)).toThrow(new ArgumentError(`wilson95: ${message}`));
  });

  it("is 91.0% to 97.3% for 190 of 200", () => {
    expect(wilson95(190, 200).map((x) => x.toFixed(3))).toEqual(["0.910", "0.973"]);
  });
});
