// The depth curriculum and puzzles with blanks filled in: stages, operations, and trainings that are resumed.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { Random } from "../../src/tensor/index.ts";
import {
  depthCurriculum,
  operationsOf,
  parseConfig,
  RevealedExamples,
  ShuffledExamples,
  Training,
  trainingFlops,
} from "../../src/trm/index.ts";
import { resumeFrom, stepsOf } from "../runs/tiny-run.ts";

const task = sudokuTask(4);
const { train } = task.generate({ train: 20, test: 1, seed: 3 });
const sizes = { vocabularySize: 6, sequenceLength: 16, hiddenSize: 8, heads: 2, widthMultiple: 8, layers: 1 };
const configOf = (settings: Record<string, unknown> = {}) =>
  parseConfig({ ...sizes, T: 3, n: 6, batchSize: 4, nSup: 3, totalSteps: 10, warmupSteps: 2, ...settings });
const context = { steps: new Int32Array(1), puzzles: new Int32Array(1), random: new Random(1) };

describe("the depth curriculum", () => {
  it("has at least two updates of z in the first stage, unless n is 1", () => {
    const first = (n: number) => depthCurriculum(configOf({ n }))({ ...context, step: 1 });
    expect([1, 2, 3, 6, 7].map((n) => first(n).n)).toEqual([1, 2, 2, 2, 3]);
  });

  it("has a third of T and n for 30% of the steps, then two thirds for 30%, then all", () => {
    const depth = depthCurriculum(configOf());
    const stages = Array.from({ length: 10 }, (_, i) => depth({ ...context, step: i + 1 }));
    const [first, second, third] = [
      { T: 1, n: 2 },
      { T: 2, n: 4 },
      { T: 3, n: 6 },
    ];
    expect(stages).toEqual([first, first, first, second, second, second, third, third, third, third]);
  });

  it("never exceeds the depth of the configuration, and its operations are the sum over the stages", () => {
    const whole = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(whole, whole, whole, (T, n, steps) => {
        const config = configOf({ T, n });
        const depth = depthCurriculum(config);
        let sum = 0;
        for (let step = 1; step <= steps; step++) {
          const at = depth({ ...context, step });
          expect(at.T! >= 1 && at.T! <= T && at.n! >= 1 && at.n! <= n).toBe(true);
          sum += trainingFlops(configOf(at));
        }
        expect(operationsOf(configOf({ T, n, depthCurriculum: true }), steps)).toBe(sum);
      }),
    );
  });

  it("is refused for multiZ and direct", () => {
    for (const recursion of ["multiZ", "direct"]) {
      expect(() => depthCurriculum(configOf({ recursion }))).toThrow(
        `depthCurriculum: got the recursion ${recursion}, expected trm or singleZ`,
      );
    }
  });
});

describe("the settings depthCurriculum and revealProbability", () => {
  const own = configOf({ depthCurriculum: true, revealProbability: 0.5, seed: 2 });
  const begin = (): Training => new Training(own, new ShuffledExamples(train, 5));

  it("are off by default, and equal the hook and the source of the same values, bit for bit", async () => {
    expect(configOf().training).toMatchObject({ depthCurriculum: false, revealProbability: 0 });
    const plain = configOf({ seed: 2 });
    const source = new RevealedExamples(new ShuffledExamples(train, 5), 0.5, 2);
    const [byHand, configured] = [new Training(plain, source, { depth: depthCurriculum(plain) }), begin()];
    expect(await stepsOf(configured, 5)).toEqual(await stepsOf(byHand, 5));
    for (const each of [byHand, configured]) each.dispose();
  });

  it("resume bit for bit inside a stage and across its end", async () => {
    const training = begin();
    await stepsOf(training, 2); // one more step belongs to the first stage
    const resumed = begin();
    await resumeFrom(training, resumed);
    expect(await stepsOf(resumed, 6)).toEqual(await stepsOf(training, 6));
    for (const each of [training, resumed]) each.dispose();
  });

  it("are refused for multiZ and direct, which have no stages, and outside 0..1", () => {
    for (const recursion of ["multiZ", "direct"]) {
      expect(() => configOf({ recursion, depthCurriculum: true })).toThrow(
        `config: depthCurriculum: got the recursion ${recursion}, expected trm or singleZ`,
      );
    }
    expect(() => configOf({ revealProbability: 1.5 })).toThrow("revealProbability: ");
  });

  it("do not change the operations of a training without a curriculum, whose steps are equal", () => {
    expect(operationsOf(configOf(), 7)).toBe(7 * trainingFlops(configOf()));
  });
});

describe("puzzles with blanks filled in", () => {
  it("keep at least one blank, agree with the answer elsewhere, and are as many as the probability says", () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(0, 1), (seed, probability) => {
        const plain = new ShuffledExamples(train, 5).next(20);
        const { inputs, labels } = new RevealedExamples(new ShuffledExamples(train, 5), probability, seed).next(20);
        expect(labels).toEqual(plain.labels);
        for (let slot = 0; slot < 20; slot++) {
          const cells = [...new Array(16).keys()].map((cell) => 16 * slot + cell);
          const filled = cells.filter((i) => inputs[i] !== plain.inputs[i]);
          for (const i of filled) expect([plain.inputs[i], inputs[i]]).toEqual([1, labels[i]]);
          expect(cells.some((i) => inputs[i] === 1)).toBe(true);
          expect(filled.length > 0).toBe(probability === 1);
        }
      }),
      { numRuns: 10 },
    );
  });

  it("of a third of the puzzles leave 1 to all but one of the blanks as they are, each number as often", () => {
    const question = Int32Array.of(1, 1, 1, 1, 2, 3);
    const examples = { count: 1, length: 6, inputs: question, labels: Int32Array.of(5, 4, 3, 2, 2, 3) };
    const source = new RevealedExamples(new ShuffledExamples(examples, 5), 0.3, 1);
    const { inputs } = source.next(20_000);
    const found = [0, 0, 0, 0, 0];
    for (let at = 0; at < inputs.length; at += 6) {
      found[inputs.subarray(at, at + 6).reduce((sum, token, i) => sum + Number(token !== question[i]), 0)]!++;
    }
    // 14,000 puzzles without a revealed blank, and 2,000 with 1, 2 and 3; five standard deviations.
    expect(Math.abs(found[0]! - 14_000)).toBeLessThan(325);
    for (const count of found.slice(1, 4)) expect(Math.abs(count - 2000)).toBeLessThan(215);
    expect(found[4]).toBe(0);
  });

  it("refuse a state that is not theirs, before anything changes", () => {
    const source = new RevealedExamples(new ShuffledExamples(train, 5), 0.5, 0);
    const before = structuredClone(source.state);
    for (const state of [undefined, {}, { random: {}, source: {} }, { random: new Random(9).state, source: {} }]) {
      expect(() => {
        source.state = state;
      }).toThrow("the position in the training data cannot be read");
    }
    expect(source.state).toEqual(before);
  });

  it("are refused for a probability outside 0..1", () => {
    expect(() => new RevealedExamples(new ShuffledExamples(train, 5), 1.5, 0)).toThrow(
      "RevealedExamples: got revealProbability 1.5, expected 0 to 1",
    );
  });
});
