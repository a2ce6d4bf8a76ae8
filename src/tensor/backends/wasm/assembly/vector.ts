// Four float32 lanes at a time: fused multiply-add, exp, sigmoid, and sums over lanes.

/** a·b + c, rounded once in the relaxed build and twice in the plain one: the only difference between the two. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/**
 * Stores eight floats, the upper half first: in the other order V8 (seen in Node 26) keeps the store of the lower half beside the joined
 * one, or does not join the two at all.
 */
// @ts-ignore: decorator
@inline
export function storePair(at: usize, a: v128, b: v128): void {
  v128.store(at, b, 16);
  v128.store(at, a);
}

/** Stores sixteen floats. */
// @ts-ignore: decorator
@inline
export function storeFour(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(at, d, 48);
  v128.store(at, c, 32);
  storePair(at, a, b);
}

/** (x0 + x2) + (x1 + x3) */
// @ts-ignore: decorator
@inline
export function sumLanes(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

// @ts-ignore: decorator
@inline
export function maxLanes(x: v128): f32 {
  const pairs = f32x4.max(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return max(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/**
 * √x, of a whole vector: the scalar instruction of V8 is one of the old SSE encoding, which costs some 280 cycles while the upper halves of the
 * registers are in use, as after every loop of the wide build (measured on Zen 3: a norm of 128 elements 154 ns instead of 43).
 */
// @ts-ignore: decorator
@inline
export function squareRoot(x: f32): f32 {
  return f32x4.extract_lane(f32x4.sqrt(f32x4.splat(x)), 0);
}

/** Places of the literals of e^x; those of e^-x, which changes the signs of the odd terms, stand NEGATIVE places on. */
const enum Literal { ROUNDER, PER_LN2, LN2_HIGH, LN2_LOW, C6, C5, C4, C3, C2, C1, C0, LEAST, MOST, NEGATIVE }

/**
 * In memory, because V8 would build a literal of the code anew, in two or three instructions, wherever a loop uses it. The address is a
 * variable (exported by index.ts, so that it stays one), because V8 of Node 26 would load a constant one anew for every literal.
 */
export let literals: usize = memory.data<f32>([
  12582912, 1.44269504, -0.693359375, 2.12194440e-4, 0.0013843599, 0.0083742021, 0.041668005, 0.1666643023, 0.49999994, 1, 1, -87.33, 88.72,
  12582912, -1.44269504, 0.693359375, -2.12194440e-4, 0.0013843599, -0.0083742021, 0.041668005, -0.1666643023, 0.49999994, -1, 1, -88.72, 87.33,
]);

// @ts-ignore: decorator
@inline
function literal(place: i32): v128 {
  return v128.load32_splat(literals + (<usize>place << 2));
}

/**
 * e^x for x from LEAST to MOST, the ends of that interval outside it, NaN for NaN. Relative error below 1.5e-7.
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2. Adding 1.5 · 2^23 rounds to an integer that then stands in the low bits of the sum;
 * e^r is the polynomial of degree 6 with the smallest relative error (2e-9); adding n to its exponent bits multiplies by 2^n.
 *
 * One call is a chain of 15 dependent steps. Loops therefore work on four vectors at a time, whose chains overlap, which makes
 * them twice as fast.
 *
 * @param sign  0, or Literal.NEGATIVE for e^-x, which saves three instructions against negating x
 */
// @ts-ignore: decorator
@inline
function exponential(x: v128, sign: i32): v128 {
  const rounder = literal(sign + Literal.ROUNDER);
  // pmin and pmax return their first operand when a comparison with NaN fails, so NaN passes through.
  const bounded = f32x4.pmax(f32x4.pmin(x, literal(sign + Literal.MOST)), literal(sign + Literal.LEAST));
  const shifted = fma(bounded, literal(sign + Literal.PER_LN2), rounder);
  const n = f32x4.sub(shifted, rounder);
  // ln 2 in two parts, the first with so few bits that n times it is exact.
  const r = fma(n, literal(sign + Literal.LN2_LOW), fma(n, literal(sign + Literal.LN2_HIGH), bounded));
  let p = fma(r, literal(sign + Literal.C6), literal(sign + Literal.C5));
  p = fma(p, r, literal(sign + Literal.C4));
  p = fma(p, r, literal(sign + Literal.C3));
  p = fma(p, r, literal(sign + Literal.C2));
  p = fma(p, r, literal(sign + Literal.C1));
  p = fma(p, r, literal(sign + Literal.C0));
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

/** e^x for -87.33 <= x <= 88.72, else for the nearer end of that interval. */
// @ts-ignore: decorator
@inline
export function clampedExp(x: v128): v128 {
  return exponential(x, 0);
}

/** e^-x, likewise. */
// @ts-ignore: decorator
@inline
export function clampedExpNegative(x: v128): v128 {
  return exponential(x, Literal.NEGATIVE);
}

/** e^x with its limits: infinity above 88.72, 0 below -87.33 (where float32 has only denormals left). */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const finite = clampedExp(x);
  const above = f32x4.gt(x, f32x4.splat(88.72));
  const below = f32x4.lt(x, f32x4.splat(-87.33));
  return v128.andnot(v128.bitselect(f32x4.splat(f32.POSITIVE_INFINITY), finite, above), below);
}

/** 1 in every lane, a cheaper one than that of the code (see `literals`). */
// @ts-ignore: decorator
@inline
export function one(): v128 {
  return literal(Literal.C0);
}

/** 1 / (1 + e^-x) */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  return f32x4.div(one(), f32x4.add(one(), clampedExpNegative(x)));
}
