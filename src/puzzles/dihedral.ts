// The eight dihedral transforms of a grid, numbered as in the official code (whose rotations are NumPy's rot90).
import type { Random } from "../tensor/index.ts";
import type { TaskSymmetry } from "../trm/index.ts";

/** A grid of small integers. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
  /** [rows * columns], row by row */
  readonly cells: Uint8Array;
}

/** The id of the inverse of every transform. */
export const DIHEDRAL_INVERSE: readonly number[] = [0, 3, 2, 1, 4, 5, 6, 7];

/** For every transform: the source of cell (i, j) in a grid of R rows and C columns, and whether the sides are swapped. */
const SOURCES: readonly {
  readonly swap: boolean;
  readonly from: (i: number, j: number, R: number, C: number) => [number, number];
}[] = [
  { swap: false, from: (i, j) => [i, j] },
  { swap: true, from: (i, j, _, C) => [j, C - 1 - i] }, // a quarter turn anticlockwise
  { swap: false, from: (i, j, R, C) => [R - 1 - i, C - 1 - j] }, // a half turn
  { swap: true, from: (i, j, R) => [R - 1 - j, i] }, // a quarter turn clockwise
  { swap: false, from: (i, j, _, C) => [i, C - 1 - j] }, // mirrored left to right
  { swap: false, from: (i, j, R) => [R - 1 - i, j] }, // mirrored top to bottom
  { swap: true, from: (i, j) => [j, i] }, // transposed
  { swap: true, from: (i, j, R, C) => [R - 1 - j, C - 1 - i] }, // transposed along the other diagonal
];

type Sides = Pick<Grid, "rows" | "columns">;

/** @throws RangeError unless id is 0 to 7 */
export function dihedralTransform({ rows, columns, cells }: Grid, id: number): Grid {
  const image = new Uint8Array(cells.length);
  return { ...writeImage(image, cells, { rows, columns }, id), cells: image };
}

/** Writes the image of the cells. Returns its sides. */
function writeImage(
  image: Uint8Array | Int32Array,
  cells: ArrayLike<number>,
  { rows, columns }: Sides,
  id: number,
): Sides {
  const source = SOURCES[id];
  if (source === undefined) throw new RangeError(`dihedralTransform: id ${id}, expected 0 to 7`);
  const turned = source.swap ? { rows: columns, columns: rows } : { rows, columns };
  for (let i = 0; i < turned.rows; i++) {
    for (let j = 0; j < turned.columns; j++) {
      const [row, column] = source.from(i, j, rows, columns);
      image[i * turned.columns + j] = cells[row * columns + column]!;
    }
  }
  return turned;
}

/** Transforms the tokens of a grid. @throws RangeError unless id is 0 to 7 */
export function transformTokens(tokens: ArrayLike<number>, sides: Sides, id: number): Int32Array {
  const image = new Int32Array(tokens.length);
  writeImage(image, tokens, sides, id);
  return image;
}

/** Some of the given transforms as symmetries of a task, in random order after the identity, which is the first of the ids. */
export function dihedralSymmetries(
  ids: readonly number[],
  shape: Sides,
  count: number,
  random: Random,
): TaskSymmetry[] {
  const others = [...random.permutation(ids.length - 1)].map((index) => ids[index + 1]!);
  return [ids[0]!, ...others].slice(0, count).map((id) => ({
    apply: (tokens) => transformTokens(tokens, shape, id),
    inverse: (tokens) => transformTokens(tokens, shape, DIHEDRAL_INVERSE[id]!),
  }));
}

export function inverseDihedralTransform(grid: Grid, id: number): Grid {
  return dihedralTransform(grid, DIHEDRAL_INVERSE[id] ?? id);
}
