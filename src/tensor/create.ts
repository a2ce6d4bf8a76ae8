// Creating tensors: from numbers, or filled with one number. The arguments come from users, so all of them are checked here.

import { expectObject } from "./arguments.ts";
import type { Backend } from "./backend.ts";
import { defaultBackend } from "./default-backend.ts";
import { type DType, expectTypeName, expectValues } from "./dtype.ts";
import { BackendError, DTypeError, ShapeError, showValue } from "./errors.ts";
import { expectShape, type Shape, sameShape, showShape, sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** Nested arrays of numbers, as deep as the tensor has axes. */
export type Nested = number | readonly Nested[];

/**
 * A tensor from numbers.
 *
 * @param values  nested arrays whose depth gives the shape, or a flat (typed) array together with `options.shape`
 * @throws ShapeError if the values do not fill the shape, or the nesting is uneven
 * @throws DTypeError if a value is not a number, or is outside the range of int32
 */
export function tensor(
  values: Nested | ArrayLike<number>,
  options: { shape?: Shape; dtype?: DType; backend?: Backend } = {},
): Tensor {
  expectObject("tensor", "the options", options);
  let flat: ArrayLike<number>;
  let shape = options.shape;
  if (Array.isArray(values) || typeof values === "number") {
    const numbers: number[] = [];
    const nestedShape = flatten(values as Nested, numbers, []);
    flat = numbers;
    shape ??= nestedShape;
  } else {
    expectArrayLike(values);
    flat = values as ArrayLike<number>;
    shape ??= [flat.length];
  }
  const dtype = options.dtype ?? dtypeOf(values);
  expectArguments("tensor", shape, dtype, options.backend);
  if (flat.length !== sizeOf(shape)) {
    throw new ShapeError(`tensor: got ${flat.length} values, expected ${sizeOf(shape)} for shape ${showShape(shape)}`);
  }
  expectValues("tensor", flat, dtype);
  const out = allocate(shape, dtype, options.backend);
  out.storage.write(flat);
  return out;
}

function dtypeOf(values: unknown): DType {
  // The name of the type instead of `instanceof`: an array of another realm (an iframe, a vm context) has it too.
  const type = Object.prototype.toString.call(values);
  if (type === "[object Float64Array]") return "float64";
  if (type === "[object Int32Array]") return "int32";
  return "float32";
}

function expectArrayLike(values: unknown): void {
  const isObject = typeof values === "object" && values !== null;
  if (isObject && Number.isInteger((values as ArrayLike<unknown>).length)) return;
  throw new DTypeError(
    `tensor: got ${showValue(values)}, expected a number, nested arrays of numbers or a typed array`,
  );
}

const scalar: Shape = [];

/** Appends the numbers of `values` to `flat` in row-major order. Returns the shape. `position` is for the error message. */
function flatten(values: Nested, flat: number[], position: readonly number[]): Shape {
  if (typeof values === "number") {
    flat.push(values);
    return scalar;
  }
  if (!Array.isArray(values)) {
    throw new DTypeError(`tensor: got ${showValue(values)} at ${showShape(position)}, expected a number or an array`);
  }
  let first: Shape | undefined;
  // A loop by index, because forEach and map skip the holes of an array.
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as Nested;
    // Numbers, the usual case, need no position.
    const shape = flatten(value, flat, typeof value === "number" ? position : [...position, i]);
    first ??= shape;
    if (!sameShape(shape, first)) {
      const [a, b] = [0, i].map((index) => showShape([...position, index]));
      throw new ShapeError(
        `tensor: uneven nesting, got shape ${showShape(first)} at ${a} and ${showShape(shape)} at ${b}, expected equal shapes`,
      );
    }
  }
  return [values.length, ...(first ?? [])];
}

/** A tensor with undefined contents, for a kernel to fill. */
export function empty(shape: Shape, dtype: DType = "float32", backend?: Backend): Tensor {
  expectArguments("empty", shape, dtype, backend);
  return allocate(shape, dtype, backend);
}

/** A tensor of one repeated number. */
export function full(shape: Shape, value: number, dtype: DType = "float32", backend?: Backend): Tensor {
  return filled("full", shape, value, dtype, backend);
}

/** A tensor of zeros. */
export function zeros(shape: Shape, dtype: DType = "float32", backend?: Backend): Tensor {
  return filled("zeros", shape, 0, dtype, backend);
}

function filled(operation: string, shape: Shape, value: number, dtype: DType, backend: Backend | undefined): Tensor {
  expectArguments(operation, shape, dtype, backend);
  expectValues(operation, [value], dtype);
  const out = allocate(shape, dtype, backend);
  out.backend.kernels.fill(out, dtype === "int32" ? Math.trunc(value) : value);
  return out;
}

const allocate = (shape: Shape, dtype: DType, backend: Backend = defaultBackend()): Tensor =>
  new Tensor(backend.allocate(sizeOf(shape), dtype), shape);

/** TypeScript checks these too, but a JavaScript caller, or one with its arguments in another order, gets this far. */
function expectArguments(operation: string, shape: unknown, dtype: unknown, backend: unknown): void {
  expectShape(operation, shape);
  expectTypeName(operation, dtype);
  if (backend !== undefined && typeof (backend as Partial<Backend> | null)?.allocate !== "function") {
    throw new BackendError(
      `${operation}: got ${showValue(backend)} as the backend, expected a Backend object (see useBackend)`,
    );
  }
}
