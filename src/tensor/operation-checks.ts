// Checks that several tensor operations share.
import type { DType } from "./dtype.ts";
import { BackendError, DTypeError, ShapeError } from "./errors.ts";
import { resolveAxis, type Shape, sameShape, showShape, sizeOf } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** The axes as distinct numbers from 0; all axes if none are given. */
export function resolveAxes(operation: string, shape: Shape, axes?: readonly number[]): number[] {
  if (!axes) return [...shape.keys()];
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

/** @throws DTypeError unless the tensor has the element type */
export function expectDType(operation: string, tensor: Tensor, dtype: DType): void {
  if (tensor.dtype !== dtype) throw new DTypeError(`${operation}: got ${tensor.dtype}, expected ${dtype}`);
}

export function expectOneBackend(operation: string, a: Tensor, b: Tensor): void {
  if (a.backend !== b.backend) {
    throw new BackendError(
      `${operation}: got tensors on ${a.backend.name} and ${b.backend.name}, expected one backend`,
    );
  }
}

export function expectAlike(operation: string, a: Tensor, b: Tensor): void {
  expectOneBackend(operation, a, b);
  if (a.dtype !== b.dtype) {
    throw new DTypeError(`${operation}: got ${a.dtype} and ${b.dtype}, expected one element type (see cast)`);
  }
}

export function expectSameShape(operation: string, a: Tensor, b: Tensor): void {
  expectAlike(operation, a, b);
  if (!sameShape(a.shape, b.shape)) {
    throw new ShapeError(`${operation}: got ${showShape(a.shape)} and ${showShape(b.shape)}, expected equal shapes`);
  }
}
