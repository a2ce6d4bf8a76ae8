// Voting over the symmetries of a task: their inverses, the election, and the relation to a plain evaluation.
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { gridTask, mazeTask, sudokuTask } from "../../src/puzzles/index.ts";
import { tokensTask } from "../../src/puzzles/tokens-task.ts";
import { Random } from "../../src/tensor/index.ts";
import {
  type Ballot,
  electBallot,
  evaluate,
  evaluateVote,
  Model,
  pairedDifference,
  parseConfig,
  predictions,
  saysHalt,
  type Task,
} from "../../src/trm/index.ts";
import { withRandomQ } from "./random-q.ts";

const mirror = (rows: number, symmetry: "none" | "dihedral"): Task =>
  gridTask({ name: "mirror", rows, columns: 4, symbols: ".ab", symmetry, draw: () => ({ question: "", answer: "" }) });
const tasks: readonly Task[] = [
  sudokuTask(4),
  sudokuTask(6),
  sudokuTask(9),
  mazeTask(7),
  mirror(4, "dihedral"),
  mirror(3, "dihedral"),
];

describe("the symmetries of a task", () => {
  it("have inverses, begin with the identity, and permute the tokens of any board", () => {
    const drawn = fc.record({
      task: fc.constantFrom(...tasks),
      seed: fc.integer(),
      count: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(drawn, ({ task, seed, count }) => {
        const random = new Random(seed);
        const tokens = Int32Array.from({ length: task.sequenceLength }, () => random.integer(task.vocabularySize));
        const symmetries = task.symmetries!(count, random);
        expect(symmetries).toHaveLength(count);
        expect(symmetries[0]!.apply(tokens)).toEqual(tokens);
        for (const { apply, inverse } of symmetries) {
          expect(inverse(apply(tokens))).toEqual(tokens);
          expect(apply(inverse(tokens))).toEqual(tokens);
        }
      }),
    );
  });

  it("map a puzzle and its answer to a puzzle and an answer that obeys the rules", () => {
    for (const task of [sudokuTask(4), sudokuTask(6), sudokuTask(9), mazeTask(7)]) {
      const { test } = task.generate({ train: 0, test: 3, seed: 1 });
      const part = (all: Int32Array, i: number) => all.slice(i * task.sequenceLength, (i + 1) * task.sequenceLength);
      for (let i = 0; i < 3; i++) {
        for (const { apply } of task.symmetries!(8, new Random(i))) {
          const question = apply(part(test.inputs, i));
          expect(task.format(task.parse(task.format(question)))).toBe(task.format(question));
          expect(task.mistake(question, apply(part(test.labels, i)))).toBeUndefined();
        }
      }
    }
  });

  it("are the eight of a square, four of another rectangle, and none of a task without", () => {
    const all = (task: Task) =>
      new Set(task.symmetries!(100, new Random(1)).map(({ apply }) => apply(distinct(task)).join()));
    const distinct = (task: Task) => Int32Array.from({ length: task.sequenceLength }, (_, i) => i);
    expect([mazeTask(7), mirror(4, "dihedral"), mirror(3, "dihedral")].map((task) => all(task).size)).toEqual([
      8, 8, 4,
    ]);
    expect([mirror(4, "none"), tokensTask(4, 3)].map(({ symmetries }) => symmetries)).toEqual([undefined, undefined]);
  });
});

const ballot = (token: number, qHalt = 1, hasHalted = qHalt > 0): Ballot => ({
  tokens: Int32Array.of(token),
  qHalt,
  hasHalted,
});

describe("the election", () => {
  it("goes to the answer with most votes of those that q halted, then to the higher mean q, then to the earlier", () => {
    expect(electBallot([ballot(1, 9), ballot(2), ballot(2)])).toBe(1);
    expect(electBallot([ballot(1, 1), ballot(2, 2)])).toBe(1);
    expect(electBallot([ballot(1, 2), ballot(2, 2)])).toBe(0);
    expect(electBallot([ballot(1, -1), ballot(1, -1), ballot(2, 0.1)])).toBe(2);
    expect(electBallot([ballot(2, -3), ballot(1, -1), ballot(1, -2)])).toBe(1); // none has halted: all vote
    expect(() => electBallot([])).toThrow("electBallot: got no ballots");
  });

  it("never elects an answer that fewer halted passes gave", () => {
    const drawn = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: -2, max: 2 })), { minLength: 1 });
    fc.assert(
      fc.property(drawn, (given) => {
        const ballots = given.map(([token, q]) => ballot(token, q));
        const voting = ballots.some(({ hasHalted }) => hasHalted) ? ballots.filter((each) => each.hasHalted) : ballots;
        const votesOf = (token: number) => voting.filter(({ tokens }) => tokens[0] === token).length;
        const elected = ballots[electBallot(ballots)]!;
        expect(voting).toContain(elected);
        for (const { tokens } of voting)
          expect(votesOf(elected.tokens[0]!)).toBeGreaterThanOrEqual(votesOf(tokens[0]!));
      }),
    );
  });
});

describe("an evaluation by vote", () => {
  const task = sudokuTask(4);
  const { test: puzzles } = task.generate({ train: 0, test: 7, seed: 3 });
  const small = { vocabularySize: 6, sequenceLength: 16, hiddenSize: 8, heads: 2, widthMultiple: 8, layers: 1 };
  const config = parseConfig({ ...small, T: 1, n: 2, nSup: 3 });
  const model = withRandomQ(new Model(config.model, new Random(5)), 6);
  afterAll(() => model.dispose());
  const options = { ...config.training, batchSize: 3, task };
  /** Labels that the model gives to the first four puzzles and not to the others. */
  const labelled = async () => {
    for await (const { step, tokens } of predictions(model, puzzles, 3)) {
      if (step < 3) continue;
      return { ...puzzles, labels: puzzles.labels.map((label, i) => (i < 64 ? tokens[i]! : label)), ignoreLabel: null };
    }
    throw new Error("no prediction");
  };

  it("with one vote is the plain evaluation, whatever the seed", async () => {
    const set = await labelled();
    const plain = await evaluate(model, set, options);
    for (const seed of [0, 7]) {
      const { single, voted, againstSingle } = await evaluateVote(model, set, {
        ...options,
        votes: 1,
        symmetrySeed: seed,
      });
      expect(voted).toEqual(single);
      expect([single.exact, single.interval95]).toEqual([plain.exact.at(-1), plain.interval95]);
      expect(againstSingle).toMatchObject({ exact: { gained: 0, lost: 0 }, valid: { gained: 0, lost: 0 } });
    }
  });

  it("counts what the vote gains and loses, and does not depend on the batch size", async () => {
    const set = await labelled();
    const measured = await evaluateVote(model, set, { ...options, votes: 5 });
    const { single, voted, againstSingle, puzzles: count } = measured;
    expect(count).toBe(7);
    expect(single.exact).toBe(4 / 7);
    for (const by of ["exact", "valid"] as const) {
      const { gained, lost } = againstSingle[by]!;
      expect(Math.round(7 * (voted[by]! - single[by]!))).toBe(gained - lost);
    }
    expect(await evaluateVote(model, set, { ...options, batchSize: 7, votes: 5 })).toEqual(measured);
  });

  it("elects among the answers that the model gives to the images of a puzzle, mapped back", async () => {
    const slot = (all: Int32Array, row: number): Int32Array => all.slice(16 * row, 16 * (row + 1));
    /** The answer that the vote elects for a puzzle, from predictions for one image after the other. */
    async function electedAnswer(row: number, votes: number, seed: number): Promise<Int32Array> {
      const ballots: Ballot[] = [];
      for (const { apply, inverse } of task.symmetries!(votes, Random.keyed(seed, row))) {
        const image = { inputs: apply(slot(puzzles.inputs, row)) };
        for await (const { step, tokens, qHalt, qContinue } of predictions(model, image, 3)) {
          const hasHalted = saysHalt(qHalt[0]!, qContinue[0]!, config.training);
          if (step === 3) ballots.push({ tokens: inverse(tokens), qHalt: qHalt[0]!, hasHalted });
        }
      }
      return ballots[electBallot(ballots)]!.tokens;
    }
    const check = async (votes: number, seed: number): Promise<void> => {
      const labels = puzzles.labels.slice();
      for (let row = 0; row < 7; row++) labels.set(await electedAnswer(row, votes, seed), 16 * row);
      const set = { ...puzzles, labels, ignoreLabel: null };
      const { single, voted, againstSingle } = await evaluateVote(model, set, {
        ...options,
        votes,
        symmetrySeed: seed,
      });
      expect(voted.exact).toBe(1);
      expect(againstSingle.exact).toMatchObject({ gained: Math.round(7 * (1 - single.exact)), lost: 0 });
    };
    await fc.assert(fc.asyncProperty(fc.integer({ min: 2, max: 6 }), fc.nat(100), check), {
      numRuns: 4,
      examples: [[5, 3]],
    });
  });

  it("calls the symmetries of a task as methods, so that they may be objects of a class", async () => {
    class Same {
      readonly #copies = Int32Array;
      apply(tokens: ArrayLike<number>): Int32Array {
        return this.#copies.from(tokens);
      }
      inverse(tokens: ArrayLike<number>): Int32Array {
        return this.#copies.from(tokens);
      }
    }
    const own: Task = { ...task, symmetries: (count) => Array.from({ length: count }, () => new Same()) };
    const { single, voted } = await evaluateVote(model, puzzles, { ...options, task: own, votes: 2 });
    expect(voted).toEqual(single);
  });

  it("is refused for a task of another size", async () => {
    await expect(evaluateVote(model, puzzles, { ...options, task: sudokuTask(6), votes: 2 })).rejects.toThrow(
      "evaluateVote: the model has 16 cells and 6 tokens, sudoku6 has 36 and 8",
    );
  });

  it("is refused for a task without symmetries, and for more votes than it has", async () => {
    const plain = { ...task, symmetries: undefined } as unknown as Task;
    await expect(evaluateVote(model, puzzles, { ...options, task: plain, votes: 2 })).rejects.toThrow(
      "vote: got the task sudoku4, expected one with symmetries",
    );
    const eight = { ...task, name: "eight", symmetries: mirror(4, "dihedral").symmetries! };
    await expect(evaluateVote(model, puzzles, { ...options, task: eight, votes: 9 })).rejects.toThrow(
      "vote: got 9 votes, expected at most 8, the symmetries of eight",
    );
    await expect(evaluateVote(model, puzzles, { ...options, votes: 0 })).rejects.toThrow("vote: got 0 votes");
  });
});

describe("the interval of a paired difference", () => {
  it("contains the difference, shrinks with the number of puzzles, and is symmetric in gained and lost", () => {
    const count = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(count, count, count, (gained, lost, same) => {
        const puzzles = gained + lost + same + 1;
        const { difference95 } = pairedDifference(gained, lost, puzzles);
        const mirrored = pairedDifference(lost, gained, puzzles).difference95;
        expect(difference95[0]).toBeCloseTo(-mirrored[1], 12);
        expect(difference95[0]).toBeLessThanOrEqual((gained - lost) / puzzles + 1e-12);
        expect(difference95[1]).toBeGreaterThanOrEqual((gained - lost) / puzzles - 1e-12);
        const wide = difference95[1] - difference95[0];
        const [low, high] = pairedDifference(4 * gained, 4 * lost, 4 * puzzles).difference95;
        expect(high - low).toBeLessThan(wide);
      }),
    );
    // 14 gained and 3 lost of 100: (14.5 - 3.5) / 102 -+ 1.96 / 102 * sqrt(18 - 11^2 / 102)
    const [low, high] = pairedDifference(14, 3, 100).difference95;
    expect([low, high].map((each) => each.toFixed(4))).toEqual(["0.0291", "0.1866"]);
  });
});
