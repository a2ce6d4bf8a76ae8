// Shapes and broadcasting against the definition.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShapeError } from "../../src/tensor/index.ts";
import {
  aroundAxis,
  broadcastShapes,
  broadcastStrides,
  broadcastsTo,
  resolveAxis,
  sameShape,
  showShape,
  sizeOf,
  stridesOf,
} from "../../src/tensor/shape.ts";
import { shapes } from "../../src/testing.ts";
import { anyShapes, broadcastable, indicesOf, naiveBroadcast } from "./naive.ts";

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

describe("sizes and strides", () => {
  it("the size is the number of indices, and strides enumerate them in order", () => {
    fc.assert(
      fc.property(anyShapes(), (shape) => {
        const indices = indicesOf(shape);
        expect(sizeOf(shape)).toBe(indices.length);
        expect(indices.map((index) => dot(index, stridesOf(shape)))).toEqual([...indices.keys()]);
      }),
    );
  });

  it("sizes and strides of example shapes", () => {
    expect([sizeOf([]), sizeOf([2, 3, 4]), sizeOf([2, 0, 4])]).toEqual([1, 24, 0]);
    expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
    expect([showShape([]), showShape([2, 3])]).toEqual(["[]", "[2, 3]"]);
    expect([sameShape([2, 3], [2, 3]), sameShape([2, 3], [2]), sameShape([2], [2, 3]), sameShape([], [])]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it("aroundAxis gives the flat index of (outer, position, inner)", () => {
    fc.assert(
      fc.property(anyShapes(1), fc.nat(), (shape, pick) => {
        const axis = pick % shape.length;
        const { outer, length, inner } = aroundAxis(shape, axis);
        const positions = indicesOf([outer, length, inner]).map(([o, k, i]) => (o! * length + k!) * inner + i!);
        expect(positions).toEqual([...Array(sizeOf(shape)).keys()]);
        expect(length).toBe(shape[axis]);
      }),
    );
  });
});

describe("broadcasting", () => {
  it("broadcasting gives the shape of the definition, or refuses", () => {
    fc.assert(
      fc.property(shapes({ maxLength: 3 }), shapes({ maxLength: 3 }), (a, b) => {
        const expected = naiveBroadcast(a, b);
        if (expected) expect(broadcastShapes("add", a, b)).toEqual(expected);
        else expect(() => broadcastShapes("add", a, b)).toThrow(ShapeError);
      }),
      { numRuns: 500 },
    );
  });

  it("broadcasting is symmetric, and both shapes broadcast to the result", () => {
    fc.assert(
      fc.property(broadcastable(2), ([a, b]) => {
        const both = broadcastShapes("add", a!, b!);
        expect(broadcastShapes("add", b!, a!)).toEqual(both);
        expect([broadcastsTo(a!, both), broadcastsTo(b!, both), broadcastsTo(both, both)]).toEqual([true, true, true]);
        expect(broadcastsTo(both, a!)).toBe(sameShape(a!, both));
      }),
      { numRuns: 300 },
    );
  });

  it("broadcast strides read the element of the definition", () => {
    fc.assert(
      fc.property(broadcastable(2), ([a, b]) => {
        const both = broadcastShapes("add", a!, b!);
        const strides = broadcastStrides(a!, both);
        for (const index of indicesOf(both)) {
          const own = index.slice(both.length - a!.length).map((i, axis) => (a![axis] === 1 ? 0 : i));
          expect(dot(index, strides)).toBe(dot(own, stridesOf(a!)));
        }
      }),
    );
  });

  it.each([
    [[2, 3], [4], "add: cannot broadcast [2, 3] with [4] (last axis: 3 against 4)"],
    [[2, 3], [4, 3], "add: cannot broadcast [2, 3] with [4, 3] (axis -2: 2 against 4)"],
    [[0], [2], "add: cannot broadcast [0] with [2] (last axis: 0 against 2)"],
    [[5, 1, 2], [6, 4, 2], "add: cannot broadcast [5, 1, 2] with [6, 4, 2] (axis -3: 5 against 6)"],
  ])("%j and %j do not broadcast: %s", (a, b, message) => {
    expect(() => broadcastShapes("add", a, b)).toThrow(new ShapeError(message));
  });

  it("a length of 1 broadcasts to 0", () => {
    expect(broadcastShapes("add", [1, 3], [0, 1])).toEqual([0, 3]);
    expect(broadcastsTo([1], [0])).toBe(true);
    expect(broadcastsTo([0], [1])).toBe(false);
  });
});

describe("axes", () => {
  it("a negative axis counts from the end", () => {
    expect([
      resolveAxis("sum", [2, 3, 4], 0),
      resolveAxis("sum", [2, 3, 4], -1),
      resolveAxis("sum", [2, 3, 4], -3),
    ]).toEqual([0, 2, 0]);
  });

  it.each([2, -3, 0.5, Number.NaN])("axis %s of [2, 3] is refused", (axis) => {
    expect(() => resolveAxis("sum", [2, 3], axis)).toThrow(new ShapeError(`sum: no axis ${axis} in shape [2, 3]`));
  });
});
