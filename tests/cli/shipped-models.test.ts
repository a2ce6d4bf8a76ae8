// The shipped models: which one a name or a puzzle means, and how puzzles are read from a stream.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { settingFor } from "../../src/cli/settings.ts";
import {
  placeOfModel,
  readCardSummary,
  shippedNames,
  shippedTasks,
  taskOfPuzzle,
} from "../../src/cli/shipped-models.ts";
import { puzzlesIn } from "../../src/cli/solve-lines.ts";
import { gridTask, mazeTask, sudokuTask } from "../../src/puzzles/index.ts";
import type { Task } from "../../src/trm/index.ts";

const four = "..1.3.....4.2...";
const mazeRows = [
  "S  #  #  ",
  " # # #   ",
  "   #   # ",
  " #   #   ",
  "   #   # ",
  " # # #   ",
  "     #   ",
  "## #   # ",
  "      #G ",
];
const tasks = [sudokuTask(4), sudokuTask(6), sudokuTask(9), mazeTask(9)];

describe("a name of a model", () => {
  it("means a shipped model unless a file or folder bears it", () => {
    expect(shippedNames()).toEqual(expect.arrayContaining(["sudoku4", "sudoku6"]));
    expect(placeOfModel("sudoku4")).toMatchObject({ name: "sudoku4", isShipped: true });
    expect(placeOfModel("tests")).toEqual({ path: "tests", name: "tests", isShipped: false });
    expect(placeOfModel("runs/none")).toMatchObject({ path: "runs/none", isShipped: false });
    expect(() => placeOfModel("sudoku5")).toThrow(
      /^sudoku5 is neither a folder nor a shipped model \(.*sudoku4, sudoku6/,
    );
  });

  it("leads to a card with the task and the figures of every shipped model", () => {
    for (const name of shippedNames()) {
      const card = readCardSummary(placeOfModel(name).path);
      expect(card?.accuracy[0], name).toMatch(
        /^[\d.]+% exact \(95% interval [\d.]+% to [\d.]+%\), measured on [\d,]+$/,
      );
    }
    expect(readCardSummary(placeOfModel("sudoku6").path)?.task).toEqual({ name: "sudoku6", clues: 10 });
  });
});

describe("the task of a puzzle", () => {
  const nameOf = (text: string): string => taskOfPuzzle(text, tasks).task.name;

  it("follows from the length and the characters, on one line or on several", () => {
    expect(nameOf(four)).toBe("sudoku4");
    expect(nameOf(". . | 1 .\n3 . | . .\n----+----\n. . | 4 .\n2 . | . .\n")).toBe("sudoku4");
    expect(nameOf(".".repeat(36))).toBe("sudoku6");
    expect(nameOf("0".repeat(81))).toBe("sudoku9");
    expect(nameOf(mazeRows.join(""))).toBe("maze9");
    expect(nameOf(mazeRows.join("\n"))).toBe("maze9");
  });

  it("is the same for every way to write a maze", () => {
    const { question } = taskOfPuzzle(mazeRows.join(""), tasks);
    const forms = [
      mazeRows.map((row) => row.trimEnd()).join("\n"),
      mazeRows.map((row) => [...row].join(" ")).join("\r\n"),
      mazeRows.join("").replaceAll(" ", "."),
    ];
    for (const form of forms) expect(taskOfPuzzle(form, tasks).question, form).toEqual(question);
  });

  it("is named in the error of a broken puzzle of its length, and the lengths in any other error", () => {
    expect(() => nameOf(`11${".".repeat(14)}`)).toThrow("sudoku4: two 1s in row 1 (columns 1 and 2)");
    expect(() => nameOf(`SS${"#".repeat(79)}`)).toThrow("maze: 2 cells are S (start), expected exactly one");
    expect(() => nameOf("123")).toThrow(
      "the puzzle has 3 cells, but no shipped model takes this number (sudoku4: 16, sudoku6: 36, sudoku9: 81, maze9: 81)",
    );
  });

  it("is known for the shipped models that bear its name", () => {
    for (const { name } of shippedTasks()) expect(shippedNames()).toContain(name);
  });
});

describe("puzzles in a stream", () => {
  async function read(chunks: readonly string[], of: readonly Task[] = tasks): Promise<(string | number)[][]> {
    const bytes = chunks.map((chunk) => new TextEncoder().encode(chunk));
    const stream = (async function* () {
      yield* bytes;
    })();
    const found = [];
    for await (const puzzle of puzzlesIn(stream, of)) if (puzzle) found.push([puzzle.line, puzzle.text]);
    return found;
  }

  it("may not have lines of more than a million characters, as input without line breaks has", async () => {
    const chunks = Array.from({ length: 20 }, () => "1".repeat(2 ** 16));
    await expect(read(["\n", ...chunks])).rejects.toThrow(
      "standard input: cannot read: line 2 is longer than 1000000 characters, expected a puzzle",
    );
  });

  it("stand one per line, or on the lines of a board", async () => {
    const board = ["..1.", "3...", "..4.", "2..."];
    const text = [four, "", "bad", ...board, ...mazeRows, "..1.", "3...", "", four].join("\n");
    expect(await read([text])).toEqual([
      [1, four],
      [3, "bad"],
      [4, board.join("\n")],
      [8, mazeRows.join("\n")],
      [17, "..1.\n3..."],
      [20, four],
    ]);
  });

  it("are not swallowed by a line of the length of a row, nor by a board that lacks rows", async () => {
    const puzzle = "..1.3.....4.2...";
    const texts = async (...lines: string[]) => (await read([lines.join("\n")])).map(([, text]) => text);
    expect(await texts("easy", puzzle, "random", puzzle)).toEqual(["easy", puzzle, "random", puzzle]);
    expect(await texts("..1.", "3...", puzzle, "1234", "3412", "2143", "4321", puzzle)).toEqual([
      "..1.\n3...",
      puzzle,
      "1234\n3412\n2143\n4321",
      puzzle,
    ]);
  });

  it("are not swallowed by a title of the length of a row", async () => {
    const board = ["..1.", "3...", "..4.", "2..."];
    for (const title of ["name", "Grid", "Puzzle", "Puzzle 12"]) {
      expect(await read([[title, ...board].join("\n")])).toEqual([
        [1, title],
        [2, board.join("\n")],
      ]);
    }
  });

  it("may consist of the characters of a rule, if these are the symbols of the task", async () => {
    const bars = gridTask({
      name: "bars",
      rows: 3,
      columns: 3,
      symbols: "-|+",
      draw: () => ({ question: "", answer: "" }),
    });
    expect(await read(["--|++--||\n|||---+++\n---------\n"], [bars])).toEqual([
      [1, "--|++--||"],
      [2, "|||---+++"],
      [3, "---------"],
    ]);
  });

  it("are not swallowed by a comment of the length of a maze row", async () => {
    const nine = "# puzzles"; // a 9x9 maze has rows of nine characters
    expect(await read([`${nine}\n${four}\n${four}\n`])).toEqual([
      [1, nine],
      [2, four],
      [3, four],
    ]);
  });

  it("may be mazes with rows of spaces, drawn in either way, with and without empty lines between them", async () => {
    const cells = fc.array(fc.constantFrom<string>("#", " ", " ", " "), { minLength: 79, maxLength: 79 });
    const maze = fc
      .tuple(cells, fc.nat({ max: 79 }), fc.nat({ max: 80 }), fc.boolean(), fc.nat({ max: 3 }))
      .map(([others, start, goal, isSpaced, blankRows]) => {
        const all = others.toSpliced(start, 0, "S").toSpliced(goal, 0, "G");
        const rows = Array.from({ length: 9 }, (_, row) => all.slice(9 * row, 9 * row + 9));
        for (const row of rows.slice(0, blankRows)) if (!/[SG]/.test(row.join(""))) row.fill(" ");
        return rows.map((row) => row.join(isSpaced ? " " : "")).join("\n");
      });
    const mazes = fc.array(fc.tuple(maze, fc.nat({ max: 2 })), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(mazes, fc.constantFrom([mazeTask(9)], tasks), async (drawn, of) => {
        const text = drawn.map(([rows, emptyLines]) => `${rows}\n${"\n".repeat(emptyLines)}`).join("");
        expect((await read([text], of)).map(([, rows]) => rows)).toEqual(drawn.map(([rows]) => rows));
      }),
    );
  });

  it("are not swallowed by lines of spaces of the length of a maze row", async () => {
    const nine = " ".repeat(9);
    const board = ["..1.", "3...", "..4.", "2..."];
    const text = [nine, ...board, nine, nine, mazeRows.join(""), "", nine, ".".repeat(81), nine].join("\n");
    expect(await read([text])).toEqual([
      [2, board.join("\n")],
      [8, mazeRows.join("")],
      [11, ".".repeat(81)],
    ]);
  });

  it("do not depend on where the stream is cut", async () => {
    const text = `${four}\r\n\nx\n. . | 1 .\n3 . | . .\n----+----\n. . | 4 .\n2 . | . .\n${mazeRows.join("\n")}\n${four}`;
    const whole = await read([text]);
    expect(whole).toHaveLength(5);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: text.length })), async (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), text.length];
        const chunks = places.slice(1).map((end, i) => text.slice(places[i], end));
        expect(await read(chunks)).toEqual(whole);
      }),
    );
  });
});

it("an unknown option is recognized as a setting", () => {
  expect(["lr", "learning-rate", "batchSize", "hidden-size", "frob"].map(settingFor)).toEqual([
    "learningRate",
    "learningRate",
    "batchSize",
    "hiddenSize",
    undefined,
  ]);
});
