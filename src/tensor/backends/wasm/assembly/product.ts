// Products of a block of rows with one panel of up to eight columns, built from tiles.
import { copyColumns } from "./panels";
import { multiplyTile, tileHeight, TILE_ROWS } from "./tile";

/** Bytes that `multiplyPanel` needs at `spare`. */
// @ts-ignore: decorator
@inline
export const SPARE_BYTES: usize = 6 * 32;

/**
 * C[rows, columns] = I + A[rows, depth] · B[depth, columns], columns <= 8; see tile.ts for the operands.
 *
 * @param spare  scratch for one tile: a panel with fewer than eight columns is computed there and its columns copied out
 */
export function multiplyPanel(
  rowMajor: bool,
  rows: i32,
  columns: i32,
  depth: i32,
  a: usize,
  stepA: usize,
  panel: usize,
  c: usize,
  stepC: usize,
  initial: usize,
  stepInitial: usize,
  spare: usize,
): void {
  const rowStepA: usize = rowMajor ? stepA : 4;
  for (let left = rows; left > 0; ) {
    const height = tileHeight(left);
    if (columns == 8) {
      multiplyTile(rowMajor, height, a, stepA, panel, depth, c, stepC, initial, stepInitial);
    } else {
      if (initial) copyColumns(spare, 32, initial, stepInitial, height, columns);
      multiplyTile(rowMajor, height, a, stepA, panel, depth, spare, 32, initial ? spare : 0, 32);
      copyColumns(c, stepC, spare, 32, height, columns);
    }
    left -= height;
    a += <usize>height * rowStepA;
    c += <usize>height * stepC;
    if (initial) initial += <usize>height * stepInitial;
  }
}
