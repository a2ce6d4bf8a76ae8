// Arbitrary grids of colours 0 to 9.
import fc from "fast-check";
import type { Grid } from "../../src/puzzles/dihedral.ts";

export const gridsUpTo = (side: number): fc.Arbitrary<Grid> =>
  fc
    .tuple(fc.integer({ min: 1, max: side }), fc.integer({ min: 1, max: side }))
    .chain(([rows, columns]) =>
      fc
        .uint8Array({ minLength: rows * columns, maxLength: rows * columns, max: 9 })
        .map((cells) => ({ rows, columns, cells })),
    );

export const grids = gridsUpTo(6);
