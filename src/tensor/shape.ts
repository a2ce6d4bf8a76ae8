// Shapes: the lengths of the axes, outermost first. All tensors are contiguous and row-major.
import { ShapeError, showValue } from "./errors.ts";

/** The lengths of the axes; [] is a single number. */
export type Shape = readonly number[];

/** `[2, 3]` */
export const showShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Number of elements: the product of the axes (1 for a scalar, shape []). */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

/** @throws ShapeError unless `shape` is an array of whole numbers of 0 or more */
export function expectShape(operation: string, shape: unknown): asserts shape is Shape {
  if (!Array.isArray(shape)) {
    throw new ShapeError(`${operation}: got ${showValue(shape)} as the shape, expected an array such as [2, 3]`);
  }
  for (const length of shape) {
    if (!Number.isInteger(length) || length < 0) {
      throw new ShapeError(`${operation}: got shape ${showShape(shape)}, expected whole lengths of 0 or more`);
    }
  }
}

/** Whether two shapes have the same axes. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** Distance in elements between neighbours along each axis of a contiguous tensor. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/**
 * Strides for reading a tensor of shape `from` as if it had shape `to`: 0 along the repeated axes. `from` must be broadcastable
 * to `to`.
 */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const own = stridesOf(from);
  const missing = to.length - from.length;
  return to.map((length, axis) => {
    const ownAxis = axis - missing;
    return ownAxis < 0 || (from[ownAxis] === 1 && length !== 1) ? 0 : own[ownAxis]!;
  });
}

/** Distances, in elements, between the matrices of an operand of shape `shape` along the batch axes of a matrix product. */
export function matrixStrides(shape: Shape, batch: Shape): number[] {
  const size = shape.at(-2)! * shape.at(-1)!;
  return broadcastStrides(shape.slice(0, -2), batch).map((stride) => stride * size);
}

/**
 * The shape of `a op b` under the usual rule: axes are aligned from the last, and two lengths must be equal or one of them 1.
 *
 * @param except  number of trailing axes that are left out of the rule and of the result (2 for a matrix product)
 * @throws ShapeError naming the operation, both shapes and the axis
 */
export function broadcastShapes(operation: string, a: Shape, b: Shape, except = 0): number[] {
  expectShape(operation, a);
  expectShape(operation, b);
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank - except);
  for (let back = 1 + except; back <= rank; back++) {
    const p = a[a.length - back] ?? 1;
    const q = b[b.length - back] ?? 1;
    if (p !== q && p !== 1 && q !== 1) {
      const where = back === 1 ? "last axis" : `axis -${back}`;
      throw new ShapeError(
        `${operation}: cannot broadcast ${showShape(a)} with ${showShape(b)} (${where}: ${p} against ${q})`,
      );
    }
    out[rank - back] = p === 1 ? q : p;
  }
  return out;
}

/** Whether a tensor of shape `from` can be repeated to fill shape `to`. */
export function broadcastsTo(from: Shape, to: Shape): boolean {
  const missing = to.length - from.length;
  return missing >= 0 && from.every((length, axis) => length === 1 || length === to[axis + missing]);
}

/**
 * The axis as a number in 0..rank-1; a negative axis counts from the end.
 * @throws ShapeError if the axis does not exist
 */
export function resolveAxis(operation: string, shape: Shape, axis: number): number {
  const resolved = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= shape.length) {
    throw new ShapeError(`${operation}: no axis ${axis} in shape ${showShape(shape)}`);
  }
  return resolved;
}

/** A shape around one axis as [outer, length, inner]: element (o, i, n) lies at (o * length + i) * inner + n. */
export function aroundAxis(shape: Shape, axis: number): { outer: number; length: number; inner: number } {
  return {
    outer: sizeOf(shape.slice(0, axis)),
    length: shape[axis]!,
    inner: sizeOf(shape.slice(axis + 1)),
  };
}
