// Long properties of the Sudoku task.
import fc from "fast-check";
import { expect, it } from "vitest";
import { formatBoard, geometryOf, parseBoard } from "../../src/puzzles/sudoku/board.ts";
import { canonicalForm } from "../../src/puzzles/sudoku/canonical.ts";
import { generateSolution } from "../../src/puzzles/sudoku/generator.ts";
import { search } from "../../src/puzzles/sudoku/solver.ts";
import { applySymmetry, randomSymmetry } from "../../src/puzzles/sudoku/symmetry.ts";
import { Random } from "../../src/tensor/random.ts";
import { sudokus } from "./sudoku-boards.ts";

it("6x6 grids form exactly the 49 known orbits", () => {
  const random = new Random(6);
  const geometry = geometryOf(6);
  const forms = new Set<string>();
  for (let draw = 0; draw < 3000; draw++) {
    const grid = generateSolution(geometry, random);
    forms.add(canonicalForm(grid, geometry, grid));
  }
  expect(forms.size).toBe(49);
});

it("the canonical form of 2,000 puzzles is invariant and belongs to the orbit", () => {
  fc.assert(
    fc.property(sudokus, ({ geometry, random, puzzle, solution }) => {
      const canonical = canonicalForm(puzzle, geometry, solution);
      for (let copy = 0; copy < 3; copy++) {
        const turned = applySymmetry(randomSymmetry(geometry, random), puzzle);
        expect(search(turned, geometry, 2).solutions).toBe(1);
        expect(canonicalForm(turned, geometry)).toBe(canonical);
      }
    }),
    { numRuns: 2000 },
  );
});

it("there are 85,632 minimal 4x4 puzzles: 25,728 with 4 clues, 58,368 with 5, 1,536 with 6", () => {
  const geometry = geometryOf(4);
  const random = new Random(2);
  const grids = new Map<string, Uint8Array>();
  while (grids.size < 288) {
    const grid = generateSolution(geometry, random);
    grids.set(formatBoard(grid), grid);
  }
  const orbits = new Map<string, number>();
  for (const grid of grids.values()) {
    const form = canonicalForm(grid, geometry, grid);
    orbits.set(form, (orbits.get(form) ?? 0) + 1);
  }
  const counts = new Map<number, number>();
  for (const [form, size] of orbits) {
    const grid = parseBoard(form, geometry);
    // Cells where another grid differs, as bits: a set of clues is unique if it meets every one of these sets.
    const differences = [...grids.values()]
      .map((other) => other.reduce((bits, digit, cell) => bits | (digit === grid[cell] ? 0 : 1 << cell), 0))
      .filter((bits) => bits !== 0);
    const unique = Uint8Array.from({ length: 1 << 16 }, (_, clues) =>
      differences.every((bits) => (bits & clues) !== 0) ? 1 : 0,
    );
    for (let clues = 0; clues < unique.length; clues++) {
      if (unique[clues] === 0) continue;
      const cells = [...grid.keys()].filter((cell) => (clues >> cell) & 1);
      if (cells.some((cell) => unique[clues ^ (1 << cell)] === 1)) continue;
      counts.set(cells.length, (counts.get(cells.length) ?? 0) + size);
    }
  }
  expect(Object.fromEntries(counts)).toEqual({ 4: 25_728, 5: 58_368, 6: 1_536 });
});
