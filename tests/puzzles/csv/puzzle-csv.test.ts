import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DatasetError } from "../../../src/formats/index.ts";
import { npyToInt32, parseNpy } from "../../../src/formats/npy.ts";
import { readPuzzleCsv, writePuzzleCsv } from "../../../src/puzzles/csv/puzzle-csv.ts";
import { geometryOf, puzzleProblem, readSudokuCsv, tokensToBoard } from "../../../src/puzzles/sudoku/task.ts";

const fixture = (path: string) => readFileSync(new URL(`../../fixtures/${path}`, import.meta.url));
const text = (path: string) => fixture(path).toString("utf8");
const HEADER = "source,question,answer,rating";

describe("reading", () => {
  it("write -> read gives the rows back, spaces included", () => {
    const field = fc.string({ unit: fc.constantFrom(..."# SGo.019x\t") });
    const row = fc.record({ source: field, question: field, answer: field, rating: fc.integer() });
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const read = readPuzzleCsv(writePuzzleCsv(rows), "a.csv");
        expect(read.map(({ source, question, answer, rating }) => ({ source, question, answer, rating }))).toEqual(
          rows,
        );
        expect(read.map(({ line }) => line)).toEqual(rows.map((_, index) => index + 2));
      }),
    );
  });

  it("keeps leading and trailing spaces, accepts Windows line ends, a byte order mark and a blank last line", () => {
    const rows = readPuzzleCsv(`\ufeff${HEADER}\r\nme,  #S, oo ,3.5\r\n\r\n`, "a.csv");
    expect(rows).toEqual([
      {
        source: "me",
        question: "  #S",
        answer: " oo ",
        rating: 3.5,
        line: 2,
        columns: { question: 4, answer: 9, rating: 14 },
      },
    ]);
  });

  it("does not write what it could not read back", () => {
    const row = { source: "a,b", question: "", answer: "", rating: 0 };
    expect(() => writePuzzleCsv([row])).toThrow(
      'cannot write the field "a,b": it has a comma, a quote or a line break',
    );
  });
});

describe("errors name file, line and column", () => {
  it.each([
    ["", "train.csv: empty, expected the header source,question,answer,rating"],
    ["question,answer\n", 'train.csv:1:1: header "question,answer", expected source,question,answer,rating'],
    [`${HEADER}\na,b,c,1\na,b\n`, "train.csv:3:4: 2 fields, expected 4 (source,question,answer,rating)"],
    [`${HEADER}\na,b,c,1,x\n`, "train.csv:2:9: 5 fields, expected 4 (source,question,answer,rating)"],
    [`${HEADER}\na,b,c,\n`, 'train.csv:2:7: rating "", expected a number'],
    [`${HEADER}\na,b,c,hard\n`, 'train.csv:2:7: rating "hard", expected a number'],
    [`${HEADER}\na,"b,c,1\n`, "train.csv:2:3: broken CSV: Quote Not Closed:"],
    [`${HEADER}\na,b"x",c,1\n`, "train.csv:2:3: broken CSV: Invalid Opening Quote:"],
  ])("%j", (csv, message) => {
    const read = () => readPuzzleCsv(csv, "train.csv");
    expect(read).toThrow(DatasetError);
    expect(read).toThrow(message);
  });

  it.each([
    ["12", "1234341221434321", "s.csv:2:3: question: sudoku4: 2 characters, expected 16 (4 rows of 4, row by row)"],
    [
      "1..............x",
      "1234341221434321",
      's.csv:2:3: question: sudoku4: character 16 (row 4, column 4) is "x", expected',
    ],
    ["11..............", "1234341221434321", "s.csv:2:3: question: sudoku4: two 1s in row 1 (columns 1 and 2)"],
    ["1...............", "2134341221434321", "s.csv:2:20: answer: sudoku4: 2 in row 1, column 1, where 1 is given"],
    ["1...............", "123434122143432.", "s.csv:2:20: answer: sudoku4: no digit in row 4, column 4"],
  ])("sudoku rows: %s, %s", (question, answer, message) => {
    const csv = `${HEADER}\na,${question},${answer},0\n`;
    expect(() => readSudokuCsv(csv, "s.csv", { side: 4 })).toThrow(DatasetError);
    expect(() => readSudokuCsv(csv, "s.csv", { side: 4 })).toThrow(message);
  });

  it("any text gives rows or a one-line DatasetError", () => {
    const line = fc.string({
      unit: fc.oneof(fc.constantFrom(...'a,"\n\r1'), fc.string({ unit: "binary", maxLength: 1 })),
    });
    fc.assert(
      fc.property(
        fc.oneof(
          line,
          line.map((rest) => `${HEADER}\n${rest}`),
        ),
        (csv) => {
          try {
            readPuzzleCsv(csv, "f.csv");
          } catch (error) {
            expect(error).toBeInstanceOf(DatasetError);
            expect(String(error)).toMatch(/^DatasetError: f\.csv[^\p{Cc}]*$/u);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("Sudoku files", () => {
  it.each(["train", "test"])("%s.csv becomes the official builder's tokens", (split) => {
    const { examples } = readSudokuCsv(text(`parity/datasets/sudoku/csv/${split}.csv`), `${split}.csv`, { side: 9 });
    const official = (name: string) =>
      npyToInt32(parseNpy(fixture(`parity/datasets/sudoku/npy/${split}/all__${name}.npy`)));
    expect(examples.inputs).toEqual(official("inputs"));
    expect(examples.labels).toEqual(official("labels"));
  });

  it("reads the qqwing puzzles: unique solutions, 300 of each difficulty", () => {
    for (const difficulty of ["simple", "easy", "intermediate", "expert"]) {
      const name = `qqwing_${difficulty}.csv`;
      const { examples, rows } = readSudokuCsv(text(`qqwing/${name}`), name, { side: 9 });
      expect(examples.count).toBe(300);
      expect(rows[0]?.source).toBe(`qqwing-${difficulty}`);
      for (let at = 0; at < examples.inputs.length; at += 81 * 10) {
        const board = tokensToBoard(examples.inputs.subarray(at, at + 81));
        expect(puzzleProblem(board, geometryOf(9), { solutions: "one" })).toBeUndefined();
      }
    }
  });
});
