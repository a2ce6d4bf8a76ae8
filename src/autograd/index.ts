// What lives here: reverse-mode automatic differentiation. Variable, the tape, one literal per operation, the gradient check.
// Where to start: variable.ts, operation.ts and operations/elementwise.ts, then tape.ts and backward.ts.
// May import: src/tensor.

export { gradients } from "./backward.ts";
export { type CheckInput, checkGradient, type GradientReport } from "./check-gradient.ts";
export * as domains from "./domain.ts";
export { GradientError } from "./errors.ts";
export {
  allOperations,
  apply,
  defineOperation,
  type Operation,
  type OperationFunction,
  operationNamed,
} from "./operation.ts";
export * from "./operations/arrangement.ts";
export * from "./operations/attention.ts";
export * from "./operations/blocks.ts";
export * from "./operations/elementwise.ts";
export * from "./operations/losses.ts";
export * from "./operations/products.ts";
export type { BackwardContext } from "./tape.ts";
export { tapeToDot, tapeToSvg } from "./tape-drawing.ts";
export {
  definitionOf,
  type InspectedTape,
  inspectTape,
  type TapeEntry,
  type TapeNumbers,
  type TapeOptions,
  tapeOf,
} from "./tape-entries.ts";
export { constant, noGrad, parameter, Variable } from "./variable.ts";
