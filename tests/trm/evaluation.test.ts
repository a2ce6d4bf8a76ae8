// Evaluation counts labelled puzzles only, never computes a share of nothing, and describes the last step with its interval.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { assign, Random } from "../../src/tensor/index.ts";
import { wilson95 } from "../../src/trm/evaluation.ts";
import { evaluateHalting, sweepHalting } from "../../src/trm/halting-evaluation.ts";
import {
  ConfigError,
  type Examples,
  evaluate,
  Model,
  packExamples,
  parseConfig,
  predictions,
} from "../../src/trm/index.ts";

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
    // Token 0 is never a label, because it is the ignored one.
    if (step === config.training.nSup) return { ...set, labels: tokens.map((token) => Math.max(1, token)) };
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

  it("refuses an empty set", async () => {
    const none = packExamples([], 16);
    await expect(evaluate(model, none, options)).rejects.toThrow("got 0 puzzles without labels, expected at least one");
  });

  it("gives the interval of the last step, not of another one", async () => {
    const set = await predicted(puzzles);
    // The labels agree with the last step; change them where an earlier step differs from it, so that the steps have other shares.
    const { exact, interval95, puzzles: count } = await evaluate(model, set, options);
    expect(interval95).toEqual(wilson95(Math.round(exact.at(-1)! * count), count));
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
    await expect(first).rejects.toThrow("question: got 10 tokens, expected a multiple of 16");
    const ids = predictions(model, { inputs: new Int32Array(32), puzzleIds: new Int32Array(3) }, 1).next();
    await expect(ids).rejects.toThrow("question: got 3 puzzle ids, expected 2");
  });
});
