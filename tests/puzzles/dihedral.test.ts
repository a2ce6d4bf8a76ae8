// The eight dihedral transforms.
import fc from "fast-check";
import { expect, it } from "vitest";
import { DIHEDRAL_INVERSE, dihedralTransform, inverseDihedralTransform } from "../../src/puzzles/dihedral.ts";
import { grids } from "./grids.ts";

it("the inverse of every transform undoes it", () => {
  fc.assert(
    fc.property(grids, fc.nat(7), (grid, id) => {
      expect(inverseDihedralTransform(dihedralTransform(grid, id), id)).toEqual(grid);
      expect(dihedralTransform(inverseDihedralTransform(grid, id), id)).toEqual(grid);
    }),
  );
});

it("the eight transforms are closed under composition", () => {
  const grid = { rows: 2, columns: 3, cells: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  const images = Array.from({ length: 8 }, (_, id) => JSON.stringify(dihedralTransform(grid, id)));
  expect(new Set(images).size).toBe(8);
  for (let first = 0; first < 8; first++) {
    for (let second = 0; second < 8; second++) {
      expect(images).toContain(JSON.stringify(dihedralTransform(dihedralTransform(grid, first), second)));
    }
  }
});

it("the transforms are numbered as in the official code", () => {
  // 1 2 3
  // 4 5 6
  const grid = { rows: 2, columns: 3, cells: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  const rows = (id: number) => {
    const { rows, columns, cells } = dihedralTransform(grid, id);
    return Array.from({ length: rows }, (_, row) => cells.slice(row * columns, (row + 1) * columns).join("")).join(" ");
  };
  expect(Array.from({ length: 8 }, (_, id) => rows(id))).toEqual([
    "123 456",
    "36 25 14",
    "654 321",
    "41 52 63",
    "321 654",
    "456 123",
    "14 25 36",
    "63 52 41",
  ]);
  expect(DIHEDRAL_INVERSE).toEqual([0, 3, 2, 1, 4, 5, 6, 7]);
  expect(() => rows(8)).toThrow("dihedralTransform: id 8, expected 0 to 7");
});
