// What lives here: the tensor library. Shapes, storage, scopes, random numbers, operations, and the backends that compute.
// Where to start: operations.ts, then backend.ts and backends/reference.
// May import: nothing. The folder can be read and used alone.

export {
  expectArray,
  expectFunction,
  expectInstance,
  expectNumber,
  expectObject,
  expectString,
  expectTokens,
  expectWhole,
} from "./arguments.ts";
export type {
  AdamSettings,
  Backend,
  BlockAxis,
  BlockMemory,
  CrossEntropyName,
  FusedKernels,
  Kernels,
  RotaryTables,
} from "./backend.ts";
export { ReferenceBackend } from "./backends/reference/backend.ts";
export { isWasmSupported, WasmBackend, type WasmOptions } from "./backends/wasm/backend.ts";
export { formatInBrowserConsole } from "./browser-console.ts";
export { empty, full, type Nested, tensor, zeros } from "./create.ts";
export { backendFromEnvironment, backendNames, defaultBackend } from "./default-backend.ts";
export { type DType, expectTypeName, type NumberArray } from "./dtype.ts";
export type { BinaryName, UnaryName } from "./elementwise.ts";
export { ArgumentError, BackendError, DTypeError, MemoryError, ShapeError, showValue } from "./errors.ts";
export { expectAlike, expectDType, expectOneBackend, expectTensors } from "./operation-checks.ts";
export * from "./operations.ts";
export { Random, type RandomState } from "./random.ts";
export {
  type HoldsTensors,
  isRecording,
  keep,
  keepsOutputs,
  releaseOnError,
  type ScopeSettings,
  scope,
  setRootBackend,
  tensorsHeld,
  usesFusedOperations,
} from "./scope.ts";
export { broadcastShapes, type Shape, sameShape, showShape, sizeOf, stridesOf } from "./shape.ts";
export { Storage, VisibleStorage } from "./storage.ts";
export { emptyLike, Tensor } from "./tensor.ts";
export { ThreadChoice } from "./thread-choice.ts";
export * from "./updates.ts";
export { type BackendOptions, useBackend } from "./use-backend.ts";
