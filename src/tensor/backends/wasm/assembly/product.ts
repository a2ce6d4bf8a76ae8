// Products of a block of rows with one panel of columns, built from tiles.
import { PANEL, PANEL_BYTES, panelColumns, panelCount } from "./layout";
import { copyColumns } from "./panels";
import { multiplyTile, TILE_ROWS, tileHeight } from "./tile";
import { fma, storePair, sumLanes } from "./vector";

/** Scratch bytes of `multiplyPanel`, at `spare`. */
// @ts-ignore: decorator
@inline
export const SPARE_BYTES: usize = 6 * PANEL_BYTES;

/** The most rows of a block. */
// @ts-ignore: decorator
@inline
export const BLOCK_ROWS: i32 = 43;

/** Rows of a result to compute at once when `left` remain: whole tiles, few enough to stay in the first-level cache with their operands. */
// @ts-ignore: decorator
@inline
export function blockHeight(left: i32): i32 {
  // The last block has up to 43 rows, so that it is never very small (tileHeight divides 20 or more rows evenly).
  return left <= BLOCK_ROWS ? left : 4 * TILE_ROWS;
}

/** Layout of the left operand A [rows, depth] in memory. */
export const enum Left {
  /** Rows `step` bytes apart. */
  ROWS,
  /** Transposed: columns `step` bytes apart. */
  COLUMNS,
  /** Strips (strips.ts), one after another; `step` is unused. */
  STRIPS,
}

/**
 * C[rows, columns] = I + A[rows, depth] · B[depth, columns] for columns <= PANEL; see tile.ts for the operands.
 *
 * @param spare  scratch for one tile: a panel that is not full is computed there, and its columns are copied to C
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
 * C[rows, columns] = A[rows, depth] · B, or with `add` C += A · B, for B in panels of `depth` rows. The contents of C beyond the last
 * column are undefined. The loop goes by tiles of rows, so that these rows of A stay in the first-level cache for all panels.
 *
 * @param column  scratch for `depth` elements, if A is row-major
 * @param spare  scratch for one tile, if A is row-major
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
  spare: usize,
): void {
  const panels = panelCount(columns);
  // A tile for a panel with a single column (81 = 10 · 8 + 1) would compute seven unused columns. If the rows of A are contiguous,
  // dot products avoid that.
  const hasSingle = rowMajor && panelColumns(columns, panels - 1) == 1;
  const tiled = hasSingle ? panels - 1 : panels;
  const last = <usize>tiled * PANEL_BYTES;
  if (hasSingle) copyColumns(column, 4, b + last * <usize>depth, PANEL_BYTES, depth, 1);
  const rowStepA: usize = rowMajor ? stepA : 4;
  for (let left = rows; left > 0; ) {
    const height = tileHeight(left);
    if (hasSingle) dotRows(add, height, depth, a, stepA, column, c + last, stepC, spare);
    for (let j = 0; j < tiled; j++) {
      const to = c + <usize>j * PANEL_BYTES;
      const panel = b + <usize>(j * depth) * PANEL_BYTES;
      multiplyTile(rowMajor, height, panelColumns(columns, j), a, stepA, panel, depth, to, stepC, add ? to : 0, stepC);
    }
    left -= height;
    a += <usize>height * rowStepA;
    c += <usize>height * stepC;
  }
}

/**
 * c[i] = A[i] · column, or with `add` c[i] += A[i] · column, for the rows of one tile, whose sums are independent. The lanes are added
 * in memory (`sums`), because V8 joins vectors of four starting from their stores.
 */
function dotRows(
  add: bool,
  rows: i32,
  depth: i32,
  a: usize,
  stepA: usize,
  column: usize,
  c: usize,
  stepC: usize,
  sums: usize,
): void {
  const zero = f32x4.splat(0);
  let l0 = zero, l1 = zero, l2 = zero, l3 = zero, l4 = zero, l5 = zero, r0 = zero, r1 = zero, r2 = zero, r3 = zero, r4 = zero, r5 = zero;
  // With fewer than six rows, the last one is read again.
  let a0 = a, a1 = a0 + (rows > 1 ? stepA : 0), a2 = a1 + (rows > 2 ? stepA : 0);
  let a3 = a2 + (rows > 3 ? stepA : 0), a4 = a3 + (rows > 4 ? stepA : 0), a5 = a4 + (rows > 5 ? stepA : 0);
  let b = column;
  for (let k = depth; k >= 8; k -= 8) {
    const left = v128.load(b), right = v128.load(b, 16);
    l0 = fma(v128.load(a0), left, l0); r0 = fma(v128.load(a0, 16), right, r0);
    l1 = fma(v128.load(a1), left, l1); r1 = fma(v128.load(a1, 16), right, r1);
    l2 = fma(v128.load(a2), left, l2); r2 = fma(v128.load(a2, 16), right, r2);
    l3 = fma(v128.load(a3), left, l3); r3 = fma(v128.load(a3, 16), right, r3);
    l4 = fma(v128.load(a4), left, l4); r4 = fma(v128.load(a4, 16), right, r4);
    l5 = fma(v128.load(a5), left, l5); r5 = fma(v128.load(a5, 16), right, r5);
    a0 += 32; a1 += 32; a2 += 32; a3 += 32; a4 += 32; a5 += 32; b += 32;
  }
  // In this order because of storePair.
  v128.store(sums, r5, 176); v128.store(sums, l5, 160);
  v128.store(sums, r4, 144); v128.store(sums, l4, 128);
  v128.store(sums, r3, 112); v128.store(sums, l3, 96);
  v128.store(sums, r2, 80); v128.store(sums, l2, 64);
  v128.store(sums, r1, 48); v128.store(sums, l1, 32);
  storePair(sums, l0, r0);
  for (let i = 0; i < rows; i++) {
    let sum = sumLanes(f32x4.add(v128.load(sums), v128.load(sums, 16)));
    for (let k = depth & ~7; k < depth; k++) sum += load<f32>(a + (<usize>k << 2)) * load<f32>(column + (<usize>k << 2));
    store<f32>(c, add ? load<f32>(c) + sum : sum);
    sums += 32;
    a += stepA;
    c += stepC;
  }
}
