// Products of a block of rows with one panel of columns, built from tiles.
import { PANEL, PANEL_BYTES, panelColumns, panelCount } from "./layout";
import { copyColumns } from "./panels";
import { multiplyTile, TILE_ROWS, tileHeight } from "./tile";
import { fma, sumLanes } from "./vector";

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
 * C[rows, columns] = A[rows, depth] · B, or with `add` C += A · B, for B in panels `depth` rows long; what stands beyond the last column of C
 * means nothing. Strip by strip, so that a strip of A stays in the first-level cache while the panels pass.
 *
 * @param column  scratch for `depth` elements, if A is row-major
 */
export function accumulate(
  rowMajor: bool,
  add: bool,
  rows: i32,
  columns: i32,
  depth: i32,
  a: usize,
  stepA: usize,
  b: usize,
  c: usize,
  stepC: usize,
  column: usize,
): void {
  const panels = panelCount(columns);
  // A panel with a single column (81 = 10 · 8 + 1) would compute seven others for nothing. Where rows of A are contiguous, dot products do not.
  const hasSingle = rowMajor && panelColumns(columns, panels - 1) == 1;
  const tiled = hasSingle ? panels - 1 : panels;
  const last = <usize>tiled * PANEL_BYTES;
  if (hasSingle) copyColumns(column, 4, b + last * <usize>depth, PANEL_BYTES, depth, 1);
  const rowStepA: usize = rowMajor ? stepA : 4;
  for (let left = rows; left > 0; ) {
    const height = tileHeight(left);
    for (let j = 0; j < tiled; j++) {
      const to = c + <usize>j * PANEL_BYTES;
      const panel = b + <usize>(j * depth) * PANEL_BYTES;
      multiplyTile(rowMajor, height, panelColumns(columns, j), a, stepA, panel, depth, to, stepC, add ? to : 0, stepC);
    }
    if (hasSingle) {
      for (let i = 0; i < height; i++) {
        const to = c + <usize>i * stepC + last;
        const product = dot(a + <usize>i * stepA, column, depth);
        store<f32>(to, add ? load<f32>(to) + product : product);
      }
    }
    left -= height;
    a += <usize>height * rowStepA;
    c += <usize>height * stepC;
  }
}

function dot(a: usize, b: usize, length: i32): f32 {
  let sum0 = f32x4.splat(0), sum1 = f32x4.splat(0);
  for (; length >= 8; length -= 8) {
    sum0 = fma(v128.load(a), v128.load(b), sum0);
    sum1 = fma(v128.load(a, 16), v128.load(b, 16), sum1);
    a += 32;
    b += 32;
  }
  let sum = sumLanes(f32x4.add(sum0, sum1));
  for (; length > 0; length--) {
    sum += load<f32>(a) * load<f32>(b);
    a += 4;
    b += 4;
  }
  return sum;
}
