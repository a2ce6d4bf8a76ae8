// Four float32 lanes at a time: fused multiply-add, exp, sigmoid, and sums over lanes.

/** a·b + c, rounded once in the relaxed build and twice in the plain one: the only difference between the two. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
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
 * e^x for -87.33 <= x <= 88.72, the ends of that interval outside it, NaN for NaN. Relative error below 1.5e-7.
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2. Adding 1.5 · 2^23 rounds to an integer that then stands in the low bits of the sum;
 * e^r is the polynomial of degree 6 with the smallest relative error (2e-9); adding n to its exponent bits multiplies by 2^n.
 *
 * One call is a chain of 15 dependent steps, and V8 builds every literal anew in each turn of a loop. Loops therefore work on
 * four vectors at a time: the chains overlap and share the literals, which makes them twice as fast.
 */
// @ts-ignore: decorator
@inline
export function clampedExp(x: v128): v128 {
  const rounder = f32x4.splat(12582912);
  // pmin and pmax return their first operand when a comparison with NaN fails, so NaN passes through.
  const bounded = f32x4.pmax(f32x4.pmin(x, f32x4.splat(88.72)), f32x4.splat(-87.33));
  const shifted = fma(bounded, f32x4.splat(1.44269504), rounder);
  const n = f32x4.sub(shifted, rounder);
  // ln 2 in two parts, the first with so few bits that n times it is exact.
  const r = fma(n, f32x4.splat(2.12194440e-4), fma(n, f32x4.splat(-0.693359375), bounded));
  let p = fma(r, f32x4.splat(0.0013843599), f32x4.splat(0.0083742021));
  p = fma(p, r, f32x4.splat(0.041668005));
  p = fma(p, r, f32x4.splat(0.1666643023));
  p = fma(p, r, f32x4.splat(0.49999994));
  p = fma(p, r, f32x4.splat(1));
  p = fma(p, r, f32x4.splat(1));
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

/** e^-x, likewise: the signs of the odd terms changed, which saves three instructions against negating x. */
// @ts-ignore: decorator
@inline
export function clampedExpNegative(x: v128): v128 {
  const rounder = f32x4.splat(12582912);
  const bounded = f32x4.pmax(f32x4.pmin(x, f32x4.splat(87.33)), f32x4.splat(-88.72));
  const shifted = fma(bounded, f32x4.splat(-1.44269504), rounder);
  const n = f32x4.sub(shifted, rounder);
  const r = fma(n, f32x4.splat(-2.12194440e-4), fma(n, f32x4.splat(0.693359375), bounded));
  let p = fma(r, f32x4.splat(0.0013843599), f32x4.splat(-0.0083742021));
  p = fma(p, r, f32x4.splat(0.041668005));
  p = fma(p, r, f32x4.splat(-0.1666643023));
  p = fma(p, r, f32x4.splat(0.49999994));
  p = fma(p, r, f32x4.splat(-1));
  p = fma(p, r, f32x4.splat(1));
  return i32x4.add(p, i32x4.shl(shifted, 23));
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

/** 1 / (1 + e^-x) */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), clampedExpNegative(x)));
}
