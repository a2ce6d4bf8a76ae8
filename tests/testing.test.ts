// The public "./testing" entry: a user's own operation, defined and tested as a course would do it, and the arbitraries.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defineOperation, GradientError, operationNamed, real, sum, type Variable } from "../src/autograd/index.ts";
import * as t from "../src/tensor/index.ts";
import {
  broadcastablePairs,
  checkGradient,
  checkOperation,
  drawFrom,
  inputFrom,
  numbers,
  operationExamples,
  shapes,
  tensors,
  toTensor,
} from "../src/testing.ts";

describe("a user's own operation", () => {
  const define = (name: string, slope: (x: t.Tensor) => t.Tensor): ((x: Variable) => Variable) => {
    const operation = defineOperation<1, undefined>({
      name,
      equation: "y = x³,  dx = 3x² dy",
      domain: (draw) => ({ inputs: [real([draw.integer(1, 4), draw.integer(1, 3)])], attributes: undefined }),
      shape: ([x]) => x,
      forward: ([x]) => t.scope(() => t.multiply(x, t.square(x))),
      backward: (dy, { inputs: [x] }) => [t.scope(() => t.multiply(dy, slope(x)))],
    });
    return (x) => operation([x], undefined);
  };
  const cube = define("cube", (x) => t.affine(t.square(x), 3));
  const wrongCube = define("wrongCube", (x) => t.affine(t.square(x), 2));

  it("passes the check on examples of its domain", () => {
    fc.assert(
      fc.property(operationExamples(operationNamed("cube")), (example) => {
        checkOperation(operationNamed("cube"), example);
      }),
    );
  });

  it("is refused with a wrong rule, and fast-check finds the smallest example", () => {
    const property = fc.property(operationExamples(operationNamed("wrongCube")), (example) => {
      checkOperation(operationNamed("wrongCube"), example);
    });
    const { failed, counterexample, errorInstance } = fc.check(property, { seed: 1 });
    expect(failed).toBe(true);
    expect(counterexample![0]!.inputs[0]!.shape).toEqual([1, 1]);
    expect(errorInstance).toBeInstanceOf(GradientError);
    expect((errorInstance as Error).message).toMatch(
      /^wrongCube: gradient of input 0 \[1, 1\] .*relative error 3\.3e-1/,
    );
  });

  it("can be checked inside a function of several operations", () => {
    const input = { shape: [2, 2], values: [1, -2, 0.5, 3] };
    expect(checkGradient("Σ x³", (x) => sum(cube(x)), [input]).worst).toBeLessThan(1e-6);
    expect(() => checkGradient("Σ x³", (x: Variable) => sum(wrongCube(x)), [input])).toThrow(
      "Σ x³: gradient of input 0",
    );
  });

  it("is stricter or laxer where asked", () => {
    const input = { shape: [2], values: [1, 2] };
    checkGradient("lax", wrongCube, [input], { tolerance: 1 });
    expect(() => checkGradient("strict", cube, [input], { tolerance: 0 })).toThrow(GradientError);
  });
});

describe("arbitraries", () => {
  it("shapes keep to their limits", () => {
    fc.assert(
      fc.property(shapes({ minRank: 1, maxRank: 3, minLength: 0, maxLength: 4 }), (shape) => {
        expect(shape.length >= 1 && shape.length <= 3).toBe(true);
        expect(shape.every((length) => length >= 0 && length <= 4)).toBe(true);
      }),
    );
    expect(fc.sample(shapes(), { seed: 1, numRuns: 100 }).some((shape) => shape.includes(0))).toBe(true);
  });

  it("numbers are float32, within the range, special only when asked", () => {
    fc.assert(
      fc.property(numbers(20, { min: -3, max: 0.1 }), (values) => {
        expect(values.length).toBe(20);
        expect(values.every((value) => value >= -3 && value <= Math.fround(0.1))).toBe(true);
      }),
    );
    const special = fc.sample(numbers(50, { special: true }), { seed: 1, numRuns: 50 }).flatMap((list) => [...list]);
    expect(special.some(Number.isNaN)).toBe(true);
    expect(special).toContain(Number.POSITIVE_INFINITY);
    expect(special).toContain(Number.NEGATIVE_INFINITY);
    expect(special.some((value) => value !== 0 && Math.abs(value) < 2 ** -126)).toBe(true);
  });

  it("tensors have the numbers of their shape", () => {
    fc.assert(
      fc.property(tensors(), fc.constantFrom("float32" as const, "float64" as const), (example, dtype) => {
        t.scope(() => {
          const made = toTensor(example, dtype);
          expect([made.shape, made.size, made.dtype]).toEqual([example.shape, t.sizeOf(example.shape), dtype]);
        });
      }),
    );
  });

  it("broadcastable pairs broadcast, on either side, over short and over missing axes", () => {
    const seen = { first: false, second: false, missing: false };
    fc.assert(
      fc.property(broadcastablePairs(), ([a, b]) => {
        const both = t.broadcastShapes("add", a.shape, b.shape);
        seen.first ||= !t.sameShape(both, a.shape);
        seen.second ||= !t.sameShape(both, b.shape);
        seen.missing ||= a.shape.length !== b.shape.length;
      }),
      { numRuns: 300 },
    );
    expect(seen).toEqual({ first: true, second: true, missing: true });
  });
});

describe("inputFrom keeps what the domain promises", () => {
  const draws = (domain: Parameters<typeof inputFrom>[0], count = 200): number[][] =>
    Array.from({ length: count }, (_, seed) => Array.from(inputFrom(domain, new t.Random(seed)).values));

  it("range and points to avoid", () => {
    const values = draws(real([7], [-1, 2], { avoid: [0, 1] })).flat();
    expect(values.every((v) => v >= -1 && v <= 2 && Math.abs(v) >= 0.05 && Math.abs(v - 1) >= 0.05)).toBe(true);
    expect(Math.min(...values)).toBeLessThan(-0.9);
    expect(Math.max(...values)).toBeGreaterThan(1.9);
  });

  it("distinct: no two values closer than 0.2, in any order", () => {
    for (const length of [1, 2, 5, 24]) {
      for (const values of draws(real([length], [-2, 2], { distinct: true }), 50)) {
        const sorted = values.toSorted((a, b) => a - b);
        for (let i = 1; i < length; i++) expect(sorted[i]! - sorted[i - 1]!).toBeGreaterThanOrEqual(0.2 - 1e-12);
      }
    }
    const firstIsLargest = draws(real([4], [-2, 2], { distinct: true })).filter((v) => v[0] === Math.max(...v)).length;
    expect(firstIsLargest).toBeGreaterThan(20);
    expect(firstIsLargest).toBeLessThan(80);
  });

  it("lattices: two inputs with offsets 0 and 0.5 never tie", () => {
    const [a, b] = [0, 0.5].map((lattice) => draws(real([5], [-2, 2], { lattice })).flat());
    for (let i = 0; i < a!.length; i++) expect(Math.abs(a![i]! - b![i]!)).toBeGreaterThan(0.25);
  });

  it("indices are whole numbers of their range, both ends included", () => {
    const { dtype, values } = inputFrom({ kind: "index", shape: [300], range: [-1, 2] }, new t.Random(1));
    expect(dtype).toBe("int32");
    expect([...new Set(values as Int32Array)].toSorted((p, q) => p - q)).toEqual([-1, 0, 1, 2]);
  });

  it("choices are drawn from the list", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.gen(), (gen) => {
        seen.add(drawFrom(gen).oneOf(["a", "b", "c"]));
      }),
    );
    expect([...seen].toSorted()).toEqual(["a", "b", "c"]);
  });
});
