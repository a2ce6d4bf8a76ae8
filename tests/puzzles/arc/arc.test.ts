// ARC: grids as tokens, augmentation, tasks in JSON, and votes.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DatasetError } from "../../../src/formats/index.ts";
import { npyToInt32, parseNpy } from "../../../src/formats/npy.ts";
import { pythonJson } from "../../../src/formats/python-json.ts";
import {
  augmentedName,
  augmentGrid,
  parseAugmentedName,
  randomAugmentation,
  restoreGrid,
} from "../../../src/puzzles/arc/augment.ts";
import { cropTokens, gridFromRows, gridKey, gridToRows, gridToTokens } from "../../../src/puzzles/arc/grid.ts";
import { arcTasksToJson, parseArcChallenges, parseArcTask } from "../../../src/puzzles/arc/tasks.ts";
import { ArcVotes } from "../../../src/puzzles/arc/vote.ts";
import { Random } from "../../../src/tensor/random.ts";
import { gridsUpTo } from "../grids.ts";

const fixture = (path: string) => readFileSync(new URL(`../../fixtures/parity/datasets/arc/${path}`, import.meta.url));
const text = (path: string) => fixture(path).toString("utf8");
const grids = gridsUpTo(30);
const augmentations = fc.nat().map((seed) => randomAugmentation(new Random(seed)));

describe("grids as tokens", () => {
  it("cropping the tokens of a grid at the top left returns the grid", () => {
    fc.assert(
      fc.property(grids, (grid) => {
        expect(cropTokens(gridToTokens(grid))).toEqual(grid);
        expect(gridFromRows(gridToRows(grid), "grid")).toEqual(grid);
      }),
    );
  });

  it("a grid that fits a smaller canvas is cropped from it as from the published one", () => {
    const placed = gridsUpTo(30).chain((grid) =>
      fc.tuple(fc.constant(grid), fc.integer({ min: Math.max(grid.rows, grid.columns), max: 30 })),
    );
    fc.assert(
      fc.property(placed, ([grid, side]) => {
        const tokens = gridToTokens(grid, { side });
        expect(tokens).toHaveLength(side * side);
        expect(cropTokens(tokens)).toEqual(grid);
        const marks = (all: Uint8Array) => all.filter((token) => token === 1).length;
        const hidden = (grid.rows === side ? grid.columns : 0) + (grid.columns === side ? grid.rows : 0);
        expect(marks(tokens)).toBe(grid.rows + grid.columns - hidden);
      }),
    );
  });

  it("a 1x2 grid on a canvas of side 3 is followed by the marks of its end", () => {
    const tokens = gridToTokens({ rows: 1, columns: 2, cells: Uint8Array.of(0, 9) }, { side: 3 });
    expect([...tokens]).toEqual([2, 11, 1, 1, 1, 0, 0, 0, 0]);
    expect(() => gridToTokens({ rows: 1, columns: 4, cells: new Uint8Array(4) }, { side: 3 })).toThrow(
      "gridToTokens: 1x4 at (0, 0) does not fit 3x3",
    );
  });

  it("the end of a grid is marked to the right and below, without the corner, at any place", () => {
    const tokens = gridToTokens({ rows: 1, columns: 2, cells: Uint8Array.of(0, 9) }, { top: 3, left: 4 });
    const set = [...tokens.keys()]
      .filter((at) => tokens[at] !== 0)
      .map((at) => [Math.floor(at / 30), at % 30, tokens[at]]);
    expect(set).toEqual([
      [3, 4, 2],
      [3, 5, 11],
      [3, 6, 1],
      [4, 4, 1],
      [4, 5, 1],
    ]);
    expect(() => gridToTokens({ rows: 1, columns: 2, cells: Uint8Array.of(0, 0) }, { left: 29 })).toThrow(RangeError);
  });

  it("a grid of the full canvas has no marks of its end", () => {
    const full = { rows: 30, columns: 30, cells: new Uint8Array(900).fill(5) };
    expect(gridToTokens(full).every((token) => token === 7)).toBe(true);
    expect(cropTokens(gridToTokens(full))).toEqual(full);
  });

  it("tokens are cropped to the largest rectangle of colours at the corner", () => {
    const canvas = (rows: string[]) => {
      const tokens = new Int32Array(900);
      for (const [at, row] of rows.entries()) tokens.set([...row].map(Number), at * 30);
      return tokens;
    };
    const size = (rows: string[]) => {
      const { rows: height, columns } = cropTokens(canvas(rows));
      return [height, columns];
    };
    expect(size(["222", "201", "222"])).toEqual([1, 3]); // 1x3 and 3x1 are as large: fewer rows first
    expect(size(["222", "221", "22", "22"])).toEqual([4, 2]);
    expect(size(["122"])).toEqual([0, 0]);
    expect(size([])).toEqual([0, 0]);
  });

  it("cropping any tokens agrees with a brute-force search", () => {
    const tokens = fc.int32Array({ minLength: 900, maxLength: 900, min: -1, max: 13 });
    const mostlyColours = fc
      .tuple(gridsUpTo(8), fc.array(fc.tuple(fc.nat(899), fc.nat(13)), { maxLength: 5 }))
      .map(([grid, changes]) => {
        const canvas = Int32Array.from(gridToTokens(grid));
        for (const [at, token] of changes) canvas[at] = token;
        return canvas;
      });
    fc.assert(
      fc.property(fc.oneof(tokens, mostlyColours), (canvas) => {
        const { rows, columns } = cropTokens(canvas);
        let largest = 0;
        for (let height = 1; height <= 30; height++) {
          let width = 30;
          for (let row = 0; row < height; row++) {
            const end = canvas.subarray(row * 30, row * 30 + 30).findIndex((token) => token < 2 || token > 11);
            if (end >= 0) width = Math.min(width, end);
          }
          largest = Math.max(largest, height * width);
        }
        expect(rows * columns).toBe(largest);
      }),
      { numRuns: 50 },
    );
  });
});

describe("augmentation", () => {
  it("the name of an augmentation determines how to undo it", () => {
    fc.assert(
      fc.property(grids, augmentations, (grid, augmentation) => {
        const name = augmentedName("007bbfb7", augmentation);
        const parsed = parseAugmentedName(name);
        expect(parsed.name).toBe("007bbfb7");
        expect(restoreGrid(parsed.augmentation!, augmentGrid(augmentation, grid))).toEqual(grid);
        expect(augmentation.colours[0]).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it("augmented tasks are named as in the official builder", () => {
    const augmentation = { transform: 2, colours: [0, 8, 3, 7, 6, 2, 1, 5, 9, 4] };
    expect(augmentedName("6c434453", augmentation)).toBe("6c434453|||t2|||0837621594");
    expect(parseAugmentedName("6c434453|||t2|||0837621594")).toEqual({ name: "6c434453", augmentation });
    expect(parseAugmentedName("6c434453")).toEqual({ name: "6c434453" });
  });

  it.each(["a|||t8|||0123456789", "a|||t1|||0123456788", "a|||t1", "a|||t1|||0123456789|||b", "a|||1|||0123456789"])(
    "refuses %s",
    (name) => {
      expect(() => parseAugmentedName(name)).toThrow(DatasetError);
    },
  );
});

describe("tasks", () => {
  const pair = { input: [[1, 2]], output: [[3]] };

  it("a task that occurs twice is refused", () => {
    const task = JSON.stringify({ train: [pair], test: [pair] });
    expect(() => parseArcChallenges({ text: `{"a": ${task}, "a": ${task}}`, file: "c" })).toThrow(
      'c: contains "a" twice',
    );
    const solutions = { text: '{"a": [[[9]]], "a": [[[8]]]}', file: "s" };
    expect(() => parseArcChallenges({ text: `{"a": ${task}}`, file: "c" }, solutions)).toThrow('s: contains "a" twice');
  });

  it("challenges are read with their solutions, and answers without a solution are unknown", () => {
    const challenges = JSON.stringify({ a: { train: [pair], test: [{ input: [[0]] }] } });
    const tasks = parseArcChallenges({ text: challenges, file: "c" }, { text: '{"a": [[[9]]]}', file: "s" });
    expect(arcTasksToJson(tasks)).toEqual(new Map([["a", { train: [pair], test: [{ input: [[0]], output: [[9]] }] }]]));
    const unknown = parseArcChallenges({ text: challenges, file: "c" });
    expect(unknown.get("a")!.get("test")![0]!.output).toBeUndefined();
    // The official placeholder is written, marked as unknown, and read as unknown again.
    const json = Object.fromEntries(arcTasksToJson(unknown));
    expect(json).toEqual({ a: { train: [pair], test: [{ input: [[0]], output: [[0]], unknown: true }] } });
    expect(parseArcChallenges({ text: JSON.stringify(json), file: "t" })).toEqual(unknown);
    // A black cell without the mark is an answer.
    const black = JSON.stringify({ a: { train: [pair], test: [{ input: [[0]], output: [[0]] }] } });
    expect(parseArcChallenges({ text: black, file: "t" }).get("a")!.get("test")![0]!.output?.rows).toBe(1);
  });

  it.each([
    ["{", "t.json: not JSON"],
    ["[]", "t.json: not a JSON object"],
    ['{"train": []}', 't.json: ["train"], expected the fields train and test'],
    ['{"train": 1, "test": []}', "t.json: train is not an array of pairs"],
    ['{"train": [1], "test": []}', "t.json: train pair 1: not a JSON object"],
    [
      '{"train": [{"output": [[1]]}], "test": []}',
      "t.json: train pair 1: input: no array of rows, expected 1 to 30 rows",
    ],
    ['{"train": [{"input": [[1]]}], "test": []}', "t.json: train pair 1: output: no array of rows"],
    ['{"train": [{"input": [[]], "output": [[1]]}], "test": []}', "input: 0 columns, expected 1 to 30"],
    [
      '{"train": [{"input": [[1], [1, 2]], "output": [[1]]}], "test": []}',
      "input: row 2: 2 cells, expected 1 cells as in row 1",
    ],
    [
      '{"train": [{"input": [[1, 10]], "output": [[1]]}], "test": []}',
      "input: row 1, column 2: not a colour, expected 0 to 9",
    ],
    [
      `{"train": [{"input": ${JSON.stringify(new Array(31).fill([1]))}, "output": [[1]]}], "test": []}`,
      "input: 31 rows, expected 1 to 30 rows",
    ],
  ])("the task %s is refused", (json, message) => {
    expect(() => parseArcTask(json, "t.json")).toThrow(DatasetError);
    expect(() => parseArcTask(json, "t.json")).toThrow(message);
  });

  it("an error names the task whose solutions do not match", () => {
    const challenges = { text: JSON.stringify({ a: { train: [pair], test: [pair] } }), file: "c.json" };
    const read = (solutions: string) => () => parseArcChallenges(challenges, { text: solutions, file: "s.json" });
    expect(read("{}")).toThrow('s.json: no array of solutions for task "a"');
    expect(read('{"a": []}')).toThrow('c.json: task "a": 0 solutions, expected 1 (its test pairs)');
  });

  it("any JSON becomes a task or throws a DatasetError of one line", () => {
    const cell = fc.oneof(fc.integer({ min: -1, max: 10 }), fc.jsonValue());
    const grid = fc.oneof(fc.array(fc.array(cell, { maxLength: 3 }), { maxLength: 3 }), fc.jsonValue());
    const pairs = fc.oneof(fc.array(fc.record({ input: grid, output: grid }, { requiredKeys: [] })), fc.jsonValue());
    const tasks = fc.record({ train: pairs, test: pairs }, { requiredKeys: [] }).map((task) => JSON.stringify(task));
    fc.assert(
      fc.property(fc.oneof(tasks, fc.json(), fc.string()), (json) => {
        try {
          parseArcTask(json, "t.json");
        } catch (error) {
          expect(error).toBeInstanceOf(DatasetError);
          expect(String(error)).toMatch(/^DatasetError: t\.json: [^\p{Cc}]*$/u);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("votes", () => {
  it("scores and submission equal those of the official evaluator byte for byte", () => {
    const identifiers: string[] = JSON.parse(text("npy/identifiers.json"));
    const testPuzzles = parseArcChallenges({ text: text("npy/test_puzzles.json"), file: "test_puzzles.json" });
    const votes = new ArcVotes({ identifiers, blankIdentifier: 0, testPuzzles });
    const ints = (name: string) => npyToInt32(parseNpy(fixture(`evaluator/${name}.npy`)));
    const [inputs, preds, ids] = [ints("inputs"), ints("preds"), ints("puzzle_identifiers")];
    const { data: q } = parseNpy(fixture("evaluator/q_halt_logits.npy"));
    ids.forEach((id, at) => {
      votes.add(id, inputs.subarray(at * 900, (at + 1) * 900), preds.subarray(at * 900, (at + 1) * 900), Number(q[at]));
    });
    const { scores, submission, unpredicted } = votes.result([1, 2, 5, 10]);
    expect(scores).toEqual(JSON.parse(text("evaluator/expected.json")));
    expect(pythonJson(submission)).toBe(text("evaluator/submission.json"));
    expect(unpredicted).toEqual([]);
  });

  const grid = (colour: number) => ({ rows: 1, columns: 1, cells: Uint8Array.of(colour) });
  const testPuzzles = parseArcChallenges({
    text: '{"a": {"train": [], "test": [{"input": [[1]], "output": [[2]]}, {"input": [[5]], "output": [[2]]}]}}',
    file: "t",
  });
  const make = () =>
    new ArcVotes({ identifiers: ["<blank>", "a", "a|||t1|||0213456789"], blankIdentifier: 0, testPuzzles });

  it("votes count before q, and q before the order; augmentations are undone; padding is skipped", () => {
    const votes = make();
    const ask = gridToTokens(grid(1));
    votes.add(1, ask, gridToTokens(grid(7)), 9);
    votes.add(1, ask, gridToTokens(grid(2)), -5);
    votes.add(2, gridToTokens(grid(2)), gridToTokens(grid(1)), -5); // the same vote, with colours 1 and 2 swapped
    votes.add(0, ask, gridToTokens(grid(8)), 99);
    const { scores, submission, unpredicted } = votes.result([1, 2], 3);
    // The second test pair has no prediction: half of the task is right.
    expect(scores).toEqual({ "ARC/pass@1": 0.5, "ARC/pass@2": 0.5 });
    expect(submission.get("a")).toEqual([{ attempt_1: [[2]], attempt_2: [[7]], attempt_3: [[2]] }]);
    expect(unpredicted).toEqual(["a"]);
    votes.add(1, ask, gridToTokens(grid(7)), 9);
    expect(votes.result([1]).scores).toEqual({ "ARC/pass@1": 0 });
  });

  it("the order of the votes changes no score without ties", () => {
    const predictions = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 9 }), fc.double({ min: -5, max: 5, noNaN: true })),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(predictions, fc.nat(), (cast, seed) => {
        const [straight, shuffled] = [cast, new Random(seed).shuffle([...cast])].map((order) => {
          const votes = make();
          for (const [colour, q] of order) votes.add(1, gridToTokens(grid(1)), gridToTokens(grid(colour)), q);
          return votes.result([1, 100]).scores;
        });
        expect(shuffled!["ARC/pass@100"]).toBe(straight!["ARC/pass@100"]);
        expect(straight!["ARC/pass@1"]!).toBeLessThanOrEqual(straight!["ARC/pass@100"]!);
      }),
    );
  });

  it("pairs whose answer is unknown are left out of the score and kept in the submission", () => {
    const test = (input: number, output?: number) => ({
      input: [[input]],
      ...(output !== undefined && { output: [[output]] }),
    });
    const json = {
      known: { train: [], test: [test(1, 2), test(3, 4)] },
      half: { train: [], test: [test(1, 2), test(3)] },
      none: { train: [], test: [test(5)] },
    };
    const testPuzzles = parseArcChallenges({ text: JSON.stringify(json), file: "t" });
    const tokens = (colour: number) => gridToTokens({ rows: 1, columns: 1, cells: Uint8Array.of(colour) });
    const votes = new ArcVotes({ identifiers: ["<blank>", "known", "half", "none"], blankIdentifier: 0, testPuzzles });
    votes.add(1, tokens(1), tokens(2), 0); // right
    votes.add(1, tokens(3), tokens(0), 0); // wrong
    votes.add(2, tokens(1), tokens(2), 0); // right
    votes.add(2, tokens(3), tokens(0), 0); // unknown; the official placeholder would count it as right
    votes.add(3, tokens(5), tokens(6), 0);
    const { scores, submission, pairs } = votes.result([1], 1);
    expect(scores).toEqual({ "ARC/pass@1": 0.75 });
    expect(pairs).toEqual({ count: 5, unknown: 2 });
    expect(submission.get("none")).toEqual([{ attempt_1: [[6]] }]);
    expect(submission.get("half")).toHaveLength(2);
  });

  it("there is no score if all answers are unknown", () => {
    const text = JSON.stringify({ a: { train: [], test: [{ input: [[1]] }] } });
    const testPuzzles = parseArcChallenges({ text, file: "t" });
    const votes = new ArcVotes({ identifiers: ["<blank>", "a"], blankIdentifier: 0, testPuzzles });
    expect(votes.result()).toMatchObject({ scores: {}, pairs: { count: 1, unknown: 1 }, unpredicted: ["a"] });
  });

  it("predictions that cannot be counted are refused", () => {
    const ask = gridToTokens(grid(1));
    expect(() => make().add(3, ask, ask, 0)).toThrow("puzzle identifier 3, expected 0 to 2");
    expect(() => make().add(1, ask, ask.subarray(1), 0)).toThrow("a row of 899 tokens, expected 900");
    const small = new ArcVotes({ identifiers: ["", "a"], blankIdentifier: 0, sequenceLength: 9, testPuzzles });
    expect(() => small.add(1, ask, ask, 0)).toThrow("a row of 900 tokens, expected 9");
    for (const sequenceLength of [0, 10, 961, Number.NaN]) {
      expect(() => new ArcVotes({ identifiers: [], blankIdentifier: 0, sequenceLength, testPuzzles })).toThrow(
        `ArcVotes: sequenceLength ${sequenceLength}, expected the square of a whole number from 1 to 30`,
      );
    }
    const none = new ArcVotes({ identifiers: [], blankIdentifier: 0, testPuzzles: new Map() });
    expect(() => none.result()).toThrow("no test tasks, expected at least one");
  });

  it("the keys of grids with equal cells and different shapes differ", () => {
    const cells = Uint8Array.of(1, 2);
    expect(gridKey({ rows: 1, columns: 2, cells })).not.toBe(gridKey({ rows: 2, columns: 1, cells }));
  });
});
