// Files of puzzles: the official CSV, Kaggle's headers and lists are read; every error names file, line and column.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DatasetError } from "../../../src/formats/index.ts";
import { npyToInt32, parseNpy } from "../../../src/formats/npy.ts";
import { readPuzzleFile } from "../../../src/puzzles/csv/puzzle-csv.node.ts";
import { isPuzzleList, listRow, readPuzzleCsv, writePuzzleCsv } from "../../../src/puzzles/csv/puzzle-csv.ts";
import { joinMazeRows } from "../../../src/puzzles/maze/board.ts";
import { readMazeCsv } from "../../../src/puzzles/maze/csv.ts";
import { geometryOf, tokensToBoard } from "../../../src/puzzles/sudoku/board.ts";
import { readSudokuCsv } from "../../../src/puzzles/sudoku/csv.ts";
import { sudokuTask } from "../../../src/puzzles/sudoku/task.ts";
import { puzzleProblem } from "../../../src/puzzles/sudoku/validate.ts";

const fixture = (path: string) => readFileSync(new URL(`../../fixtures/${path}`, import.meta.url));
const text = (path: string) => fixture(path).toString("utf8");
const HEADER = "source,question,answer,rating";

it("long runs of empty lines, digits or marks are read in linear time", () => {
  const long = 1_000_000; // quadratic time would take minutes
  expect(isPuzzleList(`${"\n".repeat(long)}x`)).toBe(false);
  expect(listRow(`....${"#".repeat(long)}\u2028`, 1)!.question).toBe("....");
  expect(() => readPuzzleCsv(`${HEADER}\na,1,1,${"1".repeat(long)}x`, "c.csv")).toThrow("expected a number");
  expect(joinMazeRows(`${"\n".repeat(long)}x`, 7)).toBe("x");
});

it("a text that would exhaust an array of csv-parse is refused before it is copied", () => {
  expect(() => readPuzzleCsv(".".repeat(100_000_001), "big.csv")).toThrow(
    "big.csv: 100000001 characters, expected at most 100000000 in memory",
  );
});

describe("reading", () => {
  it("written rows are read back, spaces included", () => {
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

  it("spaces are kept; Windows line ends, a byte order mark and an empty last line are accepted", () => {
    const rows = readPuzzleCsv(`\ufeff${HEADER}\r\nme,  #S, oo ,3.5\r\n\r\n`, "a.csv");
    expect(rows).toEqual([
      {
        source: "me",
        question: "  #S",
        answer: " oo ",
        rating: 3.5,
        line: 2,
        columns: { question: 4, answer: 9 },
      },
    ]);
  });

  it.each([
    ["Kaggle's million", "quizzes,solutions"],
    ["Kaggle's nine million", "puzzle,solution"],
    ["any order and other fields", "id,Solution,clues,Puzzle,difficulty"],
  ])("the header of %s is read", (_, header) => {
    const values: Record<string, string> = { id: "7", clues: "4", difficulty: "2.5" };
    const cellOf = (name: string) => values[name] ?? (/solution/i.test(name) ? "1234341221434321" : "1.......2.......");
    const [row] = readPuzzleCsv(`${header}\n${header.split(",").map(cellOf).join(",")}\n`, "a.csv");
    expect(row).toMatchObject({ question: "1.......2.......", answer: "1234341221434321", line: 2, source: "" });
    expect(row!.rating).toBe(header.includes("difficulty") ? 2.5 : undefined);
  });

  it("ratings are read in every usual form of a number", () => {
    const forms = [".5", "1e2", "-3", "+4.", "0.25", "1E-2"];
    const rows = readPuzzleCsv(`${HEADER}\n${forms.map((form) => `,1,1,${form}`).join("\n")}`, "a.csv");
    expect(rows.map(({ rating }) => rating)).toEqual([0.5, 100, -3, 4, 0.25, 0.01]);
  });

  const list = "# tdoku: one puzzle per line\n1..............4\n\n12.4............ # with a comment\n";

  it("a list with one puzzle per line is read, comments and empty lines left out", () => {
    const rows = readPuzzleCsv(list.replaceAll("\n", "\r\n"), "a.sdm");
    expect(rows.map(({ question, answer, line }) => [question, answer, line])).toEqual([
      ["1..............4", undefined, 2],
      ["12.4............", undefined, 4],
    ]);
  });

  it("puzzles without answers are solved, and must have exactly one solution", () => {
    const task = sudokuTask(9);
    const { inputs, labels } = task.generate({ train: 1, test: 0, seed: 1 }).train;
    const { examples } = readSudokuCsv(`# one\n${task.format(inputs)}\n`, "a.txt", { side: 9 });
    expect([examples.inputs, examples.labels]).toEqual([inputs, labels]);
    expect(() => readSudokuCsv(list, "a.sdm", { side: 4 })).toThrow(
      "a.sdm:2:1: question: sudoku4: more than one solution, expected one, because the file has no answers",
    );
    expect(() => readMazeCsv("1111\n", "a.txt")).toThrow(/^a\.txt:1:1: question: maze: character 1/);
  });

  it("a file read from disk row by row gives the rows of the text, whatever its form", async () => {
    const folder = mkdtempSync(join(tmpdir(), "trm-csv-"));
    const field = fc.string({ unit: fc.constantFrom(..."1.#S x\n\r,"), maxLength: 6 }).map((text) => `"${text}"`);
    const csv = fc
      .array(fc.tuple(field, field), { maxLength: 6 })
      .map((rows) => `puzzle,solution\n${rows.map((row) => row.join(",")).join("\r\n")}`);
    const lines = fc
      .array(fc.constantFrom("1..4", "# a comment", "", "  ", "4321 # b"), { maxLength: 6 })
      .map((rest) => ["1234", ...rest].join("\n"));
    await fc.assert(
      fc.asyncProperty(fc.oneof(csv, lines), async (text) => {
        const file = join(folder, "train.csv");
        writeFileSync(file, text);
        const rows = [];
        for await (const row of readPuzzleFile(file)) rows.push(row);
        expect(rows).toEqual(readPuzzleCsv(text, file));
      }),
      { numRuns: 60 },
    );
    rmSync(folder, { recursive: true });
  });

  it("the line of a row is that of the beginning of its record, whatever its fields and line ends", () => {
    const field = fc.string({ unit: fc.constantFrom("1", "\n", "\r\n"), maxLength: 5 }).map((text) => `"${text}"`);
    const end = fc.constantFrom("\n", "\r\n", "\n\n", "\r\n\r\n");
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field, end), { maxLength: 6 }), (records) => {
        let text = "puzzle,solution\n";
        const lines: number[] = [];
        for (const [question, answer, lineEnd] of records) {
          lines.push(text.split("\n").length);
          text += `${question},${answer}${lineEnd}`;
        }
        expect(readPuzzleCsv(text, "a.csv").map(({ line }) => line)).toEqual(lines);
      }),
    );
  });

  it("an error in a record of several lines names the first of them", () => {
    const broken = `${HEADER}\r\n"two\r\nlines",1,1,1\r\n\r\n"three\r\nmore\r\nlines",1,1,hard\r\n`;
    expect(() => readPuzzleCsv(broken, "a.csv")).toThrow(/^a\.csv:5:\d+: rating "hard"/);
  });

  it("a field that could not be read back is not written", () => {
    const row = { source: "a\nb", question: "", answer: "", rating: 0 };
    expect(() => writePuzzleCsv([row])).toThrow('cannot write the field "a\\nb": it contains a line break');
  });

  it("fields with commas and quotes are read back as they were written", () => {
    const field = fc.string({ unit: fc.constantFrom(...'a," .#') });
    fc.assert(
      fc.property(field, field, field, (source, question, answer) => {
        const [row] = readPuzzleCsv(writePuzzleCsv([{ source, question, answer, rating: 1 }]), "a.csv");
        expect(row).toMatchObject({ source, question, answer });
      }),
    );
  });
});

describe("errors name file, line and column", () => {
  it.each([
    ["", "train.csv: the file is empty, expected source,question,answer,rating"],
    ["question,result\n", 'train.csv:1:1: header "question,result", expected source,question,answer,rating (or'],
    [`${HEADER}\na,b,c,1\na,b\n`, "train.csv:3:4: 2 fields, expected 4 as in the header"],
    [`${HEADER}\na,b,c,1,x\n`, "train.csv:2:9: 5 fields, expected 4 as in the header"],
    [`${HEADER}\na,b,c,\n`, 'train.csv:2:7: rating "", expected a number'],
    [`${HEADER}\na,b,c,1e999\n`, 'train.csv:2:7: rating "1e999", expected a number'],
    [`${HEADER}\na,b,c,hard\n`, 'train.csv:2:7: rating "hard", expected a number'],
    [`${HEADER}\na,"b,c,1\n`, "train.csv:2:3: broken CSV: Quote Not Closed:"],
    [`${HEADER}\na,b"x",c,1\n`, "train.csv:2:3: broken CSV: Invalid Opening Quote:"],
  ])("the file %j is refused with the place of the mistake", (csv, message) => {
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
  ])("the Sudoku %s with the answer %s is refused", (question, answer, message) => {
    const csv = `${HEADER}\na,${question},${answer},0\n`;
    expect(() => readSudokuCsv(csv, "s.csv", { side: 4 })).toThrow(DatasetError);
    expect(() => readSudokuCsv(csv, "s.csv", { side: 4 })).toThrow(message);
  });

  it("any text becomes rows or throws a DatasetError of one line", () => {
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
  it.each(["train", "test"])("%s.csv becomes the tokens of the official builder", (split) => {
    const { examples } = readSudokuCsv(text(`parity/datasets/sudoku/csv/${split}.csv`), `${split}.csv`, { side: 9 });
    const official = (name: string) =>
      npyToInt32(parseNpy(fixture(`parity/datasets/sudoku/npy/${split}/all__${name}.npy`)));
    expect(examples.inputs).toEqual(official("inputs"));
    expect(examples.labels).toEqual(official("labels"));
  });

  it("the qqwing puzzles are read: 300 of each difficulty, each with one solution", () => {
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
