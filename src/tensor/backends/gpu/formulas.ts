// The formulas of elementwise kernels, one line each, in the subset of JavaScript that gpu.js translates.
import type { BinaryName, UnaryName } from "../../elementwise.ts";

/** y as a function of `v`. */
export const unaryFormulas: Readonly<Record<UnaryName, string>> = {
  negate: "-v",
  exp: "Math.exp(v)",
  log: "Math.log(v)",
  sqrt: "Math.sqrt(v)",
  rsqrt: "1 / Math.sqrt(v)",
  square: "v * v",
  reciprocal: "1 / v",
  abs: "Math.abs(v)",
  sign: "Math.sign(v)",
  tanh: "hyperbolicTangent(v)",
  sigmoid: "logistic(v)",
  silu: "v * logistic(v)",
  softplus: "Math.max(v, 0) + logOnePlus(Math.exp(-Math.abs(v)))",
  relu: "Math.max(v, 0)",
};

/** y as a function of `a` and `b`. */
export const binaryFormulas: Readonly<Record<BinaryName, string>> = {
  add: "a + b",
  subtract: "a - b",
  multiply: "a * b",
  divide: "a / b",
  maximum: "Math.max(a, b)",
  atan2: "angle(a, b)",
  greater: "a > b ? 1 : 0",
  equal: "a === b ? 1 : 0",
};

/**
 * tanh x. On WebGL and WebGPU, Math.tanh returns NaN for large x, so x is clamped to ±15, where tanh is ±1 in float32. Near 0 it
 * loses digits there (relative error 4e-5 at 0.001), so the series x - x³/3 + 2x⁵/15 - 17x⁷/315 replaces it.
 */
const hyperbolicTangent = `function hyperbolicTangent(x) {
  const s = x * x;
  if (s < 0.04) {
    return x * (1 - s * (0.333333333 - s * (0.133333333 - s * 0.053968254)));
  }
  return Math.tanh(Math.max(-15, Math.min(15, x)));
}`;

/**
 * 1 / (1 + e^-x). For x < -88, e^-x exceeds float32, and GPUs differ in what they return for 1 / infinity. There e^x is equal to
 * the sigmoid in float32, and it vanishes for large |x|, so that silu does too.
 */
const logistic = `function logistic(x) {
  if (x < -80) {
    return Math.exp(x);
  }
  return 1 / (1 + Math.exp(-x));
}`;

/** ln(1 + e) for e in 0..1. For a small e, the sum 1 + e loses its digits, so a series replaces the logarithm. */
const logOnePlus = `function logOnePlus(e) {
  if (e < 0.02) {
    return e * (1 - e * (0.5 - e * (0.333333333 - e * 0.25)));
  }
  return Math.log(1 + e);
}`;

/**
 * Math.atan2(y, x) with an error below 2e-7; the built-in functions of GPUs may have larger errors. The ratio of the smaller to the
 * larger coordinate lies in 0..1. Above tan(π/8) it is rotated by -π/4; a polynomial computes the arc tangent of the result
 * (Moshier's Cephes, atanf); reflections map it to its octant.
 */
const angle = `function angle(y, x) {
  const largest = Math.max(Math.abs(x), Math.abs(y));
  if (largest === 0) {
    return 0;
  }
  const smallest = Math.min(Math.abs(x), Math.abs(y));
  let t = smallest / largest;
  if (smallest === largest) {
    t = 1;
  }
  let result = 0;
  if (t > 0.41421356) {
    t = (t - 1) / (t + 1);
    result = 0.78539816;
  }
  const s = t * t;
  result = result + t + t * s * (-0.333329491539 + s * (0.199777106478 + s * (-0.138776856032 + s * 0.0805374449538)));
  if (Math.abs(y) > Math.abs(x)) {
    result = 1.57079633 - result;
  }
  if (x < 0) {
    result = 3.14159265 - result;
  }
  return y < 0 ? -result : result;
}`;

/** All functions above; gpu.js compiles those that a kernel calls. Their names must not be built-in names of a shading language. */
export const functions: readonly string[] = [hyperbolicTangent, logistic, logOnePlus, angle];

/** The score s of stablemax (v + 1 for v >= 0, else 1 / (1 - v)) and its derivative s'. Prieto et al. 2025. */
export const stablemaxScore = "(v >= 0 ? v + 1 : 1 / (1 - v))";
export const stablemaxSlope = "(v >= 0 ? 1 : 1 / ((1 - v) * (1 - v)))";
