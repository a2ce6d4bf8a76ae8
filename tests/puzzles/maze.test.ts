// Mazes: text, validation, generator, data sets and CSV files.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DatasetError } from "../../src/formats/index.ts";
import { npyToInt32, parseNpy } from "../../src/formats/npy.ts";
import { distancesFrom, formatMaze, parseMaze, solveMaze } from "../../src/puzzles/maze/board.ts";
import { readMazeCsv } from "../../src/puzzles/maze/csv.ts";
import { defaultLongerThan, generateMaze } from "../../src/puzzles/maze/generator.ts";
import { mazeKey, mazeTask, turnMaze } from "../../src/puzzles/maze/task.ts";
import { Random } from "../../src/tensor/random.ts";
import { PuzzleError } from "../../src/trm/errors.ts";

const mazes = fc.record({ side: fc.integer({ min: 7, max: 12 }), seed: fc.nat() }).map(({ side, seed }) => {
  const random = new Random(seed);
  return { side, random, ...generateMaze({ side }, random) };
});

/** A 7x7 maze with one winding path. */
const WINDING = ["S######", "     ##", "#### ##", "     ##", " ######", "      #", "#####G#"].join("");
const WINDING_ANSWER = ["S######", "ooooo##", "####o##", "ooooo##", "o######", "oooooo#", "#####G#"].join("");

describe("text and tokens", () => {
  it("text is converted to tokens and back", () => {
    fc.assert(
      fc.property(mazes, ({ side, question, answer }) => {
        expect(mazeTask(side).parse(formatMaze(question))).toEqual(question);
        expect(parseMaze(formatMaze(answer), side)).toEqual(answer);
        expect(formatMaze(question)).toHaveLength(side * side);
      }),
    );
  });

  it('the characters "# SGo" are the tokens 1 to 5', () => {
    expect([...parseMaze("# SGo   #", 3)]).toEqual([1, 2, 3, 4, 5, 2, 2, 2, 1]);
    expect(formatMaze([0, 1, 2, 3, 4, 5, 6])).toBe("?# SGo?");
    expect(mazeTask(7).vocabularySize).toBe(6);
  });

  it("a maze is read from the lines of its drawing", () => {
    const { inputs } = mazeTask(7).generate({ train: 1, test: 0, seed: 1 }).train;
    expect(mazeTask(7).parse(mazeTask(7).draw(inputs))).toEqual(inputs);
  });

  it("a maze is drawn in rows, and its cells can be painted", () => {
    const task = mazeTask(7);
    const lines = task.draw(task.parse(WINDING), (symbol, cell) => (cell === 1 ? "*" : symbol)).split("\n");
    expect(lines.slice(0, 2)).toEqual(["S*#####", "     ##"]);
  });
});

describe("validation", () => {
  const { parse, mistake } = mazeTask(7);
  it.each([
    [WINDING.slice(1), "maze: 48 characters, expected 49 (7 rows of 7, row by row)"],
    [WINDING.replace("#", "x"), 'maze: character 2 is "x", expected one of "# SGo"'],
    [WINDING.replace("S", " "), "maze: 0 cells are S (start), expected exactly one"],
    [WINDING.replace(" ", "G"), "maze: 2 cells are G (goal), expected exactly one"],
    [WINDING_ANSWER, 'maze: "o" in row 2, column 1, expected a question without a path'],
    [WINDING.replace("     ##", "  #  ##"), "maze: no path from S to G"],
  ])("the question %j is refused", (text, message) => {
    expect(() => parse(text)).toThrow(new PuzzleError(message));
  });

  it.each([
    [WINDING_ANSWER, undefined],
    [WINDING, "the marked cells do not lead from S to G"],
    [WINDING_ANSWER.replace("S#", "So"), '"o" in row 1, column 2, where the question has "#"'],
    [WINDING_ANSWER.replace("S", "o"), '"o" in row 1, column 1, where the question has "S"'],
  ])("the answer %j is refused with its mistake", (answer, message) => {
    expect(mistake(parse(WINDING), parseMaze(answer, 7))).toBe(message);
  });

  it("a detour is not an answer", () => {
    const question = `S G${" ".repeat(46)}`;
    const answer = `S G    ooo${" ".repeat(39)}`;
    expect(mistake(parse(question), parseMaze(answer, 7))).toBe("3 cells are marked, a shortest path has 1");
  });

  it("any string becomes tokens or throws a PuzzleError of one line", () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."# SG"), minLength: 49, maxLength: 49 }));
    fc.assert(
      fc.property(text, (text) => {
        try {
          parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(PuzzleError);
          expect(String(error)).toMatch(/^PuzzleError: maze: [^\p{Cc}]*$/u);
        }
      }),
    );
  });
});

describe("generator", () => {
  it("the path is shortest and longer than the threshold, and the answer is right", () => {
    fc.assert(
      fc.property(mazes, ({ side, question, answer }) => {
        expect(mazeTask(side).mistake(question, answer)).toBeUndefined();
        const steps = distancesFrom(question, side, question.indexOf(3))[question.indexOf(4)]!;
        expect(steps).toBeGreaterThan(defaultLongerThan(side));
        expect(answer.filter((token) => token === 5)).toHaveLength(steps - 1);
        expect(solveMaze(question, side)).toEqual(answer);
      }),
    );
  });

  it("walls are 30 to 50% of the cells before the threshold selects mazes", () => {
    const random = new Random(1);
    const shares = Array.from({ length: 200 }, () => {
      const { question } = generateMaze({ side: 12, longerThan: 0 }, random);
      return question.filter((token) => token === 1).length / 144;
    });
    const mean = shares.reduce((a, b) => a + b) / shares.length;
    expect(mean).toBeCloseTo(0.4, 1);
    expect(Math.min(...shares)).toBeLessThan(0.32);
    expect(Math.max(...shares)).toBeGreaterThan(0.47);
  });

  it("mazes of the published kind are found: 30x30, more than 110 steps", () => {
    const { question } = generateMaze({ side: 30 }, new Random(1));
    expect(defaultLongerThan(30)).toBe(110);
    expect(distancesFrom(question, 30, question.indexOf(3))[question.indexOf(4)]).toBeGreaterThan(110);
  });

  it.each([
    [{ side: 6 }, "maze: side 6, expected 7 to 30"],
    [{ side: 31 }, "maze: side 31, expected 7 to 30"],
    [{ side: 7, longerThan: 32 }, "maze7: path longer than 32 steps, expected a whole number from 0 below 32"],
    [{ side: 7, walls: [0.5, 0.3] as const }, "maze7: share of walls 0.5 to 0.3, expected 0 <= from <= to < 1"],
    [
      { side: 7, longerThan: 31, walls: [0.95, 0.95] as const },
      "maze7: no path longer than 31 steps in 200000 drawings",
    ],
  ])("the options %j are refused", (options, message) => {
    expect(() => generateMaze(options, new Random(1))).toThrow(
      expect.objectContaining({ name: "ConfigError", message: expect.stringContaining(message) }),
    );
  });
});

describe("datasets", () => {
  it("no maze occurs twice, and no test maze is an image of a training maze", () => {
    const { train, test } = mazeTask(7).generate({ train: 150, test: 50, seed: 3 });
    const keys = [train, test].flatMap(({ inputs, count }) =>
      Array.from({ length: count }, (_, index) => mazeKey(inputs.subarray(index * 49, (index + 1) * 49), 7)),
    );
    expect(keys).toHaveLength(200);
    expect(new Set(keys).size).toBe(200);
    expect(mazeTask(7).generate({ train: 150, test: 50, seed: 3 })).toEqual({ train, test });
  });

  it("the eight images of a maze are valid and have the same key", () => {
    fc.assert(
      fc.property(mazes, fc.nat(7), ({ side, question, answer, random }, id) => {
        const turned = turnMaze(question, side, id);
        expect(mazeKey(turned, side)).toBe(mazeKey(question, side));
        expect(mazeTask(side).mistake(turned, turnMaze(answer, side, id))).toBeUndefined();
        const pair = mazeTask(side).augment(question, answer, random);
        expect(mazeTask(side).mistake(pair.question, pair.answer)).toBeUndefined();
      }),
    );
  });
});

describe("augmentation", () => {
  it("equal questions have equal answers, whatever symmetries led to them", () => {
    fc.assert(
      fc.property(mazes, ({ side, question, answer, random }) => {
        const image = mazeTask(side).augment(question, answer, random);
        expect(image.answer).toEqual(solveMaze(image.question, side));
      }),
    );
  });

  it("an answer that another rule selected is turned with its question", () => {
    // In an open 7x7 room the rule goes up from the goal first; this path goes left first.
    const question = parseMaze(`S${" ".repeat(47)}G`, 7);
    const leftFirst = parseMaze(["S      ", ...Array(5).fill("o      "), "ooooooG"].join(""), 7);
    const random = new Random(1);
    for (let draw = 0; draw < 20; draw++) {
      const image = mazeTask(7).augment(question, leftFirst, random);
      const turns = Array.from({ length: 8 }, (_, id) => [turnMaze(question, 7, id), turnMaze(leftFirst, 7, id)]);
      expect(turns).toContainEqual([image.question, image.answer]);
    }
    expect(leftFirst).not.toEqual(solveMaze(question, 7));
  });
});

describe("CSV", () => {
  const fixture = (path: string) => readFileSync(new URL(`../fixtures/parity/datasets/maze/${path}`, import.meta.url));

  it.each(["train", "test"])("%s.csv becomes the tokens of the official builder", (split) => {
    const { examples, side } = readMazeCsv(fixture(`csv/${split}.csv`).toString(), `${split}.csv`, { check: "form" });
    expect(side).toBe(7);
    const official = (name: string) => npyToInt32(parseNpy(fixture(`npy/${split}/all__${name}.npy`)));
    // The train split has all eight images of every maze.
    const copies = split === "train" ? 8 : 1;
    for (const name of ["inputs", "labels"] as const) {
      const images = Array.from({ length: examples.count * copies }, (_, index) => {
        const at = Math.floor(index / copies) * 49;
        return [...turnMaze(examples[name].subarray(at, at + 49), 7, index % copies)];
      });
      expect([...official(name)]).toEqual(images.flat());
    }
  });

  it("an error names file, line and column", () => {
    const csv = (question: string, answer: string) => `source,question,answer,rating\nme,${question},${answer},1\n`;
    expect(readMazeCsv(csv(WINDING, WINDING_ANSWER), "m.csv").examples.count).toBe(1);
    expect(() => readMazeCsv(csv(WINDING, WINDING), "m.csv")).toThrow(
      new DatasetError("answer: maze: the marked cells do not lead from S to G", {
        file: "m.csv",
        line: 2,
        column: 54,
      }),
    );
    expect(() => readMazeCsv(csv(`${WINDING}#`, WINDING), "m.csv")).toThrow("m.csv:2:4: question: maze: 50 characters");
    expect(() => readMazeCsv(csv(WINDING, WINDING_ANSWER), "m.csv", { side: 8 })).toThrow("expected 64 (8 rows of 8");
    expect(() => readMazeCsv("source,question,answer,rating\n", "m.csv")).toThrow("m.csv: no puzzles");
  });
});
