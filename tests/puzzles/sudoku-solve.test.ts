// The answer of a Sudoku as tokens.
import { describe, expect, it } from "vitest";
import { solveSudoku, sudokuTask } from "../../src/puzzles/index.ts";

describe("solveSudoku", () => {
  it("finds the answer of every generated puzzle", () => {
    for (const side of [4, 6, 9] as const) {
      const { test } = sudokuTask(side).generate({ train: 0, test: 5, seed: 2 });
      for (let i = 0; i < test.count; i++) {
        const own = (tokens: Int32Array): Int32Array => tokens.slice(i * test.length, (i + 1) * test.length);
        expect(solveSudoku(own(test.inputs))).toEqual(own(test.labels));
      }
    }
  });

  it("returns null if a puzzle has several solutions or none", () => {
    expect(solveSudoku(sudokuTask(4).parse("1234............"))).toBeNull();
    const contradiction = Int32Array.from("1100000000000000", (digit) => Number(digit) + 1);
    expect(solveSudoku(contradiction)).toBeNull();
  });

  it("names the number of tokens that it got", () =>
    expect(() => solveSudoku(new Int32Array(25))).toThrow("solveSudoku: got 25 tokens, expected 16, 36 or 81"));
});
