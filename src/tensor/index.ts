// What lives here: the tensor library. Shapes, storage, scopes, random numbers, operations, and the backends that compute.
// Where to start: operations.ts, then backend.ts and backends/reference.
// May import: nothing. The folder can be read and used alone.
export type {
  AdamSettings,
  Backend,
  BinaryName,
  BlockAxis,
  BlockMemory,
  CrossEntropyName,
  FusedKernels,
  Kernels,
  RotaryTables,
  UnaryName,
} from "./backend.ts";
export { ReferenceBackend } from "./backends/reference/backend.ts";
export { isWasmSupported, WasmBackend, type WasmOptions } from "./backends/wasm/backend.ts";
export {
  type BackendName,
  type BackendOptions,
  backendNames,
  defaultBackend,
  useBackend,
} from "./default-backend.ts";
export { BackendError, DTypeError, MemoryError, ShapeError } from "./errors.ts";
export { expectAlike, expectOneBackend } from "./operation-checks.ts";
export * from "./operations.ts";
export { Random, type RandomState } from "./random.ts";
export {
  type HoldsTensors,
  isRecording,
  keep,
  type ScopeSettings,
  scope,
  setRootBackend,
  tensorsHeld,
  usesFusedOperations,
  withSettings,
} from "./scope.ts";
export { broadcastShapes, type Shape, sameShape, showShape, sizeOf } from "./shape.ts";
export { type DType, type NumberArray, Storage, VisibleStorage } from "./storage.ts";
export { empty, emptyLike, expectDType, full, type Nested, Tensor, tensor, zeros } from "./tensor.ts";
export * from "./updates.ts";
