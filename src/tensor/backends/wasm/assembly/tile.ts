// The inner loop of the matrix product: a tile of up to 6 rows by 8 or 16 columns of sums that stay in registers.
//
//   C[i, j] = I[i, j] + Σ_k A[i, k] B[k, j]
//
// B is a panel: a few columns of a matrix stored as [K][PANEL] (see panels.ts). A is read in place, in one of two layouts:
//   row-major  A[i, k] at a + i·stepA + 4k    (a step from row to row)
//   k-major    A[i, k] at a + k·stepA + 4i    (the transpose of a row-major matrix)
// All steps are in bytes. I is `initial` (0 if there is none). It may be C itself, to accumulate.
//
// 6 x 8 needs 12 sums, 2 vectors of B and 1 repeated element of A: 15 of the 16 registers. Without fused multiply-add each product
// needs a register, so the plain build has 5 rows. The wide build is written for V8's revectorizer, which joins neighbouring vectors
// of four into registers of eight, so that 6 x 16 fills the same 15 registers. The loop is not unrolled, because V8 would then copy
// sums between registers, which costs a third of the speed.
import { PANEL_BYTES } from "./layout";
import { fma, storeFour, storePair } from "./vector";

/** Address of one row of zeros in the first page, which is never written. */
// @ts-ignore: decorator
@inline
const ZEROS: usize = 512;

// @ts-ignore: decorator
@inline
export const TILE_ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;

/** `rows`, `rowMajor` and `wide` are constants at every call, so each instance contains only the lines that it uses. */
// @ts-ignore: decorator
@inline
function tile(
  rows: i32,
  rowMajor: bool,
  wide: bool,
  a: usize,
  stepA: usize,
  b: usize,
  depth: i32,
  c: usize,
  stepC: usize,
  initial: usize,
  stepInitial: usize,
): void {
  const zero = f32x4.splat(0);
  let c00 = v128.load(initial), c01 = v128.load(initial, 16);
  let c02 = wide ? v128.load(initial, 32) : zero, c03 = wide ? v128.load(initial, 48) : zero;
  let c10 = zero, c11 = zero, c12 = zero, c13 = zero, c20 = zero, c21 = zero, c22 = zero, c23 = zero;
  let c30 = zero, c31 = zero, c32 = zero, c33 = zero, c40 = zero, c41 = zero, c42 = zero, c43 = zero, c50 = zero, c51 = zero, c52 = zero, c53 = zero;
  if (rows > 1) {
    initial += stepInitial;
    c10 = v128.load(initial); c11 = v128.load(initial, 16);
    if (wide) { c12 = v128.load(initial, 32); c13 = v128.load(initial, 48); }
  }
  if (rows > 2) {
    initial += stepInitial;
    c20 = v128.load(initial); c21 = v128.load(initial, 16);
    if (wide) { c22 = v128.load(initial, 32); c23 = v128.load(initial, 48); }
  }
  if (rows > 3) {
    initial += stepInitial;
    c30 = v128.load(initial); c31 = v128.load(initial, 16);
    if (wide) { c32 = v128.load(initial, 32); c33 = v128.load(initial, 48); }
  }
  if (rows > 4) {
    initial += stepInitial;
    c40 = v128.load(initial); c41 = v128.load(initial, 16);
    if (wide) { c42 = v128.load(initial, 32); c43 = v128.load(initial, 48); }
  }
  if (rows > 5) {
    initial += stepInitial;
    c50 = v128.load(initial); c51 = v128.load(initial, 16);
    if (wide) { c52 = v128.load(initial, 32); c53 = v128.load(initial, 48); }
  }
  if (rowMajor) {
    let a1 = a + stepA, a2 = a1 + stepA, a3 = a2 + stepA, a4 = a3 + stepA, a5 = a4 + stepA;
    for (let k = depth; k > 0; k--) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      const b2 = wide ? v128.load(b, 32) : zero, b3 = wide ? v128.load(b, 48) : zero;
      let s = v128.load32_splat(a); a += 4;
      c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      if (wide) { c02 = fma(s, b2, c02); c03 = fma(s, b3, c03); }
      if (rows > 1) {
        s = v128.load32_splat(a1); a1 += 4;
        c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
        if (wide) { c12 = fma(s, b2, c12); c13 = fma(s, b3, c13); }
      }
      if (rows > 2) {
        s = v128.load32_splat(a2); a2 += 4;
        c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
        if (wide) { c22 = fma(s, b2, c22); c23 = fma(s, b3, c23); }
      }
      if (rows > 3) {
        s = v128.load32_splat(a3); a3 += 4;
        c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
        if (wide) { c32 = fma(s, b2, c32); c33 = fma(s, b3, c33); }
      }
      if (rows > 4) {
        s = v128.load32_splat(a4); a4 += 4;
        c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
        if (wide) { c42 = fma(s, b2, c42); c43 = fma(s, b3, c43); }
      }
      if (rows > 5) {
        s = v128.load32_splat(a5); a5 += 4;
        c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
        if (wide) { c52 = fma(s, b2, c52); c53 = fma(s, b3, c53); }
      }
      b += PANEL_BYTES;
    }
  } else {
    for (let k = depth; k > 0; k--) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      const b2 = wide ? v128.load(b, 32) : zero, b3 = wide ? v128.load(b, 48) : zero;
      let s = v128.load32_splat(a);
      c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      if (wide) { c02 = fma(s, b2, c02); c03 = fma(s, b3, c03); }
      if (rows > 1) {
        s = v128.load32_splat(a, 4);
        c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
        if (wide) { c12 = fma(s, b2, c12); c13 = fma(s, b3, c13); }
      }
      if (rows > 2) {
        s = v128.load32_splat(a, 8);
        c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
        if (wide) { c22 = fma(s, b2, c22); c23 = fma(s, b3, c23); }
      }
      if (rows > 3) {
        s = v128.load32_splat(a, 12);
        c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
        if (wide) { c32 = fma(s, b2, c32); c33 = fma(s, b3, c33); }
      }
      if (rows > 4) {
        s = v128.load32_splat(a, 16);
        c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
        if (wide) { c42 = fma(s, b2, c42); c43 = fma(s, b3, c43); }
      }
      if (rows > 5) {
        s = v128.load32_splat(a, 20);
        c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
        if (wide) { c52 = fma(s, b2, c52); c53 = fma(s, b3, c53); }
      }
      a += stepA;
      b += PANEL_BYTES;
    }
  }
  if (wide) storeFour(c, c00, c01, c02, c03);
  else storePair(c, c00, c01);
  if (rows > 1) {
    c += stepC;
    if (wide) storeFour(c, c10, c11, c12, c13);
    else storePair(c, c10, c11);
  }
  if (rows > 2) {
    c += stepC;
    if (wide) storeFour(c, c20, c21, c22, c23);
    else storePair(c, c20, c21);
  }
  if (rows > 3) {
    c += stepC;
    if (wide) storeFour(c, c30, c31, c32, c33);
    else storePair(c, c30, c31);
  }
  if (rows > 4) {
    c += stepC;
    if (wide) storeFour(c, c40, c41, c42, c43);
    else storePair(c, c40, c41);
  }
  if (rows > 5) {
    c += stepC;
    if (wide) storeFour(c, c50, c51, c52, c53);
    else storePair(c, c50, c51);
  }
}

// One instance per number of rows, layout of A and width. A full tile has all columns of a panel; a half tile, in the wide build,
// has eight.
function row1(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(1, true, WIDE != 0, a, sa, b, k, c, sc, i, si); }
function row2(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(2, true, WIDE != 0, a, sa, b, k, c, sc, i, si); }
function row3(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(3, true, WIDE != 0, a, sa, b, k, c, sc, i, si); }
function row4(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(4, true, WIDE != 0, a, sa, b, k, c, sc, i, si); }
function row5(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(5, true, WIDE != 0, a, sa, b, k, c, sc, i, si); }
function row6(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(6, true, WIDE != 0, a, sa, b, k, c, sc, i, si); }
function deep1(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(1, false, WIDE != 0, a, sa, b, k, c, sc, i, si); }
function deep2(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(2, false, WIDE != 0, a, sa, b, k, c, sc, i, si); }
function deep3(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(3, false, WIDE != 0, a, sa, b, k, c, sc, i, si); }
function deep4(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(4, false, WIDE != 0, a, sa, b, k, c, sc, i, si); }
function deep5(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(5, false, WIDE != 0, a, sa, b, k, c, sc, i, si); }
function deep6(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(6, false, WIDE != 0, a, sa, b, k, c, sc, i, si); }
function rowHalf1(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(1, true, false, a, sa, b, k, c, sc, i, si); }
function rowHalf2(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(2, true, false, a, sa, b, k, c, sc, i, si); }
function rowHalf3(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(3, true, false, a, sa, b, k, c, sc, i, si); }
function rowHalf4(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(4, true, false, a, sa, b, k, c, sc, i, si); }
function rowHalf5(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(5, true, false, a, sa, b, k, c, sc, i, si); }
function rowHalf6(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(6, true, false, a, sa, b, k, c, sc, i, si); }
function deepHalf1(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(1, false, false, a, sa, b, k, c, sc, i, si); }
function deepHalf2(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(2, false, false, a, sa, b, k, c, sc, i, si); }
function deepHalf3(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(3, false, false, a, sa, b, k, c, sc, i, si); }
function deepHalf4(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(4, false, false, a, sa, b, k, c, sc, i, si); }
function deepHalf5(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(5, false, false, a, sa, b, k, c, sc, i, si); }
function deepHalf6(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(6, false, false, a, sa, b, k, c, sc, i, si); }

/** A tile of 1 to TILE_ROWS rows and of `columns` columns, rounded up to 8 or a whole panel. */
export function multiplyTile(
  rowMajor: bool,
  rows: i32,
  columns: i32,
  a: usize,
  stepA: usize,
  b: usize,
  depth: i32,
  c: usize,
  stepC: usize,
  initial: usize,
  stepInitial: usize,
): void {
  if (!initial) {
    // Zeros are loaded, because a branch around the loads would keep V8 from joining vectors.
    initial = ZEROS;
    stepInitial = 0;
  }
  if (WIDE && columns <= 8) {
    if (rowMajor) {
      if (rows == 6) rowHalf6(a, stepA, b, depth, c, stepC, initial, stepInitial);
      else if (rows == 5) rowHalf5(a, stepA, b, depth, c, stepC, initial, stepInitial);
      else if (rows == 4) rowHalf4(a, stepA, b, depth, c, stepC, initial, stepInitial);
      else if (rows == 3) rowHalf3(a, stepA, b, depth, c, stepC, initial, stepInitial);
      else if (rows == 2) rowHalf2(a, stepA, b, depth, c, stepC, initial, stepInitial);
      else rowHalf1(a, stepA, b, depth, c, stepC, initial, stepInitial);
    } else {
      if (rows == 6) deepHalf6(a, stepA, b, depth, c, stepC, initial, stepInitial);
      else if (rows == 5) deepHalf5(a, stepA, b, depth, c, stepC, initial, stepInitial);
      else if (rows == 4) deepHalf4(a, stepA, b, depth, c, stepC, initial, stepInitial);
      else if (rows == 3) deepHalf3(a, stepA, b, depth, c, stepC, initial, stepInitial);
      else if (rows == 2) deepHalf2(a, stepA, b, depth, c, stepC, initial, stepInitial);
      else deepHalf1(a, stepA, b, depth, c, stepC, initial, stepInitial);
    }
  } else if (rowMajor) {
    if (rows == 6) row6(a, stepA, b, depth, c, stepC, initial, stepInitial);
    else if (rows == 5) row5(a, stepA, b, depth, c, stepC, initial, stepInitial);
    else if (rows == 4) row4(a, stepA, b, depth, c, stepC, initial, stepInitial);
    else if (rows == 3) row3(a, stepA, b, depth, c, stepC, initial, stepInitial);
    else if (rows == 2) row2(a, stepA, b, depth, c, stepC, initial, stepInitial);
    else row1(a, stepA, b, depth, c, stepC, initial, stepInitial);
  } else {
    if (rows == 6) deep6(a, stepA, b, depth, c, stepC, initial, stepInitial);
    else if (rows == 5) deep5(a, stepA, b, depth, c, stepC, initial, stepInitial);
    else if (rows == 4) deep4(a, stepA, b, depth, c, stepC, initial, stepInitial);
    else if (rows == 3) deep3(a, stepA, b, depth, c, stepC, initial, stepInitial);
    else if (rows == 2) deep2(a, stepA, b, depth, c, stepC, initial, stepInitial);
    else deep1(a, stepA, b, depth, c, stepC, initial, stepInitial);
  }
}

/**
 * Height of the next tile when `left` rows remain. The last tiles have one row less if that makes the heights add up (81 = 11·6 + 3·5),
 * because the additions of a tile with few rows depend on each other. If that is impossible, the last tile has the remaining rows.
 */
export function tileHeight(left: i32): i32 {
  const missing = (TILE_ROWS - (left % TILE_ROWS)) % TILE_ROWS;
  return left == missing * (TILE_ROWS - 1) ? TILE_ROWS - 1 : min(left, TILE_ROWS);
}
