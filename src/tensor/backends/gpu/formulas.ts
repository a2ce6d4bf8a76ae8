// The formulas of elementwise kernels, one line of mathematics each, in the JavaScript that gpu.js translates.
import type { BinaryName, UnaryName } from "../../backend.ts";

/** y from `v`. */
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

/** y from `a` and `b`. */
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
 * tanh x. Beyond ±15, where it is ±1 to the last bit, Math.tanh gives NaN on WebGL and WebGPU; near 0 it loses digits there
 * (4e-5 at 0.001), so a series stands in: x - x³/3 + 2x⁵/15 - 17x⁷/315.
 */
const hyperbolicTangent = `function hyperbolicTangent(x) {
  const s = x * x;
  if (s < 0.04) {
    return x * (1 - s * (0.333333333 - s * (0.133333333 - s * 0.053968254)));
  }
  return Math.tanh(Math.max(-15, Math.min(15, x)));
}`;

/** 1 / (1 + e^-x). e^88 is the last that float32 can hold, and dividing by infinity is not the same on every GPU. */
const logistic = `function logistic(x) {
  return 1 / (1 + Math.exp(Math.min(80, -x)));
}`;

/** ln(1 + e) for e in 0..1: the logarithm alone loses the digits of a small e. */
const logOnePlus = `function logOnePlus(e) {
  if (e < 0.02) {
    return e * (1 - e * (0.5 - e * (0.333333333 - e * 0.25)));
  }
  return Math.log(1 + e);
}`;

/**
 * The angle of the point (x, y), as Math.atan2, with an error below 2e-7; GPUs are free to have larger ones. The smaller
 * coordinate over the larger is in 0..1; above tan(π/8) it is turned by π/4; a polynomial gives the arc tangent of the rest
 * (Moshier's Cephes, atanf); and mirroring puts it into its octant.
 */
const angle = `function angle(y, x) {
  const largest = Math.max(Math.abs(x), Math.abs(y));
  if (largest === 0) {
    return 0;
  }
  let t = Math.min(Math.abs(x), Math.abs(y)) / largest;
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

/** All of the above: gpu.js compiles those that a kernel calls. (Their names are none that a shading language has already.) */
export const functions: readonly string[] = [hyperbolicTangent, logistic, logOnePlus, angle];

/** The score s of stablemax, v + 1 for v >= 0, 1 / (1 - v) below, and its slope s'. Prieto et al. 2025. */
export const stablemaxScore = "(v >= 0 ? v + 1 : 1 / (1 - v))";
export const stablemaxSlope = "(v >= 0 ? 1 : 1 / ((1 - v) * (1 - v)))";
