// Small checks that several tensor operations share.
import { ShapeError } from "./errors.ts";
import { resolveAxis, type Shape, showShape, sizeOf } from "./shape.ts";

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

/** @throws ShapeError if an element of the result would be taken from none: a reduced axis has length 0, the others have not */
export function expectElements(operation: string, shape: Shape, axes: readonly number[]): void {
  const empty = axes.find((axis) => shape[axis] === 0);
  if (empty === undefined || sizeOf(shape.filter((_, axis) => !axes.includes(axis))) === 0) return;
  throw new ShapeError(`${operation}: got ${showShape(shape)}, expected at least one element along axis ${empty}`);
}
