// What lives here: reverse-mode automatic differentiation. Variable, the tape, one literal per operation, the gradient check.
// Where to start: operation.ts, then operations/elementwise.ts and backward.ts.
// May import: src/tensor.

export { gradients } from "./backward.ts";
export { type CheckInput, checkGradient, type GradientReport } from "./check-gradient.ts";
export {
  anyShape,
  broadcastPair,
  type Domain,
  type Draw,
  type InputDomain,
  index,
  oneReal,
  real,
  type Sample,
  twoReals,
} from "./domain.ts";
export { GradientError } from "./errors.ts";
export {
  type AnyOperation,
  allOperations,
  apply,
  type BackwardContext,
  defineOperation,
  type Operation,
  operationNamed,
} from "./operation.ts";
export * from "./operations/arrangement.ts";
export * from "./operations/elementwise.ts";
export * from "./operations/fused.ts";
export * from "./operations/losses.ts";
export * from "./operations/products.ts";
export { type TapeEntry, tapeOf } from "./tape.ts";
export { constant, noGrad, parameter, Variable } from "./variable.ts";
