// Tasks by name, the tasks that come as data sets only, and any text for any of them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gridToTokens } from "../../src/puzzles/arc/grid.ts";
import { generatedRows } from "../../src/puzzles/generated-rows.ts";
import { arcTask, gridTask } from "../../src/puzzles/index.ts";
import { choiceOf, readTaskCsv, type TaskChoice, taskOf, taskOfData } from "../../src/puzzles/named-task.ts";
import type { SplitMetadata } from "../../src/puzzles/official-layout/layout.ts";
import { tokensTask } from "../../src/puzzles/tokens-task.ts";
import { presetFor, presetNames } from "../../src/runs/presets.ts";
import { ConfigError, PuzzleError } from "../../src/trm/errors.ts";
import { parseConfig, type Task } from "../../src/trm/index.ts";

const choices: readonly TaskChoice[] = [
  { name: "sudoku4" },
  { name: "sudoku6" },
  { name: "sudoku9" },
  { name: "maze", side: 7 },
  { name: "maze", side: 30 },
  { name: "arc" },
  { name: "tokens", cells: 20, vocabulary: 3 },
];
const sizes = (cells: number, vocabulary: number) =>
  ({ sequenceLength: cells, vocabularySize: vocabulary }) as unknown as SplitMetadata;

describe.each(choices)("$name $side", (choice) => {
  const task = taskOf(choice);

  it("a task is recognised by the sizes of its data", () => {
    expect(taskOfData(sizes(task.sequenceLength, task.vocabularySize))).toEqual(choice);
  });

  it("every preset is a valid configuration of the task", () => {
    const { sequenceLength, vocabularySize, columns } = task;
    for (const name of presetNames) {
      const { settings } = presetFor(name, choice.name);
      const shape = { sequenceLength, vocabularySize, ...(settings.positions === "rotary2d" && { columns }) };
      expect(parseConfig({ ...settings, ...shape }).model).toMatchObject({ sequenceLength });
    }
  });

  it("any tokens are shown, one symbol per cell", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20), { minLength: task.sequenceLength, maxLength: task.sequenceLength }),
        (tokens) => {
          expect(task.format(tokens)).not.toContain("\n");
          let cells = 0;
          task.draw(tokens, (symbol) => {
            cells++;
            return symbol;
          });
          expect(cells).toBe(task.sequenceLength);
        },
      ),
      { numRuns: 20 },
    );
  });

  it("any text is read or refused in one line", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.json(),
      fc.string({ unit: fc.constantFrom(..."[],0123 "), maxLength: 60 }),
    );
    fc.assert(
      fc.property(text, (question) => {
        try {
          expect(task.parse(question)).toHaveLength(task.sequenceLength);
        } catch (error) {
          expect(error).toBeInstanceOf(PuzzleError);
          expect((error as Error).message).toMatch(/^[^\p{Cc}]{1,300}$/u);
        }
      }),
    );
  });
});

/** Steps of the shortest paths of generated mazes. */
const pathLengths = (choice: TaskChoice, count: number, seed: number): number[] => {
  const task = taskOf(choice);
  return Array.from(generatedRows(task, task.generate({ train: count, test: 0, seed }).train), ({ rating }) => rating);
};

it("generated mazes have paths longer than their choice says", () => {
  fc.assert(
    fc.property(fc.integer({ min: 7, max: 12 }), fc.nat(12), fc.nat(), (side, longerThan, seed) => {
      expect(Math.min(...pathLengths({ name: "maze", side, longerThan }, 5, seed))).toBeGreaterThan(longerThan);
    }),
    { numRuns: 20 },
  );
});

it("generated mazes of a choice without a length have long paths", () => {
  expect(Math.min(...pathLengths({ name: "maze", side: 9 }, 50, 1))).toBeGreaterThan(9);
  expect(Math.min(...pathLengths({ name: "maze", side: 9, longerThan: 0 }, 50, 1))).toBeLessThan(5);
});

it("a length that no path of a maze has is refused before a maze is drawn", () => {
  expect(() => taskOf({ name: "maze", side: 7, longerThan: 1000 })).toThrow(
    new ConfigError("maze7: path longer than 1000 steps, expected a whole number from 0 below 32"),
  );
});

it("a Sudoku with a length of paths is refused", () => {
  expect(() => taskOf({ name: "sudoku6", longerThan: 3 })).toThrow(
    new ConfigError("sudoku6: got a length of paths, expected none (paths belong to mazes)"),
  );
});

it("data of other sizes belong to the task tokens", () => {
  const name = (cells: number, vocabulary: number) => taskOfData(sizes(cells, vocabulary)).name;
  expect([name(81, 12), name(900, 11), name(36, 6), name(31 * 31, 6)]).toEqual(Array(4).fill("tokens"));
  expect([name(49, 6), name(16, 6), name(900, 6), name(900, 12)]).toEqual(["maze", "sudoku4", "maze", "arc"]);
});

describe("tasks that come as a data set only", () => {
  it("tasks without a generator refuse to generate and to read CSV files", () => {
    for (const task of [arcTask, tokensTask(4, 3)]) {
      expect(() => task.generate({ train: 1, test: 1, seed: 1 })).toThrow(ConfigError);
    }
    expect(() => readTaskCsv(arcTask, "", "x.csv")).toThrow("arc: cannot be read from a CSV file");
  });

  it("the task arc reads and shows grids as JSON", () => {
    const tokens = arcTask.parse("[[0,1],[2,9]]");
    expect(tokens).toEqual(Int32Array.from(gridToTokens({ rows: 2, columns: 2, cells: Uint8Array.of(0, 1, 2, 9) })));
    expect(arcTask.format(tokens)).toBe("[[0,1],[2,9]]");
    expect(
      arcTask
        .draw(tokens)
        .split("\n")
        .slice(0, 4)
        .map((line) => line.slice(0, 4)),
    ).toEqual(["01|.", "29|.", "||..", "...."]);
    expect(arcTask.mistake(tokens, tokens)).toBeUndefined();
    expect(arcTask.mistake(tokens, new Int32Array(900))).toBe("no colour at the top left corner, expected a grid");
  });

  it("another task of the name arc, whose cells are no canvas, is stored as tokens", () => {
    for (const cells of [10, 31 * 31]) {
      const named: Task = { ...tokensTask(cells, 12), name: "arc" };
      expect(choiceOf(named)).toEqual({ name: "tokens", cells, vocabulary: 12 });
    }
  });

  it("the task arc has a canvas of any side up to 30", () => {
    const side12 = taskOf({ name: "arc", side: 12 });
    expect([side12.rows, side12.columns, side12.sequenceLength, side12.vocabularySize]).toEqual([12, 12, 144, 12]);
    expect(choiceOf(side12)).toEqual({ name: "arc", side: 12 });
    expect(choiceOf(arcTask)).toEqual({ name: "arc" });
    expect(side12.format(side12.parse("[[1,2,3],[4,5,6]]"))).toBe("[[1,2,3],[4,5,6]]");
    expect(() => side12.parse(JSON.stringify([new Array(13).fill(0)]))).toThrow(
      new PuzzleError("arc: 1 row of 13 cells, expected at most 12 rows of 12"),
    );
    expect(() => taskOf({ name: "arc", clues: 3 })).toThrow(
      "arc: got a number of clues or a length of paths, expected none (arc has a side only)",
    );
    for (const side of [0, 31, 2.5, Number.NaN]) {
      expect(() => taskOf({ name: "arc", side })).toThrow(
        new ConfigError(`arc: side ${side}, expected a whole number from 1 to 30`),
      );
    }
  });

  it("the task tokens shows numbers, in a square if possible", () => {
    const task = tokensTask(4, 11);
    const tokens = task.parse("1 10 0  3");
    expect([task.format(tokens), task.draw(tokens)]).toEqual(["1 10 0 3", " 1 10\n 0  3"]);
    expect(() => task.parse("1 2 3 11")).toThrow('tokens: number 4 is "11", expected 0 to 10');
    expect(() => task.parse("1 2 3")).toThrow("tokens: 3 numbers, expected 4");
    expect(tokensTask(6, 3).rows).toBe(1);
  });
});

it("a grid task reads any text or refuses it in one line", () => {
  const task = gridTask({
    name: "own",
    rows: 2,
    columns: 2,
    symbols: "ab",
    draw: () => ({ question: "aaaa", answer: "bbbb" }),
  });
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 6 })),
      (question) => {
        try {
          expect(task.parse(question)).toHaveLength(4);
        } catch (error) {
          expect(error).toBeInstanceOf(PuzzleError);
          expect((error as Error).message).toMatch(/^own: [^\p{Cc}]{1,200}$/u);
        }
      },
    ),
  );
});
