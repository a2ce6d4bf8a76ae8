// Naive tensors: a shape and a function from indices to numbers. They are slow and obviously right.
import fc from "fast-check";
import { expect } from "vitest";
import {
  type DType,
  ReferenceBackend,
  type Shape,
  setRootBackend,
  sizeOf,
  type Tensor,
  tensor,
} from "../../src/tensor/index.ts";
import { shapes } from "../../src/testing.ts";
import { valuesOf } from "../values.ts";

export { valuesOf };

// Operations are tested on the reference backend, which is the specification. Tests of other backends compare them with it.
setRootBackend(new ReferenceBackend());

export interface Naive {
  readonly shape: Shape;
  /** Row-major. */
  readonly values: readonly number[];
}

/** All indices of a shape; the last axis changes fastest. */
export function indicesOf(shape: Shape): number[][] {
  return shape.reduce<number[][]>(
    (prefixes, length) => prefixes.flatMap((prefix) => Array.from({ length }, (_, i) => [...prefix, i])),
    [[]],
  );
}

export const build = (shape: Shape, f: (index: number[]) => number): Naive => ({
  shape,
  values: indicesOf(shape).map(f),
});

export const at = ({ shape, values }: Naive, index: readonly number[]): number =>
  values[index.reduce((position, i, axis) => position * shape[axis]! + i, 0)]!;

/** The element of a broadcast tensor at an index of the broadcast shape. */
export const broadcastAt = (x: Naive, index: readonly number[]): number =>
  at(
    x,
    index.slice(index.length - x.shape.length).map((i, axis) => (x.shape[axis] === 1 ? 0 : i)),
  );

/** The common shape of two broadcast tensors, or null if they do not fit: axes are aligned from the last, and 1 stretches. */
export function naiveBroadcast(a: Shape, b: Shape): number[] | null {
  const rank = Math.max(a.length, b.length);
  const [left, right] = [a, b].map((shape) => [...Array(rank - shape.length).fill(1), ...shape] as number[]);
  const out = left!.map((length, axis) => (length === 1 ? right![axis]! : length));
  return out.every((length, axis) => [1, length].includes(left![axis]!) && [1, length].includes(right![axis]!))
    ? out
    : null;
}

export const toTensor = ({ shape, values }: Naive, dtype: DType): Tensor => tensor(values, { shape, dtype });

/** A number rounded to an element type. */
export const rounded = (value: number, dtype: DType): number =>
  dtype === "float32" ? Math.fround(value) : dtype === "int32" ? Math.trunc(value) | 0 : value;

/** Expects shape, type and numbers. `tolerance` is relative to the largest element; 0 means equal numbers. */
export function expectTensor(actual: Tensor, expected: Naive, dtype: DType, tolerance = 0): void {
  expect([actual.shape, actual.dtype]).toEqual([expected.shape, dtype]);
  const values = valuesOf(actual);
  const wanted = expected.values.map((value) => rounded(value, dtype));
  expect(values.length).toBe(wanted.length);
  if (tolerance === 0) {
    expect(values.map((value) => value + 0)).toEqual(wanted.map((value) => value + 0)); // -0 + 0 is 0
    return;
  }
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  for (const [i, value] of values.entries()) {
    expect(Math.abs(value - wanted[i]!) / largest, `element ${i}: ${value}, ${wanted[i]}`).toBeLessThan(tolerance);
  }
}

export const dtypes: readonly DType[] = ["float32", "float64", "int32"];
export const floating: readonly DType[] = ["float32", "float64"];
export const precision: Record<DType, number> = { float32: 2e-6, float64: 1e-12, int32: 0 };

/** Whole numbers for int32, and multiples of 1/8 otherwise. */
export const naives = (shape: fc.Arbitrary<Shape>, dtype: DType, min = -20, max = 20): fc.Arbitrary<Naive> =>
  shape.chain((own) =>
    fc
      .array(fc.integer({ min: min * 8, max: max * 8 }), { minLength: sizeOf(own), maxLength: sizeOf(own) })
      .map((eighths) => ({ shape: own, values: eighths.map((n) => (dtype === "int32" ? Math.round(n / 8) : n / 8)) })),
  );

/** Shapes of up to four axes of length 0 to 4; about one in three may have axes of length 0. */
export const anyShapes = (minRank = 0): fc.Arbitrary<number[]> =>
  fc.oneof(
    { weight: 2, arbitrary: shapes({ minRank, maxRank: 4, minLength: 1, maxLength: 4 }) },
    { weight: 1, arbitrary: shapes({ minRank, maxRank: 3, minLength: 0, maxLength: 3 }) },
  );

/** Shapes that broadcast together, including axes of length 0. */
export const broadcastable = (count: number): fc.Arbitrary<number[][]> =>
  anyShapes().chain((full) =>
    fc.array(
      fc
        .tuple(fc.nat(full.length), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
        .map(([skipped, thin]) => full.slice(skipped).map((length, axis) => (thin[axis] ? 1 : length))),
      { minLength: count, maxLength: count },
    ),
  );
