/** The eight symmetries of a rectangle's grid, numbered as in the official code (whose rotations are NumPy's rot90). */

/** Small whole numbers in rows and columns, row by row. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
  /** [rows * columns] */
  readonly cells: Uint8Array;
}

/** For transform `id`, the transform that undoes it. */
export const DIHEDRAL_INVERSE: readonly number[] = [0, 3, 2, 1, 4, 5, 6, 7];

/** Where cell (i, j) of the new grid comes from, in a grid of R rows and C columns, and whether the sides are swapped. */
const SOURCES: readonly {
  readonly swap: boolean;
  readonly from: (i: number, j: number, R: number, C: number) => [number, number];
}[] = [
  { swap: false, from: (i, j) => [i, j] },
  { swap: true, from: (i, j, _, C) => [j, C - 1 - i] }, // a quarter turn against the clock
  { swap: false, from: (i, j, R, C) => [R - 1 - i, C - 1 - j] }, // a half turn
  { swap: true, from: (i, j, R) => [R - 1 - j, i] }, // a quarter turn with the clock
  { swap: false, from: (i, j, _, C) => [i, C - 1 - j] }, // left and right swapped
  { swap: false, from: (i, j, R) => [R - 1 - i, j] }, // top and bottom swapped
  { swap: true, from: (i, j) => [j, i] }, // transposed
  { swap: true, from: (i, j, R, C) => [R - 1 - j, C - 1 - i] }, // transposed at the other diagonal
];

/** @throws RangeError unless id is 0 to 7. */
export function dihedralTransform({ rows, columns, cells }: Grid, id: number): Grid {
  const source = SOURCES[id];
  if (source === undefined) throw new RangeError(`dihedralTransform: id ${id}, expected 0 to 7`);
  const turned = source.swap ? { rows: columns, columns: rows } : { rows, columns };
  const result = new Uint8Array(cells.length);
  for (let i = 0; i < turned.rows; i++) {
    for (let j = 0; j < turned.columns; j++) {
      const [row, column] = source.from(i, j, rows, columns);
      result[i * turned.columns + j] = cells[row * columns + column]!;
    }
  }
  return { ...turned, cells: result };
}

export function inverseDihedralTransform(grid: Grid, id: number): Grid {
  return dihedralTransform(grid, DIHEDRAL_INVERSE[id] ?? id);
}
