// The elementwise functions of one and of two numbers: name, formula, and whether int32 tensors are allowed.
//
// These two tables are the specification. The types UnaryName and BinaryName, the reference kernels and the checks of element types
// follow from them, and operations.ts exports one tensor function per name. The wasm backend has kernels for some of the names (see
// backends/wasm/elementwise.ts) and runs the reference kernel for the others. The gpu backend needs a formula for every name in
// backends/gpu/formulas.ts, which the compiler checks.

interface ElementwiseFunction<Formula> {
  readonly formula: Formula;
  /** Whether whole numbers give a whole number, so that the function is defined for int32. */
  readonly allowsInt32: boolean;
}
type Unary = (x: number) => number;
type Binary = (a: number, b: number) => number;

const real = <Formula>(formula: Formula): ElementwiseFunction<Formula> => ({ formula, allowsInt32: false });
const whole = <Formula>(formula: Formula): ElementwiseFunction<Formula> => ({ formula, allowsInt32: true });

/** 1 / (1 + e^-x). The exponent is never positive, so e^x does not overflow. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

export const unaryFunctions = {
  negate: whole<Unary>((x) => -x),
  exp: real<Unary>(Math.exp),
  log: real<Unary>(Math.log),
  sqrt: real<Unary>(Math.sqrt),
  rsqrt: real<Unary>((x) => 1 / Math.sqrt(x)),
  square: whole<Unary>((x) => x * x),
  reciprocal: real<Unary>((x) => 1 / x),
  abs: whole<Unary>(Math.abs),
  sign: whole<Unary>(Math.sign),
  tanh: real<Unary>(Math.tanh),
  sigmoid: real<Unary>(sigmoid),
  silu: real<Unary>((x) => x * sigmoid(x)),
  /** ln(1 + e^x) */
  softplus: real<Unary>((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  relu: whole<Unary>((x) => Math.max(x, 0)),
};

export const binaryFunctions = {
  add: whole<Binary>((a, b) => a + b),
  subtract: whole<Binary>((a, b) => a - b),
  multiply: whole<Binary>((a, b) => a * b),
  divide: real<Binary>((a, b) => a / b),
  maximum: whole<Binary>(Math.max),
  /** The angle of the point (b, a). */
  atan2: real<Binary>(Math.atan2),
  greater: whole<Binary>((a, b) => (a > b ? 1 : 0)),
  equal: whole<Binary>((a, b) => (a === b ? 1 : 0)),
};

/** The names of the elementwise operations on one number. */
export type UnaryName = keyof typeof unaryFunctions;
/** The names of the elementwise operations on two numbers. */
export type BinaryName = keyof typeof binaryFunctions;
