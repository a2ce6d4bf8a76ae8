// Products of a block of rows with one panel of columns, built from tiles.
import { PANEL, PANEL_BYTES } from "./layout";
import { copyColumns } from "./panels";
import { multiplyTile, TILE_ROWS, tileHeight } from "./tile";

/** Bytes that `multiplyPanel` needs at `spare`. */
// @ts-ignore: decorator
@inline
export const SPARE_BYTES: usize = 6 * PANEL_BYTES;

/** The most rows of a block. */
// @ts-ignore: decorator
@inline
export const BLOCK_ROWS: i32 = 43;

/** Rows of a result to make at once when `left` remain: whole tiles, few enough that they and their operands stay in the first-level cache. */
// @ts-ignore: decorator
@inline
export function blockHeight(left: i32): i32 {
  // The last block takes up to 43 rows, so that it never becomes a sliver (tileHeight splits 20 or more evenly).
  return left <= BLOCK_ROWS ? left : 4 * TILE_ROWS;
}

/** How the left operand A [rows, depth] lies in memory. */
export const enum Left {
  /** As rows, `step` bytes apart. */
  ROWS,
  /** Transposed: as columns, `step` bytes apart. */
  COLUMNS,
  /** As strips (strips.ts), one after another; they have no step. */
  STRIPS,
}

/**
 * C[rows, columns] = I + A[rows, depth] · B[depth, columns], columns <= PANEL; see tile.ts for the operands.
 *
 * @param spare  scratch for one tile: a panel that is not full is computed there and its columns copied out
 */
export function multiplyPanel(
  left: Left,
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
  const rowMajor = left == Left.ROWS;
  const rowStepA: usize = left == Left.ROWS ? stepA : left == Left.COLUMNS ? 4 : <usize>depth << 2;
  for (let remaining = rows; remaining > 0; ) {
    const height = tileHeight(remaining);
    if (left == Left.STRIPS) stepA = <usize>height << 2;
    if (columns == PANEL) {
      multiplyTile(rowMajor, height, PANEL, a, stepA, panel, depth, c, stepC, initial, stepInitial);
    } else {
      if (initial) copyColumns(spare, PANEL_BYTES, initial, stepInitial, height, columns);
      multiplyTile(rowMajor, height, columns, a, stepA, panel, depth, spare, PANEL_BYTES, initial ? spare : 0, PANEL_BYTES);
      copyColumns(c, stepC, spare, PANEL_BYTES, height, columns);
    }
    remaining -= height;
    a += <usize>height * rowStepA;
    c += <usize>height * stepC;
    if (initial) initial += <usize>height * stepInitial;
  }
}

/**
 * C[rows, panels · PANEL] = A[rows, depth] · B, or with `add` C += A · B, for B in whole panels `depth` rows long. Strip by strip, so that
 * a strip of A stays in the first-level cache while the panels pass.
 */
export function accumulate(
  rowMajor: bool,
  add: bool,
  rows: i32,
  panels: i32,
  depth: i32,
  a: usize,
  stepA: usize,
  b: usize,
  c: usize,
  stepC: usize,
): void {
  const rowStepA: usize = rowMajor ? stepA : 4;
  for (let left = rows; left > 0; ) {
    const height = tileHeight(left);
    for (let j = 0; j < panels; j++) {
      const to = c + <usize>j * PANEL_BYTES;
      const panel = b + <usize>(j * depth) * PANEL_BYTES;
      multiplyTile(rowMajor, height, PANEL, a, stepA, panel, depth, to, stepC, add ? to : 0, stepC);
    }
    left -= height;
    a += <usize>height * rowStepA;
    c += <usize>height * stepC;
  }
}
