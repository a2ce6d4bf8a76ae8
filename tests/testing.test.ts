// The public entry "trm-ts/testing": the check of a user-defined operation, and the arbitraries.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  affine,
  type CheckInput,
  checkGradient,
  constant,
  defineOperation,
  domains,
  GradientError,
  log,
  multiply,
  operationNamed,
  relu,
  slice,
  sum,
  type Variable,
} from "../src/autograd/index.ts";
import * as t from "../src/tensor/index.ts";
import {
  broadcastablePairs,
  checkOperation,
  drawFrom,
  extremeExamples,
  inputFrom,
  numbers,
  operationExamples,
  shapes,
  tensors,
  toTensor,
} from "../src/testing.ts";

describe("a user-defined operation", () => {
  const define = (name: string, slope: (x: t.Tensor) => t.Tensor) =>
    defineOperation({
      name,
      equation: "y = x³,  dx = 3x² dy",
      domain: (draw) => ({ inputs: [domains.real([draw.integer(1, 4), draw.integer(1, 3)])] }),
      shape: ([x]) => x,
      forward: ([x]) => t.scope(() => t.multiply(x, t.square(x))),
      backward: (dy, { inputs: [x] }) => [t.scope(() => t.multiply(dy, slope(x)))],
    });
  const cube = define("cube", (x) => t.affine(t.square(x), 3));
  const wrongCube = define("wrongCube", (x) => t.affine(t.square(x), 2));

  it("a right rule passes the check, given as a function or as a registered operation", () => {
    fc.assert(fc.property(operationExamples(cube), (example) => checkOperation(cube, example)));
    const registered = operationNamed("cube");
    fc.assert(fc.property(operationExamples(registered), (example) => checkOperation(registered, example)));
  });

  it("a wrong rule fails the check, and fast-check finds the smallest example", () => {
    const property = fc.property(operationExamples(wrongCube), (example) => checkOperation(wrongCube, example));
    const { failed, counterexample, errorInstance } = fc.check(property, { seed: 1 });
    expect(failed).toBe(true);
    expect(counterexample![0]!.inputs[0]!.shape).toEqual([1, 1]);
    expect(errorInstance).toBeInstanceOf(GradientError);
    expect((errorInstance as Error).message).toMatch(
      /^wrongCube: gradient of input 0 \[1, 1\] .*relative error 3\.3e-1/,
    );
  });

  it("an operation can be checked inside a function of several operations", () => {
    const input = { shape: [2, 2], values: [1, -2, 0.5, 3] };
    expect(checkGradient("Σ x³", (x) => sum(cube(x)), [input]).worst).toBeLessThan(1e-6);
    expect(() => checkGradient("Σ x³", (x: Variable) => sum(wrongCube(x)), [input])).toThrow(
      "Σ x³: gradient of input 0",
    );
  });

  it("the tolerance of the check can be set", () => {
    const input = { shape: [2], values: [1, 2] };
    checkGradient("lax", wrongCube, [input], { tolerance: 1 });
    expect(() => checkGradient("strict", cube, [input], { tolerance: 0 })).toThrow(GradientError);
  });
});

describe("a gradient check that has nothing to check", () => {
  const two = { shape: [2], values: [1, 2] };

  it("an empty input is refused", () => {
    const empty = { shape: [0, 3], values: [] };
    expect(() => checkGradient("double", (x) => affine(x, 2), [empty])).toThrow(
      new GradientError("double: input 0 [0, 3] has no elements, expected at least one to check the gradient on"),
    );
    expect(() => checkGradient("product", (x, y) => multiply(sum(x), y), [two, empty])).toThrow(
      "product: input 1 [0, 3] has no elements",
    );
    // An empty constant is not differentiated.
    expect(checkGradient("product", (x, y) => multiply(x, sum(y)), [two, { ...empty, fixed: true }]).worst).toBe(0);
  });

  it("an empty output is refused", () => {
    expect(() => checkGradient("nothing", (x) => slice(x, 0, 1, 1), [two])).toThrow(
      new GradientError("nothing: the output [0] has no elements, expected at least one to check the gradient on"),
    );
  });

  it("a function that ignores an input is refused, naming the input", () => {
    expect(() => checkGradient("one", () => constant([1], "float64"), [two])).toThrow(
      new GradientError("one: the output does not depend on input 0 [2], expected a function of it, or fixed: true"),
    );
    expect(() => checkGradient("first", (x, _) => sum(x), [two, two])).toThrow(
      "first: the output does not depend on input 1 [2]",
    );
    expect(checkGradient("first", (x, _) => sum(x), [two, { ...two, fixed: true }]).worst).toBeLessThan(1e-9);
  });

  it("a function that uses an input off the tape fails the check as a wrong gradient does", () => {
    expect(() => checkGradient("detached", (x) => sum(x.detach()), [two])).toThrow(
      /^detached: gradient of input 0 \[2\] at \[0\], where x = 1: got 0, expected 1; the rule gives 0 everywhere /,
    );
  });
});

describe("the message of a gradient check", () => {
  const three = { shape: [3], values: [1, -2, 0.5] };
  /** x², with another backward rule. */
  const squareWith = (name: string, rule: (dy: t.Tensor, x: t.Tensor) => t.Tensor | null) =>
    defineOperation({
      name,
      equation: "y = x²",
      domain: domains.oneReal(),
      shape: ([x]) => x,
      forward: ([x]) => t.square(x),
      backward: (dy, { inputs: [x] }) => [t.scope(() => rule(dy, x))],
    });
  const messageOf = (f: (x: Variable) => Variable, input: CheckInput = three): string => {
    try {
      checkGradient("f", f, [input]);
    } catch (error) {
      expect(error).toBeInstanceOf(GradientError);
      return (error as Error).message;
    }
    return "no error";
  };
  const right = (dy: t.Tensor, x: t.Tensor): t.Tensor => t.multiply(dy, t.affine(x, 2));

  it("names a wrong sign, a wrong factor, a zero and NaN", () => {
    expect(messageOf(squareWith("minus", (dy, x) => t.negate(right(dy, x))))).toContain("the sign is wrong everywhere");
    expect(messageOf(squareWith("half", (dy, x) => t.affine(right(dy, x), 0.5)))).toContain(
      "it is 0.5 times the expected gradient everywhere",
    );
    expect(messageOf(squareWith("none", (dy) => t.affine(dy, 0)))).toContain("the rule gives 0 everywhere");
    expect(messageOf(squareWith("nan", (dy, x) => t.multiply(dy, t.log(x))))).toContain("the rule computes NaN");
  });

  it("names the one wrong entry of a matrix, its number, and the inputs", () => {
    const oneWrong = squareWith("oneWrong", (dy, x) => {
      const gradient = right(dy, x);
      (gradient.storage as t.VisibleStorage).array[4]! += 1;
      return gradient;
    });
    const matrix = { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] };
    expect(messageOf((x) => sum(oneWrong(x)), matrix)).toMatch(
      /^f: gradient of input 0 \[2, 3\] at \[1, 1\], where x = 5: got 11, expected 10; 1 of 6 entries are wrong \(.*\); inputs: \[1, 2, 3, 4, 5, 6\]; dy: \[1\]$/,
    );
  });

  it("names a kink, a pole and random numbers", () => {
    expect(messageOf(relu, { shape: [1], values: [0] })).toContain(
      "got 0, expected 0.5; the slope is 0 on the left and 1 on the right, so the function has a kink",
    );
    expect(messageOf(log, { shape: [1], values: [0] })).toContain("the function is NaN or infinite there");
    const random = new t.Random(1);
    expect(messageOf((x) => affine(x, random.normal()))).toContain("gave different outputs");
  });

  it("describes a large input by its random direction", () => {
    const large = { shape: [100], values: Float64Array.from({ length: 100 }, (_, i) => i) };
    expect(
      messageOf(
        squareWith("large", (dy) => dy),
        large,
      ),
    ).toMatch(/\[100\] along a random direction: .*inputs: \[0, 1, 2, 3, 4, 5, 6, 7, ... 100 numbers\]/);
  });

  it("explains a constant of another element type or backend, and a result that is no Variable", () => {
    const hint = "the check computes in float64 on a separate backend, so create constants inside the function";
    expect(messageOf((x) => multiply(x, constant(2)))).toContain(`f: multiply: got float64 and float32`);
    expect(messageOf((x) => multiply(x, constant(2)))).toContain(hint);
    const elsewhere = t.tensor([2], { dtype: "float64", backend: new t.ReferenceBackend() });
    expect(messageOf((x) => multiply(x, constant(elsewhere)))).toContain(hint);
    expect(messageOf(() => 3 as unknown as Variable)).toBe("f: the function returned 3, expected a Variable");
  });

  it("explains a backward rule that gives another element type, backend or no tensor", () => {
    const { backend } = t.tensor([0]);
    expect(messageOf(squareWith("narrow", (_, x) => t.zeros(x.shape)))).toBe(
      "narrow: its backward rule gave float32 on reference for input 0, expected float64 on reference (pass both, as in t.zeros(shape, dy.dtype, dy.backend))",
    );
    expect(messageOf(squareWith("remote", (_, x) => t.zeros(x.shape, "float64", backend)))).toContain(
      `remote: its backward rule gave float64 on ${backend.name} for input 0, expected float64 on reference`,
    );
    expect(messageOf(squareWith("number", () => 2 as unknown as t.Tensor))).toBe(
      "number: its backward rule gave 2 for input 0, expected a Tensor",
    );
  });
});

describe("arbitraries", () => {
  it("numbers and tensors keep their distance from the points to avoid", () => {
    const points = fc.array(fc.integer({ min: -12, max: 12 }), { maxLength: 4 });
    fc.assert(
      fc.property(points, fc.boolean(), fc.nat(), (avoid, special, seed) => {
        for (const values of fc.sample(numbers(30, { avoid, special }), { numRuns: 3, seed })) {
          expect(values.every((v) => avoid.every((point) => !(Math.abs(v - point) < 0.0499999)))).toBe(true);
          if (!special) expect(values.every((v) => v >= -10 && v <= 10)).toBe(true);
        }
      }),
    );
    const around = fc.sample(tensors(fc.constant([40]), { min: -1, max: 1, avoid: [0] }), { numRuns: 20, seed: 1 });
    const values = around.flatMap((example) => [...example.values]);
    expect(values.every((value) => Math.abs(value) >= 0.05 && Math.abs(value) <= 1)).toBe(true);
    expect(values.some((value) => value < 0) && values.some((value) => value > 0)).toBe(true);
    expect(() => numbers(1, { min: -0.01, max: 0.01, avoid: [0] })).toThrow(
      new RangeError("numbers: got min -0.01 and max 0.01, expected a float32 number between them, 0.05 away from 0"),
    );
  });

  it("shapes respect their limits", () => {
    fc.assert(
      fc.property(shapes({ minRank: 1, maxRank: 3, minLength: 0, maxLength: 4 }), (shape) => {
        expect(shape.length >= 1 && shape.length <= 3).toBe(true);
        expect(shape.every((length) => length >= 0 && length <= 4)).toBe(true);
      }),
    );
    expect(fc.sample(shapes(), { seed: 1, numRuns: 100 }).some((shape) => shape.includes(0))).toBe(true);
  });

  it("numbers are float32 numbers within the bounds, and special numbers only with special: true", () => {
    fc.assert(
      fc.property(numbers(20, { min: -3, max: 0.1 }), (values) => {
        expect(values.length).toBe(20);
        expect(values.every((value) => value >= -3 && value <= 0.1)).toBe(true);
      }),
    );
    const special = fc.sample(numbers(50, { special: true }), { seed: 1, numRuns: 50 }).flatMap((list) => [...list]);
    expect(special.some(Number.isNaN)).toBe(true);
    expect(special).toContain(Number.POSITIVE_INFINITY);
    expect(special).toContain(Number.NEGATIVE_INFINITY);
    expect(special.some((value) => value !== 0 && Math.abs(value) < 2 ** -126)).toBe(true);
  });

  it("the bounds of numbers are rounded inward to float32", () => {
    const bounds = fc.double({ min: -1e3, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(bounds, bounds, (a, b) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b) + 1e-3];
        for (const values of fc.sample(numbers(20, { min, max }), { numRuns: 5, seed: 1 })) {
          expect(values.every((value) => value >= min && value <= max)).toBe(true);
        }
      }),
    );
    // Math.fround(0.3) is 0.30000001, which is above the bound.
    const upTo = fc.sample(numbers(50, { min: 0.2999999, max: 0.3 }), { numRuns: 20, seed: 1 });
    expect(Math.max(...upTo.flatMap((list) => [...list]))).toBe(0.29999998211860657);
    const from = fc.sample(numbers(50, { min: -0.3, max: -0.2999999 }), { numRuns: 20, seed: 1 });
    expect(Math.min(...from.flatMap((list) => [...list]))).toBe(-0.29999998211860657);
    // Bounds that are no float32 numbers at all: below the smallest denormal, and beyond the largest number.
    const tiny = fc.sample(numbers(5, { min: -1e-50, max: 1e-50 }), { numRuns: 5, seed: 1 });
    expect(tiny.every((values) => values.every((value) => value === 0))).toBe(true);
    const huge = fc.sample(numbers(50, { min: 3e38, max: 1e300 }), { numRuns: 20, seed: 1 });
    expect(huge.every((values) => values.every((value) => value >= 3e38 && value < Infinity))).toBe(true);
    expect(() => numbers(1, { min: 0.1, max: 0.1 })).toThrow(
      new RangeError("numbers: got min 0.1 and max 0.1, expected a float32 number between them"),
    );
  });

  it("tensors have as many numbers as their shape has elements", () => {
    fc.assert(
      fc.property(tensors(), fc.constantFrom("float32" as const, "float64" as const), (example, dtype) => {
        t.scope(() => {
          const made = toTensor(example, dtype);
          expect([made.shape, made.size, made.dtype]).toEqual([example.shape, t.sizeOf(example.shape), dtype]);
        });
      }),
    );
  });

  it("broadcastable pairs broadcast on either side, over axes of length 1 and over missing axes", () => {
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

describe("inputFrom", () => {
  const draws = (domain: Parameters<typeof inputFrom>[0], count = 200): number[][] =>
    Array.from({ length: count }, (_, seed) => Array.from(inputFrom(domain, new t.Random(seed)).values));

  it("values lie in the range and away from the points to avoid", () => {
    const values = draws(domains.real([7], [-1, 2], { avoid: [0, 1] })).flat();
    expect(values.every((v) => v >= -1 && v <= 2 && Math.abs(v) >= 0.05 && Math.abs(v - 1) >= 0.05)).toBe(true);
    expect(Math.min(...values)).toBeLessThan(-0.9);
    expect(Math.max(...values)).toBeGreaterThan(1.9);
  });

  it("distinct values differ by at least 0.2 and come in random order", () => {
    for (const length of [1, 2, 5, 24]) {
      for (const values of draws(domains.real([length], [-2, 2], { distinct: true }), 50)) {
        const sorted = values.toSorted((a, b) => a - b);
        for (let i = 1; i < length; i++) expect(sorted[i]! - sorted[i - 1]!).toBeGreaterThanOrEqual(0.2 - 1e-12);
      }
    }
    const firstIsLargest = draws(domains.real([4], [-2, 2], { distinct: true })).filter(
      (v) => v[0] === Math.max(...v),
    ).length;
    expect(firstIsLargest).toBeGreaterThan(20);
    expect(firstIsLargest).toBeLessThan(80);
  });

  it("values on lattices with offsets 0 and 0.5 never tie", () => {
    const [a, b] = [0, 0.5].map((lattice) => draws(domains.real([5], [-2, 2], { lattice })).flat());
    for (let i = 0; i < a!.length; i++) expect(Math.abs(a![i]! - b![i]!)).toBeGreaterThan(0.25);
  });

  it("indices are whole numbers from their range, both ends included", () => {
    const { dtype, values } = inputFrom({ kind: "index", shape: [300], range: [-1, 2] }, new t.Random(1));
    expect(dtype).toBe("int32");
    expect([...new Set(values as Int32Array)].toSorted((p, q) => p - q)).toEqual([-1, 0, 1, 2]);
  });

  it("drawFrom draws every choice of a list", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.gen(), (gen) => {
        seen.add(drawFrom(gen).oneOf(["a", "b", "c"]));
      }),
    );
    expect([...seen].toSorted()).toEqual(["a", "b", "c"]);
  });
});

describe("wrong arguments of the testing entry", () => {
  const message = (f: (...given: never[]) => unknown, ...given: readonly unknown[]): string => {
    try {
      Reflect.apply(f, undefined, given);
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    return "no error";
  };
  const sampled = (arbitrary: fc.Arbitrary<unknown>): void => void fc.sample(arbitrary, 1);

  it("options that are no object, numbers that are none, and bounds in the wrong order are refused when the arbitrary is made", () => {
    const kind = fc.constantFrom(null, 3, "x", [], () => 1);
    const makers = [shapes, (options: never) => numbers(3, options), (options: never) => tensors(shapes(), options)];
    fc.assert(
      fc.property(kind, fc.constantFrom(...makers), (options, make) => {
        const shown = t.showValue(options);
        expect(message(make, options)).toMatch(/^ArgumentError: (shapes|numbers|tensors): /);
        expect(message(make, options)).toContain(`got ${shown} as the options, expected an object`);
      }),
    );
    expect(message(shapes, { maxRank: 1.5 })).toBe(
      "ArgumentError: shapes: got 1.5 as maxRank, expected a whole number from 0",
    );
    expect(message(shapes, { minRank: 3, maxRank: 2 })).toBe(
      "RangeError: shapes: got minRank 3 and maxRank 2, expected minRank <= maxRank",
    );
    expect(message(shapes, { minLength: 6 })).toBe(
      "RangeError: shapes: got minLength 6 and maxLength 5, expected minLength <= maxLength",
    );
    expect(message(numbers, -1)).toBe("ArgumentError: numbers: got -1 as the length, expected a whole number from 0");
    expect(message(numbers, 3, { min: "0" })).toBe(
      'ArgumentError: numbers: got the string "0" as min, expected a number',
    );
    expect(message(numbers, 3, { max: Number.NaN })).toBe("ArgumentError: numbers: got NaN as max, expected a number");
    expect(message(numbers, 3, { avoid: 0 })).toBe("ArgumentError: numbers: got 0 as avoid, expected an array");
    expect(message(numbers, 3, { avoid: ["0"], special: true })).toBe(
      'ArgumentError: numbers: got the string "0" as a point to avoid, expected a number',
    );
    expect(message(tensors, shapes(), { min: 2, max: 1 })).toBe(
      "RangeError: tensors: got min 2 and max 1, expected a float32 number between them",
    );
  });

  it("a shape in the place of an arbitrary of shapes is refused, and so is an arbitrary of something else", () => {
    expect(message(tensors, [2, 3])).toBe(
      "ArgumentError: tensors: got an array of 2 elements as the shape, expected a fast-check arbitrary of shapes, such as shapes() or fc.constant([2, 3])",
    );
    expect(() => sampled(tensors(fc.constant("x") as never))).toThrow(
      'tensors: got the string "x" as the shape, expected an array such as [2, 3]',
    );
    expect(message(toTensor, { shape: [2] })).toBe(
      "ArgumentError: toTensor: got the example without values, expected an object with shape, values",
    );
    expect(message(toTensor, { shape: [1], values: [1] }, "float16")).toBe(
      'DTypeError: toTensor: got the string "float16" as the element type, expected one of float32, float64, int32',
    );
  });

  it("what is no operation is refused, and so is what its domain must not return", () => {
    const expected = "expected an operation, or a function that defineOperation returned";
    for (const [name, f] of Object.entries({ operationExamples, extremeExamples, checkOperation })) {
      expect(message(f, "relu")).toBe(`ArgumentError: ${name}: got the string "relu" as the operation, ${expected}`);
      expect(message(f, Math.abs)).toBe(`ArgumentError: ${name}: got a function as the operation, ${expected}`);
    }
    expect(message(checkOperation, relu)).toBe(
      "ArgumentError: checkOperation: got undefined as the example, expected an object with inputs",
    );
    const returning = (sample: unknown) => ({ ...operationNamed("relu"), domain: () => sample as never });
    for (const [name, examples] of Object.entries({ operationExamples, extremeExamples })) {
      expect(() => sampled(examples(returning(undefined)))).toThrow(
        `${name}: got undefined as what the domain of relu returned, expected an object with inputs`,
      );
      expect(() => sampled(examples(returning({ inputs: domains.real([2]) })))).toThrow(
        `${name}: got an object of type Object as the inputs that the domain of relu returned, expected an array`,
      );
    }
  });

  it("a domain without numbers is refused instead of being searched without end", () => {
    expect(message(inputFrom, domains.real([2], [-0.01, 0.02], { avoid: [0] }), new t.Random(1))).toBe(
      "RangeError: inputFrom: got min -0.01 and max 0.02, expected a float32 number between them, 0.05 away from 0",
    );
    expect(message(inputFrom, domains.real([2], [1, 0]), new t.Random(1))).toBe(
      "ArgumentError: inputFrom: got [1, 0] as the range, expected [smallest, largest]",
    );
    expect(message(inputFrom, { ...domains.real([2]), kind: "float" }, new t.Random(1))).toBe(
      'ArgumentError: inputFrom: got the string "float" as the kind, expected "real" or "index" (see domains)',
    );
    expect(message(inputFrom, domains.real([2]), 1)).toBe(
      "ArgumentError: inputFrom: got 1 as the random numbers, expected a Random",
    );
  });

  it("random choices among nothing, or between bounds in the wrong order, are refused", () => {
    fc.assert(
      fc.property(fc.gen(), (gen) => {
        const draw = drawFrom(gen);
        expect(() => draw.oneOf([])).toThrow("draw.oneOf: got no choices, expected at least one");
        expect(() => draw.integer(3, 1)).toThrow(
          "draw.integer: got 3 and 1, expected two whole numbers, the smaller one first",
        );
        expect(() => draw.integer(0, 1.5)).toThrow("draw.integer: got 0 and 1.5, expected two whole numbers");
      }),
      { numRuns: 3 },
    );
  });
});
