// Checks that several tensor operations share.
import type { DType } from "./dtype.ts";
import { ArgumentError, BackendError, DTypeError, ShapeError, showValue } from "./errors.ts";
import { resolveAxis, type Shape, sameShape, showShape, sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** Checks that all operands are tensors. @throws ArgumentError unless every value is a tensor */
export function expectTensors(operation: string, ...values: readonly unknown[]): void {
  const wrong = values.findIndex((value) => !(value instanceof Tensor));
  if (wrong < 0) return;
  throw new ArgumentError(
    `${operation}: got ${showValue(values[wrong])} as operand ${wrong + 1}, expected a Tensor (see tensor)`,
  );
}

/** The axes as distinct numbers from 0; all axes if none are given. */
export function resolveAxes(operation: string, shape: Shape, axes?: readonly number[]): number[] {
  if (axes === undefined) return [...shape.keys()];
  if (!Array.isArray(axes)) {
    throw new ArgumentError(`${operation}: got ${showValue(axes)} as the axes, expected an array such as [0] or [-1]`);
  }
  const resolved = axes.map((axis) => resolveAxis(operation, shape, axis));
  if (new Set(resolved).size !== resolved.length) {
    throw new ShapeError(
      `${operation}: got axes ${showShape(axes)} of ${showShape(shape)}, expected each at most once`,
    );
  }
  return resolved;
}

/** Whether two shapes are equal except along one axis. */
export const isAligned = (a: Shape, b: Shape, except: number): boolean =>
  a.length === b.length && a.every((length, axis) => axis === except || length === b[axis]);

/** @throws ShapeError if the result has elements but a reduced axis has length 0, so that there is nothing to choose from */
export function expectElements(operation: string, shape: Shape, axes: readonly number[]): void {
  const empty = axes.find((axis) => shape[axis] === 0);
  if (empty === undefined || sizeOf(shape.filter((_, axis) => !axes.includes(axis))) === 0) return;
  throw new ShapeError(`${operation}: got ${showShape(shape)}, expected at least one element along axis ${empty}`);
}

/** Checks the type of an operand. @throws DTypeError unless the tensor has the element type */
export function expectDType(operation: string, tensor: Tensor, dtype: DType): void {
  expectTensors(operation, tensor);
  if (tensor.dtype !== dtype) throw new DTypeError(`${operation}: got ${tensor.dtype}, expected ${dtype}`);
}

/** Checks that two operands are on the same backend. @throws BackendError unless both tensors are on one backend */
export function expectOneBackend(operation: string, a: Tensor, b: Tensor): void {
  expectTensors(operation, a, b);
  if (a.backend === b.backend) return;
  const [first, second] = [a.backend.name, b.backend.name];
  const given = first === second ? `two ${first} backends` : `${first} and ${second}`;
  throw new BackendError(`${operation}: got tensors on ${given}, expected one backend`);
}

/**
 * Checks that two operands have the same type and backend.
 *
 * @throws BackendError or DTypeError unless both tensors have one backend and one element type
 */
export function expectAlike(operation: string, a: Tensor, b: Tensor): void {
  expectOneBackend(operation, a, b);
  if (a.dtype !== b.dtype) {
    throw new DTypeError(`${operation}: got ${a.dtype} and ${b.dtype}, expected one element type (see cast)`);
  }
}

/** Checks that two operands are alike and have the same shape. @throws BackendError, DTypeError or ShapeError */
export function expectSameShape(operation: string, a: Tensor, b: Tensor): void {
  expectAlike(operation, a, b);
  if (!sameShape(a.shape, b.shape)) {
    throw new ShapeError(`${operation}: got ${showShape(a.shape)} and ${showShape(b.shape)}, expected equal shapes`);
  }
}
