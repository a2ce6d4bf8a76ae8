// The matrix product's inner loop: a tile of up to 6 rows by 8 columns of sums that stay in registers.
//
//   C[i, j] = I[i, j] + Σ_k A[i, k] B[k, j],   j = 0..7
//
// B is a panel: eight columns of a matrix stored as [K][8] (see panels.ts). A is read in place, in one of two forms:
//   row-major  A[i, k] at a + i·stepA + 4k    (a step from row to row)
//   k-major    A[i, k] at a + k·stepA + 4i    (the transpose of a row-major matrix)
// All steps are in bytes. I is `initial` (0 for none); it may be C itself, which then accumulates.
//
// 6 x 8 needs 12 sums, 2 vectors of B and 1 repeated element of A: all but one of the 16 registers. Without fused
// multiply-add each product needs a register of its own, so the plain build stops at 5 rows. The loop is not unrolled:
// V8 then copies sums between registers and loses a third of the speed.
import { fma } from "./vector";

// @ts-ignore: decorator
@inline
export const TILE_ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;

/** `rows` and `rowMajor` are literals at every call, so each instance keeps only its own lines. */
// @ts-ignore: decorator
@inline
function tile(
  rows: i32,
  rowMajor: bool,
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
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero, c40 = zero, c41 = zero, c50 = zero, c51 = zero;
  if (initial) {
    c00 = v128.load(initial); c01 = v128.load(initial, 16); initial += stepInitial;
    if (rows > 1) { c10 = v128.load(initial); c11 = v128.load(initial, 16); initial += stepInitial; }
    if (rows > 2) { c20 = v128.load(initial); c21 = v128.load(initial, 16); initial += stepInitial; }
    if (rows > 3) { c30 = v128.load(initial); c31 = v128.load(initial, 16); initial += stepInitial; }
    if (rows > 4) { c40 = v128.load(initial); c41 = v128.load(initial, 16); initial += stepInitial; }
    if (rows > 5) { c50 = v128.load(initial); c51 = v128.load(initial, 16); }
  }
  if (rowMajor) {
    let a1 = a + stepA, a2 = a1 + stepA, a3 = a2 + stepA, a4 = a3 + stepA, a5 = a4 + stepA;
    for (let k = depth; k > 0; k--) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let s = v128.load32_splat(a); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01); a += 4;
      if (rows > 1) { s = v128.load32_splat(a1); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); a1 += 4; }
      if (rows > 2) { s = v128.load32_splat(a2); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); a2 += 4; }
      if (rows > 3) { s = v128.load32_splat(a3); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31); a3 += 4; }
      if (rows > 4) { s = v128.load32_splat(a4); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41); a4 += 4; }
      if (rows > 5) { s = v128.load32_splat(a5); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51); a5 += 4; }
      b += 32;
    }
  } else {
    for (let k = depth; k > 0; k--) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let s = v128.load32_splat(a); c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
      if (rows > 1) { s = v128.load32_splat(a, 4); c10 = fma(s, b0, c10); c11 = fma(s, b1, c11); }
      if (rows > 2) { s = v128.load32_splat(a, 8); c20 = fma(s, b0, c20); c21 = fma(s, b1, c21); }
      if (rows > 3) { s = v128.load32_splat(a, 12); c30 = fma(s, b0, c30); c31 = fma(s, b1, c31); }
      if (rows > 4) { s = v128.load32_splat(a, 16); c40 = fma(s, b0, c40); c41 = fma(s, b1, c41); }
      if (rows > 5) { s = v128.load32_splat(a, 20); c50 = fma(s, b0, c50); c51 = fma(s, b1, c51); }
      a += stepA;
      b += 32;
    }
  }
  v128.store(c, c00); v128.store(c, c01, 16); c += stepC;
  if (rows > 1) { v128.store(c, c10); v128.store(c, c11, 16); c += stepC; }
  if (rows > 2) { v128.store(c, c20); v128.store(c, c21, 16); c += stepC; }
  if (rows > 3) { v128.store(c, c30); v128.store(c, c31, 16); c += stepC; }
  if (rows > 4) { v128.store(c, c40); v128.store(c, c41, 16); c += stepC; }
  if (rows > 5) { v128.store(c, c50); v128.store(c, c51, 16); }
}

function row1(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(1, true, a, sa, b, k, c, sc, i, si); }
function row2(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(2, true, a, sa, b, k, c, sc, i, si); }
function row3(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(3, true, a, sa, b, k, c, sc, i, si); }
function row4(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(4, true, a, sa, b, k, c, sc, i, si); }
function row5(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(5, true, a, sa, b, k, c, sc, i, si); }
function row6(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(6, true, a, sa, b, k, c, sc, i, si); }
function deep1(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(1, false, a, sa, b, k, c, sc, i, si); }
function deep2(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(2, false, a, sa, b, k, c, sc, i, si); }
function deep3(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(3, false, a, sa, b, k, c, sc, i, si); }
function deep4(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(4, false, a, sa, b, k, c, sc, i, si); }
function deep5(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(5, false, a, sa, b, k, c, sc, i, si); }
function deep6(a: usize, sa: usize, b: usize, k: i32, c: usize, sc: usize, i: usize, si: usize): void { tile(6, false, a, sa, b, k, c, sc, i, si); }

/** A tile of 1 to TILE_ROWS rows. */
export function multiplyTile(
  rowMajor: bool,
  rows: i32,
  a: usize,
  stepA: usize,
  b: usize,
  depth: i32,
  c: usize,
  stepC: usize,
  initial: usize,
  stepInitial: usize,
): void {
  if (rowMajor) {
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
 * Height of the next tile when `left` rows remain: full tiles, and as many one row lower as make the sum come out
 * (81 = 11·6 + 3·5), because a tile of few rows waits for its own sums. Few rows in all: whatever is left.
 */
export function tileHeight(left: i32): i32 {
  const missing = (TILE_ROWS - (left % TILE_ROWS)) % TILE_ROWS;
  if (missing > 0 && left >= missing * (TILE_ROWS - 1)) return TILE_ROWS - 1;
  return min(left, TILE_ROWS);
}
