// Functions of vectors of four float32 numbers: fused multiply-add, exponentials, sigmoid, and sums over lanes.

/** a·b + c, rounded once in the relaxed build and twice in the plain build. Nothing else changes the results between the builds. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/**
 * Stores eight floats, the upper half first: in the other order V8 (seen in Node 26) keeps the store of the lower half in addition to
 * the joined one, or does not join the two.
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
 * √x, computed on a vector. V8 writes the scalar instruction in the old SSE encoding, which costs about 280 cycles while the upper
 * halves of the registers are in use, as after every loop of the wide build (a norm of 128 elements on Zen 3: 154 ns instead of 43).
 */
// @ts-ignore: decorator
@inline
export function squareRoot(x: f32): f32 {
  return f32x4.extract_lane(f32x4.sqrt(f32x4.splat(x)), 0);
}

/**
 * Places of the literals of an exponential in memory. ROUNDER is 1.5 · 2^23 plus an even number, the bias of the exponent (see
 * powersOfTwo); the others are the bounds of x, 1 / ln 2, ln 2 in two parts, and the coefficients of the polynomial.
 */
const enum Literal { ROUNDER, LEAST, MOST, PER_LN2, LN2_HIGH, LN2_LOW, C6, C5, C4, C3, C2, C1, C0, SCALE, COUNT }

/** The exponentials: which literals they use. NEGATIVE is e^-x, which changes the signs of the odd terms. */
const enum Exponential { FULL = 0, SOFTMAX = Literal.COUNT, NEGATIVE = 2 * Literal.COUNT }

/**
 * In memory, because V8 would build a constant of the code again, in two or three instructions, wherever a loop uses it. The address
 * is a variable (exported by index.ts, so that it stays one), because V8 of Node 26 would load a constant address for every literal.
 */
export let literals: usize = memory.data<f32>([
  12582912 + 254, -105, 89.5, 1.44269504, -0.693359375, 2.12194440e-4, 0.0013843599, 0.0083742021, 0.041668005, 0.1666643023, 0.49999994, 1, 1, 1,
  12582912 + 152, -105.3, 0, 1.44269504, -0.693359375, 2.12194440e-4, 0.0013843599, 0.0083742021, 0.041668005, 0.1666643023, 0.49999994, 1, 1, 2.9802322387695312e-8,
  12582912 + 94, -105, 60, -1.44269504, 0.693359375, -2.12194440e-4, 0.0013843599, -0.0083742021, 0.041668005, -0.1666643023, 0.49999994, -1, 1, 1.1641532182693481e-10,
]);

// @ts-ignore: decorator
@inline
function literal(place: i32): v128 {
  return v128.load32_splat(literals + (<usize>place << 2));
}

/**
 * x = n ln 2 + r with |r| <= ln 2 / 2, for e^x = 2^n e^r. Adding ROUNDER rounds x / ln 2 to an integer, which then is in the low bits
 * of the sum. x must be within the bounds of the exponential, or NaN.
 */
// @ts-ignore: decorator
@inline
function shiftedExponent(x: v128, set: i32): v128 {
  return fma(x, literal(set + Literal.PER_LN2), literal(set + Literal.ROUNDER));
}

/** e^r: the polynomial of degree 6 with the smallest relative error (2e-9). NaN for NaN. */
// @ts-ignore: decorator
@inline
function exponentialOfRest(x: v128, shifted: v128, set: i32): v128 {
  const n = f32x4.sub(shifted, literal(set + Literal.ROUNDER));
  // ln 2 in two parts, of which the first has so few bits that n times it is exact.
  const r = fma(n, literal(set + Literal.LN2_LOW), fma(n, literal(set + Literal.LN2_HIGH), x));
  let p = fma(r, literal(set + Literal.C6), literal(set + Literal.C5));
  p = fma(p, r, literal(set + Literal.C4));
  p = fma(p, r, literal(set + Literal.C3));
  p = fma(p, r, literal(set + Literal.C2));
  p = fma(p, r, literal(set + Literal.C1));
  return fma(p, r, literal(set + Literal.C0));
}

/** 2^(n + the bias in ROUNDER - 127), from the low bits of `shifted`. */
// @ts-ignore: decorator
@inline
function powerOfTwo(shifted: v128): v128 {
  return i32x4.shl(shifted, 23);
}

// The exponentials below have a relative error below 1.5e-7 and return NaN for NaN; denormal results are rounded like all others.
// pmin and pmax return their first operand if a comparison with NaN fails, so NaN passes through the bounds.
//
// One call is a chain of 15 dependent steps. Loops therefore process four vectors at a time, whose chains overlap, which makes
// them twice as fast.

/** e^x for every x. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const bounded = f32x4.pmax(f32x4.pmin(x, literal(Literal.MOST)), literal(Literal.LEAST));
  const shifted = shiftedExponent(bounded, Exponential.FULL);
  const p = exponentialOfRest(bounded, shifted, Exponential.FULL);
  // 2^n can be outside float32 while e^x is not, so it is applied in two factors: the low bits of `shifted` are n + 2 · 127.
  const half = i32x4.shr_u(shifted, 1);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(shifted, half)));
}

/**
 * e^x for x <= 0. The power of two is computed 2^25 too large, so that it is a normal number, and corrected by SCALE. At the lower
 * bound its bits are 0, so -infinity gives 0 at once: the processor would take much longer to round a result to 0.
 */
// @ts-ignore: decorator
@inline
export function softmaxExp(x: v128): v128 {
  const bounded = f32x4.pmax(x, literal(Exponential.SOFTMAX + Literal.LEAST));
  const shifted = shiftedExponent(bounded, Exponential.SOFTMAX);
  const p = exponentialOfRest(bounded, shifted, Exponential.SOFTMAX);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(shifted)), literal(Exponential.SOFTMAX + Literal.SCALE));
}

/** 1 in every lane, cheaper than a constant of the code (see `literals`). */
// @ts-ignore: decorator
@inline
export function one(): v128 {
  return literal(Literal.C0);
}

/**
 * 1 / (1 + e^-x), as s / (s + s e^-x) with s = SCALE = 2^-33: e^-x itself is not a float32 number where the result becomes denormal.
 * The scale changes no bit, and above x = 60 the sum is s.
 */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const set = Exponential.NEGATIVE;
  const bounded = f32x4.pmax(f32x4.pmin(x, literal(set + Literal.MOST)), literal(set + Literal.LEAST));
  const shifted = shiftedExponent(bounded, set);
  const e = f32x4.mul(exponentialOfRest(bounded, shifted, set), powerOfTwo(shifted));
  const scale = literal(set + Literal.SCALE);
  return f32x4.div(scale, f32x4.add(scale, e));
}

/** x / (1 + e^-x) */
// @ts-ignore: decorator
@inline
export function silu(x: v128): v128 {
  return f32x4.mul(x, sigmoid(x));
}
