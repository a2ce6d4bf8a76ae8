// What the page computes about boards and shares, against the library's own functions.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { conflicts } from "../../explorer/shared/rules.ts";
import { shareText } from "../../explorer/shared/shares.ts";
import { sudokuTask } from "../../src/index.ts";

const boardOf = (side: number) => ({ kind: "sudoku" as const, rows: side, columns: side, symbols: [] });

describe("the marks of broken rules", () => {
  it("are absent exactly when the task finds no mistake in a full board", () => {
    const cases = fc.constantFrom(4 as const, 6 as const, 9 as const).chain((side) =>
      fc.record({
        side: fc.constant(side),
        swaps: fc.array(fc.tuple(fc.nat(side * side - 1), fc.integer({ min: 2, max: side + 1 })), { maxLength: 3 }),
      }),
    );
    const answers = new Map(
      ([4, 6, 9] as const).map((side) => [side, sudokuTask(side).generate({ train: 0, test: 1, seed: 5 }).test.labels]),
    );
    fc.assert(
      fc.property(cases, ({ side, swaps }) => {
        const tokens = [...answers.get(side)!];
        for (const [cell, token] of swaps) tokens[cell] = token;
        const empty = new Int32Array(side * side).fill(1);
        const mistake = sudokuTask(side).mistake(empty, tokens);
        expect(conflicts(boardOf(side), tokens).size === 0).toBe(mistake === undefined);
      }),
    );
  });

  it("are on both cells that hold the same digit, and never on blanks", () => {
    const tokens = new Array<number>(16).fill(1);
    tokens[0] = 3;
    tokens[5] = 3; // the same box
    tokens[15] = 3; // another row, column and box
    expect([...conflicts(boardOf(4), tokens)].toSorted((a, b) => a - b)).toEqual([0, 5]);
  });
});

describe("a share", () => {
  it("stands beside its number of puzzles and its interval", () =>
    expect(shareText(165, 200)).toBe("82.5% (95% interval 76.6 to 87.1%) of 200"));
});
