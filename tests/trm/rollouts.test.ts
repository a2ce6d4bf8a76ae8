// Rollouts: what their noise depends on, how an answer is selected, and what an evaluation reports.
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { Random } from "../../src/tensor/index.ts";
import {
  answersOf,
  evaluate,
  evaluateRollouts,
  expectedPassAtK,
  Model,
  parseConfig,
  predictions,
  predictRollouts,
  type RolloutAnswer,
  rolloutSelections,
  type StepHooks,
  selectRollout,
} from "../../src/trm/index.ts";
import { noiseOnZ } from "../../src/trm/noise.ts";
import { rolloutCounts } from "../../src/trm/rollouts.ts";
import { withRandomQ } from "./random-q.ts";

const task = sudokuTask(4);
const { test: puzzles } = task.generate({ train: 0, test: 7, seed: 3 });
const small = { hiddenSize: 8, heads: 2, widthMultiple: 8, layers: 1, T: 2, n: 2, nSup: 4 };
const configOf = (settings: Record<string, unknown> = {}) =>
  parseConfig({ vocabularySize: 6, sequenceLength: 16, ...small, ...settings });
const config = configOf();
const model = withRandomQ(new Model(config.model, new Random(5)), 6);
const multiZ = new Model(configOf({ recursion: "multiZ" }).model, new Random(5));
afterAll(() => {
  for (const each of [model, multiZ]) each.dispose();
});
const options = { ...config.training, batchSize: 3 };
const question = { inputs: puzzles.inputs };

describe("noise on z", () => {
  it("of strength 0 makes every rollout the plain prediction, bit for bit, for any K", async () => {
    const plain = await evaluate(model, puzzles, options);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.integer(), async (rollouts, seed) => {
        const measured = await evaluateRollouts(model, puzzles, { ...options, rollouts, sigma: 0, noiseSeed: seed });
        expect(measured.deterministic).toBe(plain.exact.at(-1));
        const [first, ...others] = await predictRollouts(model, question, {
          rollouts,
          sigma: 0,
          noiseSeed: seed,
          steps: 4,
        });
        for (const other of others) expect(other).toEqual(first);
        for await (const { step, tokens, qHalt } of predictions(model, question, 4)) {
          if (step === 4) expect({ tokens, qHalt }).toEqual({ tokens: first!.tokens, qHalt: first!.qHalt });
        }
      }),
      { numRuns: 2 },
    );
  });

  it("of any seed leaves the deterministic answers those of evaluate, also if the model draws its starts", async () => {
    const { model: eqr, training } = configOf({ randomStarts: true, pathNoiseBeta: 0.5 });
    const own = withRandomQ(new Model(eqr, new Random(5)), 6);
    // The labels are the answers of the model itself, so that other starts would give another share.
    for await (const { step, tokens } of predictions(own, question, 4)) {
      if (step < 4) continue;
      const set = { ...puzzles, labels: tokens.slice(), ignoreLabel: null };
      for (const seed of [0, 1, 2]) {
        const settings = { ...training, batchSize: 7, rollouts: 1, sigma: 0.3, noiseSeed: seed };
        expect((await evaluateRollouts(own, set, settings)).deterministic).toBe(1);
      }
    }
    own.dispose();
  });

  it("does not depend on the seed of the training, whose settings an evaluation takes", async () => {
    const measure = (seed: number) => {
      const { training } = configOf({ seed });
      return evaluateRollouts(model, puzzles, { ...training, batchSize: 3, rollouts: 2, sigma: 1 });
    };
    expect(await measure(7)).toEqual(await measure(8));
  });

  it("that a hook draws is that of evaluate for the deterministic answers, and differs between rollouts", async () => {
    const drawn: number[] = [];
    const before: StepHooks["before"] = (latents, { random }) => {
      drawn.push(random.integer(2 ** 30));
      return latents;
    };
    await evaluate(model, puzzles, { ...options, before });
    const plain = drawn.splice(0);
    await evaluateRollouts(model, puzzles, { ...options, before, rollouts: 2, sigma: 0 });
    const { nSup } = options;
    const batches = Array.from({ length: 3 }, (_, batch) => drawn.slice(3 * nSup * batch, 3 * nSup * (batch + 1)));
    expect(batches.flatMap((draws) => draws.slice(0, nSup))).toEqual(plain);
    const ofRollouts = batches.flatMap((draws) => draws.slice(nSup));
    expect(new Set(ofRollouts).size).toBe(2 * 3 * nSup);
  });

  it("depends on seed, puzzle, rollout and step alone, not on K or on how the puzzles are put into batches", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(model, multiZ),
        async (rollouts, cut, of) => {
          const given = { sigma: 1, noiseSeed: 3, steps: 3 };
          const all = await predictRollouts(of, question, { ...given, rollouts: 5 });
          const fewer = await predictRollouts(of, question, { ...given, rollouts });
          expect(fewer).toEqual(all.slice(0, rollouts));
          const rest = { inputs: puzzles.inputs.slice(cut * 16) };
          const later = await predictRollouts(of, rest, { ...given, rollouts, firstPuzzle: cut });
          later.forEach(({ tokens, qHalt, residual }, k) => {
            expect(tokens).toEqual(all[k]!.tokens.slice(cut * 16));
            expect(qHalt).toEqual(all[k]!.qHalt.slice(cut));
            expect(residual).toEqual(all[k]!.residual.slice(cut));
          });
        },
      ),
      { numRuns: 3, examples: [[2, 3, multiZ]] },
    );
  });

  it("differs between rollouts, seeds and strengths", async () => {
    const tokensOf = async (sigma: number, seed: number) =>
      (await predictRollouts(model, question, { rollouts: 2, sigma, noiseSeed: seed, steps: 3 })).map(
        ({ residual }) => residual,
      );
    const [first, second] = await tokensOf(1, 3);
    expect(first).not.toEqual(second);
    expect((await tokensOf(1, 4))[0]).not.toEqual(first);
    expect((await tokensOf(2, 3))[0]).not.toEqual(first);
  });

  it("is added to every z with the given deviation, and never to y", async () => {
    const latents = multiZ.initialLatents(2);
    const context = { step: 1, steps: new Int32Array(2), puzzles: Int32Array.of(0, 1), random: new Random(1) };
    const noisy = noiseOnZ(0.5)(latents, { ...context, rollout: { seed: 1, k: 1 } });
    expect(noisy.y).toBe(latents.y);
    const differences: number[] = [];
    for (const name of ["z1", "z2"]) {
      const [before, after] = await Promise.all([latents[name]!.value.data(), noisy[name]!.value.data()]);
      differences.push(...Array.from(after, (value, i) => Number(value) - Number(before[i])));
    }
    expect(new Set(differences.map((value) => value.toFixed(5))).size).toBeGreaterThan(differences.length * 0.9);
    const mean = differences.reduce((a, b) => a + b) / differences.length;
    const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / differences.length;
    expect(Math.sqrt(variance)).toBeGreaterThan(0.42);
    expect(Math.sqrt(variance)).toBeLessThan(0.58);
    for (const { value } of [...Object.values(latents), noisy.z1!, noisy.z2!]) value.dispose();
  });

  it("is refused for direct prediction, which has no z, and for settings out of range", async () => {
    const direct = new Model(configOf({ recursion: "direct" }).model, new Random(5));
    const refused = (of: Model, settings: object) =>
      expect(predictRollouts(of, question, { rollouts: 1, sigma: 0.3, steps: 1, ...settings })).rejects;
    await refused(direct, {}).toThrow("rollouts: got the recursion direct, expected one with a z to add noise to");
    await refused(model, { rollouts: 0 }).toThrow("rollouts: got 0 rollouts, expected an integer from 1");
    await refused(model, { sigma: -1 }).toThrow("sigma: got -1, expected a number from 0");
    direct.dispose();
  });

  it("is refused for a question of another length", async () => {
    const settings = { rollouts: 1, sigma: 0.3, steps: 1 };
    await expect(predictRollouts(model, { inputs: new Int32Array(20) }, settings)).rejects.toThrow(
      `question: got 20 tokens, expected a positive multiple of ${model.config.sequenceLength}`,
    );
  });
});

const answer = (token: number, q = 0, residual = 0): RolloutAnswer => ({ tokens: [token, 1], q, residual });

describe("the selection of a rollout", () => {
  it("takes the highest q, the first of the most frequent answers, or the smallest residual", () => {
    const answers = [answer(1, 2, 3), answer(2, 3, 2), answer(3, 1, 1), answer(2, 0, 4)];
    expect(rolloutSelections.map((how) => selectRollout(answers, how))).toEqual([1, 1, 2]);
    expect(selectRollout([{ ...answers[0]!, q: Number.NaN }, answers[1]!], "q")).toBe(1);
  });

  it("resolves ties to the lowest rollout, and never selects a worse one", () => {
    const answers = fc.array(
      fc.record({ token: fc.integer({ min: 1, max: 3 }), q: fc.integer({ min: 0, max: 2 }), residual: fc.nat(2) }),
      { minLength: 1, maxLength: 9 },
    );
    fc.assert(
      fc.property(answers, (drawn) => {
        const all = drawn.map(({ token, q, residual }) => answer(token, q, residual));
        const count = (index: number): number => drawn.filter(({ token }) => token === drawn[index]!.token).length;
        const score = {
          q: (i: number) => drawn[i]!.q,
          residual: (i: number) => -drawn[i]!.residual,
          mode: count,
        };
        for (const how of rolloutSelections) {
          const chosen = selectRollout(all, how);
          drawn.forEach((_, i) => {
            expect(score[how](chosen)).toBeGreaterThanOrEqual(score[how](i));
            if (i < chosen) expect(score[how](chosen)).toBeGreaterThan(score[how](i));
          });
        }
      }),
    );
  });
});

describe("pass@k", () => {
  it("by formula is the share of the choices of k of n rollouts that contain a correct one", () => {
    for (let n = 1; n <= 6; n++) {
      for (let c = 0; c <= n; c++) {
        for (let k = 1; k <= n; k++) {
          const choices = [...new Array(2 ** n).keys()].filter((bits) => ones(bits) === k);
          const passed = choices.filter((bits) => (bits & (2 ** c - 1)) !== 0); // the first c are correct
          expect(expectedPassAtK(n, c, k)).toBeCloseTo(passed.length / choices.length, 12);
        }
      }
    }
  });
});
const ones = (bits: number): number => bits.toString(2).replaceAll("0", "").length;

describe("an evaluation with rollouts", () => {
  it("has a pass@K that rises with K and is at least best-q, mode and residual; K alone is what the shares depend on", async () => {
    // Labels that the rollouts answer now and then: those of the first rollout for some puzzles, of the third for others.
    const given = { sigma: 1, noiseSeed: 3 };
    const made = await predictRollouts(model, question, { ...given, rollouts: 4, steps: 4 });
    const labels = puzzles.labels.map((_, i) => made[i < 48 ? 0 : 2]!.tokens[i]!);
    const set = { ...puzzles, labels, ignoreLabel: null };
    const all = await evaluateRollouts(model, set, { ...options, ...given, rollouts: 4 });
    expect(Object.keys(all.passAtK)).toEqual(["1", "2", "4"]);
    expect(all.passAtK["4"]).toBeGreaterThan(all.passAtK["1"]!);
    let previous = 0;
    for (const k of Object.keys(all.passAtK)) {
      expect(all.passAtK[k]).toBeGreaterThanOrEqual(previous);
      previous = all.passAtK[k]!;
      for (const name of ["bestQ", "mode", "residual"] as const) {
        expect(all.passAtK[k]).toBeGreaterThanOrEqual(all[name][k]!);
        const [low, high] = all.interval95[name][k]!;
        expect(low <= all[name][k]! && all[name][k]! <= high).toBe(true);
      }
    }
    expect(all.expectedPassAtK["4"]).toBeCloseTo(all.passAtK["4"]!, 12);
    const fewer = await evaluateRollouts(model, set, { ...options, batchSize: 7, ...given, rollouts: 2 });
    for (const name of ["passAtK", "bestQ", "mode", "residual"] as const) {
      expect(fewer[name]).toEqual({ "1": all[name]["1"], "2": all[name]["2"] });
    }
  });

  it("counts for every selection the puzzles that it wins and loses in comparison with the deterministic answers", async () => {
    const rows = [...Array(7).keys()];
    let sumOfGained = 0;
    let sumOfLost = 0;
    const check = async (seed: number, wonRows: number) => {
      const given = { sigma: 1, noiseSeed: seed, rollouts: 3 };
      const made = await predictRollouts(model, question, { ...given, steps: 4 });
      let plain = new Int32Array(0);
      for await (const { tokens } of predictions(model, question, 4)) plain = Int32Array.from(tokens);
      // The labels are the answers of the second rollout for some puzzles, and the deterministic answers for the others.
      const labels = puzzles.labels.map((_, i) => (i < 16 * wonRows ? made[1]!.tokens[i]! : plain[i]!));
      const set = { ...puzzles, labels, ignoreLabel: null };
      const found = await evaluateRollouts(model, set, { ...options, ...given });
      const isRight = (tokens: ArrayLike<number>, row: number): boolean =>
        Array.from(tokens).every((token, cell) => token === labels[16 * row + cell]);
      for (const how of rolloutSelections) {
        const chosen = rows.map((row) => {
          const answers = answersOf(made, row, 16);
          return isRight(answers[selectRollout(answers, how)]!.tokens, row);
        });
        const was = rows.map((row) => isRight(plain.slice(16 * row, 16 * row + 16), row));
        const gained = rows.filter((row) => chosen[row] && !was[row]).length;
        const lost = rows.filter((row) => !chosen[row] && was[row]).length;
        expect(found.againstDeterministic[how]).toMatchObject({ gained, lost });
        sumOfGained += gained;
        sumOfLost += lost;
      }
    };
    await fc.assert(fc.asyncProperty(fc.nat(100), fc.integer({ min: 0, max: 7 }), check), {
      numRuns: 4,
      examples: [[3, 4]],
    });
    expect(sumOfGained).toBeGreaterThan(0);
    expect(sumOfLost).toBeGreaterThan(0);
  });

  it("reports its progress after every step of every rollout, in puzzles that rise to their number", async () => {
    const progressOf = async (rollouts: number, nSup: number, batchSize: number): Promise<number[]> => {
      const seen: number[] = [];
      const onProgress = (done: number, all: number): void => {
        expect(all).toBe(7);
        seen.push(done);
      };
      await evaluateRollouts(model, puzzles, { ...options, nSup, batchSize, rollouts, sigma: 1, onProgress });
      return seen;
    };
    const size = fc.integer({ min: 1, max: 3 });
    await fc.assert(
      fc.asyncProperty(size, size, fc.integer({ min: 1, max: 8 }), async (rollouts, nSup, batchSize) => {
        const seen = await progressOf(rollouts, nSup, batchSize);
        expect(seen).toHaveLength(Math.ceil(7 / batchSize) * ((rollouts + 1) * nSup + 1));
        expect(seen).toEqual(seen.toSorted((a, b) => a - b));
        expect(seen.at(-1)).toBe(7);
      }),
      { numRuns: 5 },
    );
    expect(await progressOf(1, 4, 7)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 7]); // after 1/8, 2/8, ... of 7 puzzles
  });

  it("reports K = 1, 2, 5, 10, ... up to the number of rollouts", () => {
    expect([1, 2, 25, 100].map(rolloutCounts)).toEqual([
      [1],
      [1, 2],
      [1, 2, 5, 10, 20, 25],
      [1, 2, 5, 10, 20, 50, 100],
    ]);
  });

  it("measures the residual as the mean change of the logits over the last three steps", async () => {
    const [rollout] = await predictRollouts(model, question, { rollouts: 1, sigma: 0, steps: 5 });
    const logits: Float32Array[] = [];
    for await (const prediction of predictions(model, question, 5)) {
      logits.push(Float32Array.from(await prediction.logits.data()));
    }
    let expected = 0;
    for (let step = 2; step < 5; step++) {
      for (let cell = 0; cell < 16; cell++) {
        const difference = [0, 1, 2, 3, 4, 5].map(
          (v) => logits[step]![cell * 6 + v]! - logits[step - 1]![cell * 6 + v]!,
        );
        expected += Math.hypot(...difference) / (3 * 16);
      }
    }
    expect(rollout!.residual[0]).toBeCloseTo(expected, 10);
    expect(answersOf([rollout!], 0, 16)[0]!.residual).toBe(rollout!.residual[0]);
  });
});
