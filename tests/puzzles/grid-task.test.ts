// Grid tasks that a user defines.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gridTask } from "../../src/puzzles/grid-task.ts";
import { choiceOf, generatedRows, readTaskCsv, taskOf, toSplit, writePuzzleCsv } from "../../src/puzzles/index.ts";
import { packSets } from "../../src/runs/run-sets.ts";
import { Random } from "../../src/tensor/random.ts";
import { ConfigError, PuzzleError } from "../../src/trm/errors.ts";

/** The worked example of grid-task.ts. */
const mirror = gridTask({
  name: "mirror",
  rows: 4,
  columns: 6,
  symbols: ".ab",
  draw(random) {
    const left = Array.from({ length: 4 }, () => Array.from({ length: 3 }, () => ".ab"[random.integer(3)]));
    return {
      question: left.map((row) => `${row.join("")}...`).join(""),
      answer: left.map((row) => row.join("") + row.toReversed().join("")).join(""),
    };
  },
  mistake(question, answer) {
    const kept = [...question].every((symbol, at) => at % 6 > 2 || answer[at] === symbol);
    if (!kept) return "the left half is another";
    const mirrored = [...answer].every((symbol, at) => symbol === answer[at - (at % 6) + 5 - (at % 6)]);
    return mirrored ? undefined : "the right half does not mirror the left half";
  },
});

/** The larger of the two counts wins: symmetric under all eight images. */
const majority = (rows: number, columns: number) =>
  gridTask({
    name: "majority",
    rows,
    columns,
    symbols: "01",
    symmetry: "dihedral",
    draw(random) {
      const question = Array.from({ length: rows * columns }, () => String(random.integer(2))).join("");
      const ones = question.replaceAll("0", "").length;
      return { question, answer: (2 * ones > rows * columns ? "1" : "0").repeat(rows * columns) };
    },
  });

describe("a grid task", () => {
  it("a grid task has tokens, text and a picture", () => {
    const question = "ab....ba....aa....bb....";
    const tokens = mirror.parse(question);
    expect([...tokens.slice(0, 6)]).toEqual([2, 3, 1, 1, 1, 1]);
    expect(mirror.format(tokens)).toBe(question);
    expect(mirror.draw(tokens).split("\n")).toEqual(["ab....", "ba....", "aa....", "bb...."]);
    expect([mirror.vocabularySize, mirror.sequenceLength]).toEqual([4, 24]);
    expect(mirror.mistake(tokens, tokens)).toBe("the right half does not mirror the left half");
    expect(mirror.mistake(tokens, new Int32Array(24))).toBe("no symbol in row 1, column 1");
  });

  it("generated sets have right answers and share no question and no image of one", () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(mirror, majority(3, 3), majority(2, 4)), (seed, task) => {
        const { train, test } = task.generate({ train: 20, test: 10, seed });
        const length = task.sequenceLength;
        const random = new Random(seed);
        const seen = new Set<string>();
        for (let at = 0; at < train.inputs.length; at += length) {
          const [question, answer] = [train.inputs, train.labels].map((all) => all.subarray(at, at + length));
          expect(task.mistake(question!, answer!)).toBeUndefined();
          for (let copy = 0; copy < 20; copy++)
            seen.add(task.format(task.augment(question!, answer!, random).question));
        }
        for (let at = 0; at < test.inputs.length; at += length) {
          expect(seen).not.toContain(task.format(test.inputs.subarray(at, at + length)));
        }
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ["abc", 'mirror: character 3 is "c", expected one of ".ab"'],
    ["ab", "mirror: 2 characters, expected 24 (4 rows of 6, row by row)"],
  ])("the question %s is refused", (question, message) => {
    expect(() => mirror.parse(question)).toThrow(new PuzzleError(message));
  });

  it("a grid task can refuse questions", () => {
    const picky = gridTask({
      name: "picky",
      rows: 1,
      columns: 2,
      symbols: "ab",
      draw: () => ({ question: "ab", answer: "ba" }),
      problem: (question) => (question.includes("b") ? undefined : "no b, expected one"),
    });
    expect(() => picky.parse("aa")).toThrow(new PuzzleError("picky: no b, expected one"));
    expect(() => picky.generate({ train: 1, test: 1, seed: 1 })).toThrow(
      new ConfigError(
        "picky: train 1 + test 1 puzzles, found only 1 different (20000 draws in a row repeated a puzzle)",
      ),
    );
  });

  it("a grid task may have more symbols than a byte has values", () => {
    const symbols = Array.from({ length: 300 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join("");
    const draw = (random: Random) => {
      const [a, b] = [symbols[random.integer(300)]!, symbols[299]!];
      return { question: `${a}${b}`, answer: `${b}${a}` };
    };
    const wide = gridTask({ name: "wide", rows: 1, columns: 2, symbols, symmetry: "dihedral", draw });
    const { train } = wide.generate({ train: 290, test: 0, seed: 1 }); // fails if different questions count as one
    for (let at = 0; at < 20; at += 2) {
      const [question, answer] = [train.inputs.slice(at, at + 2), train.labels.slice(at, at + 2)];
      const image = wide.augment(question, answer, new Random(at));
      expect([[...question], [...question].reverse()]).toContainEqual([...image.question]);
      expect([...image.answer]).toEqual([...image.question].reverse());
    }
    expect(() => toSplit(train, wide)).toThrow("toSplit: got 301 tokens, expected at most 256");
    expect(() => packSets({ train, watch: train, unseen: train })).toThrow(
      /^run: token \d+ in train, expected 0 to 255 \(a run stores one byte per token/,
    );
  });

  it("an invalid definition is refused", () => {
    const base = { name: "x", rows: 1, columns: 1, symbols: "ab", draw: () => ({ question: "a", answer: "b" }) };
    expect(() => gridTask({ ...base, rows: 0 })).toThrow("x: 0 rows and 1 columns, expected integers from 1");
    expect(() => gridTask({ ...base, symbols: "aa" })).toThrow(
      'x: symbols "aa", expected at least two different characters',
    );
  });
});

describe("the puzzles of a grid task as CSV", () => {
  /** The answer replaces every first symbol by the last one. */
  const filled = (symbols: string) =>
    gridTask({
      name: "filled",
      rows: 2,
      columns: 3,
      symbols,
      draw(random) {
        const cells = Array.from({ length: 6 }, () => [...symbols][random.integer([...symbols].length)]!);
        const answer = cells.map((cell) => (cell === [...symbols][0] ? [...symbols].at(-1)! : cell)).join("");
        return { question: cells.join(""), answer };
      },
      problem: (question) => (question.includes(symbols[0]!) ? undefined : "nothing to fill"),
      mistake: (_, answer) => (answer.includes([...symbols][0]!) ? "a cell is not filled" : undefined),
    });

  it("are read back as they were written, whatever the symbols", () => {
    fc.assert(
      fc.property(fc.constantFrom(".#", ', "', "🙂x", " a"), fc.nat(), (symbols, seed) => {
        const task = filled(symbols);
        const { train } = task.generate({ train: 5, test: 0, seed });
        const valid = [...Array(train.count).keys()].filter((i) =>
          task.format(train.inputs.slice(6 * i, 6 * i + 6)).includes([...symbols][0]!),
        );
        fc.pre(valid.length === train.count);
        const csv = writePuzzleCsv(generatedRows(task, train));
        expect(readTaskCsv(task, csv, "own.csv")).toEqual(train);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ["s,##,######,0", "own.csv:2:3: question: filled: 2 characters, expected 6"],
    ["s,######,######,0", "own.csv:2:3: question: filled: nothing to fill"],
    ["s,##..##,###..#,0", "own.csv:2:10: answer: filled: a cell is not filled"],
    ["s,##..##,######x,0", 'own.csv:2:10: answer: filled: character 7 is "x"'],
  ])("are refused with file, line and column: %s", (row, message) => {
    const text = `source,question,answer,rating\n${row}\n`;
    expect(() => readTaskCsv(filled(".#"), text, "own.csv")).toThrow(message);
  });

  it("are refused if the file is empty", () => {
    expect(() => readTaskCsv(filled(".#"), "question,answer\n", "own.csv")).toThrow("own.csv: no puzzles");
  });
});

describe("a grid task without its definition", () => {
  it("still reads, formats, draws and transforms puzzles, and says that it cannot generate any", () => {
    const own = majority(2, 4);
    const stored = taskOf(choiceOf(own));
    expect(choiceOf(own)).toEqual({
      name: "grid",
      title: "majority",
      rows: 2,
      columns: 4,
      symbols: "01",
      symmetry: "dihedral",
    });
    const tokens = own.parse("0110\n0011");
    expect(stored.parse("01100011")).toEqual(tokens);
    expect([stored.name, stored.format(tokens), stored.draw(tokens)]).toEqual(["majority", "01100011", "0110\n0011"]);
    for (let seed = 0; seed < 8; seed++) {
      expect(stored.augment(tokens, tokens, new Random(seed))).toEqual(own.augment(tokens, tokens, new Random(seed)));
    }
    expect(choiceOf(stored)).toEqual(choiceOf(own));
    expect(() => stored.generate({ train: 1, test: 0, seed: 1 })).toThrow(
      "majority: such puzzles cannot be generated without the definition of the task",
    );
  });

  it("refuses symbols with a line break", () => {
    expect(() =>
      gridTask({ name: "x", rows: 1, columns: 1, symbols: "a\n", draw: () => ({ question: "", answer: "" }) }),
    ).toThrow('x: symbols "a\\n", expected no line break');
  });
});
