// Extreme inputs: denormals, magnitudes up to 3e38, infinities, NaN and saturated exponentials. float32 results are compared with
// float64, in which no intermediate result overflows, and fused kernels with their definitions.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  add,
  allOperations,
  atan2,
  constant,
  crossEntropy,
  divide,
  gradients,
  mean,
  type Operation,
  operationNamed,
  parameter,
  reciprocal,
  rsqrt,
  square,
  sum,
  swiglu,
  type Variable,
} from "../../src/autograd/index.ts";
import { Random, ReferenceBackend, ShapeError, scope, tensor } from "../../src/tensor/index.ts";
import { extremeExamples, type OperationExample, operationExamples } from "../../src/testing.ts";
import { builds } from "../tensor/wasm-backends.ts";
import { type Evaluation, evaluate, relativeDifference, valuesOf } from "./examples.ts";

const backends = [new ReferenceBackend(), ...builds].map((backend) => [backend.build, backend] as const);
const named = (operations: readonly Operation[]) => operations.map((operation) => [operation.name, operation] as const);

/** Beyond this number a float32 result may be infinite: the largest float32 number less some rounding. */
const LARGEST = 3.4e38;
/** The smallest denormals are this far apart; a few roundings are allowed. */
const SMALLEST = 4 * 2 ** -149;

/** The rounding error of a float32 number, relative to it. */
const ROUNDING = 2 ** -24;

interface Allowance {
  readonly value?: number;
  readonly gradient?: number;
}

/**
 * Absolute errors that are allowed besides the relative one, given the largest input and the example: of results that are
 * differences, such as 1 - y² where y is rounded to 1, and of denormals that are multiplied by x or divided by it.
 */
const allowances: Readonly<Record<string, (largest: number, example: OperationExample) => Allowance>> = {
  affine: () => ({ value: 2 * ROUNDING }),
  divide: (_, { inputs }) => ({ gradient: SMALLEST / Math.abs(inputs[1]!.values[0]!) }),
  atan2: (largest) => ({ gradient: SMALLEST / largest }),
  tanh: () => ({ gradient: 1e-6 }),
  sigmoid: () => ({ gradient: 1e-6 }),
  silu: () => ({ value: 104 * SMALLEST, gradient: 1e-6 }),
  siluGate: (largest) => ({ value: 104 * SMALLEST * largest, gradient: 1e-6 * (1 + largest) }),
  rmsNorm: (largest) => ({ gradient: 1e-6 / (0.1 + largest) }),
  selfAttention: (largest) => ({ gradient: 1e-6 * (1 + largest) ** 2 }),
  crossEntropy: () => ({ value: 1e-8, gradient: 1e-8 }),
  swigluBlock: (_, example) => ({ value: 1e-6, gradient: swigluBlockError(example) }),
};

/**
 * The error of the gradient of swigluBlock. The norm subtracts gradients, dy - y · mean(dy · y), which are equal if the axis has a
 * single element, and divides the rest by the root mean square. So their rounding error, divided by the root mean square, passes
 * through the gate to h and to the weights. The gradient of the sum of all |h| + |down · siluGate(gateUp · h)| is the most that it
 * can grow on the way.
 */
function swigluBlockError({ inputs, attributes }: OperationExample): number {
  const { axis, epsilon } = attributes as { axis: -1 | -2; epsilon: number };
  const finite = (x: number): number => (Number.isFinite(x) ? x : 0);
  return scope(
    () => {
      const [signed, positive] = [finite, (x: number) => Math.abs(finite(x))].map((f) =>
        inputs.map(({ shape, values }) => parameter(tensor(Array.from(values, f), { shape, dtype: "float64" }))),
      );
      const update = ([h, gateUp, down]: readonly Variable[]) =>
        add(h!, swiglu(h!, { gateUp: gateUp!, down: down! }, axis));
      const squares = valuesOf(mean(square(update(signed!)), [axis]).value);
      const growth = gradients(sum(update(positive!)), positive!).flatMap(valuesOf);
      // A negative gate has a slope of -0.1 to 0.5, a positive one of 0.5 to 1.1: at most 2.2 times the slope of its magnitude.
      return (20 * ROUNDING * Math.max(...growth)) / Math.sqrt(Math.min(...squares) + epsilon);
    },
    { backend: new ReferenceBackend() },
  );
}

function allowanceFor({ name }: Operation, example: OperationExample): Required<Allowance> {
  const magnitudes = example.inputs.flatMap(({ values }) => Array.from(values, Math.abs));
  const largest = Math.max(0, ...magnitudes.filter(Number.isFinite));
  const { value = 0, gradient = 0 } = allowances[name]?.(largest, example) ?? {};
  return { value: value + SMALLEST, gradient: gradient + SMALLEST };
}

/** Whether a float32 result is right, given the result in float64. */
function isClose(got: number, expected: number, absolute: number): boolean {
  if (Number.isNaN(expected)) return Number.isNaN(got);
  if (Math.abs(got) === Number.POSITIVE_INFINITY) return Math.abs(expected) >= LARGEST && got * expected > 0;
  return Math.abs(got - expected) <= 1e-5 * Math.abs(expected) + absolute;
}

function expectClose(got: Evaluation, expected: Evaluation, { value, gradient }: Required<Allowance>): void {
  const compare = (what: string, a: readonly number[], b: readonly number[], allowed: number): void => {
    expect(a.length).toBe(b.length);
    for (const [i, number] of a.entries()) {
      if (!isClose(number, b[i]!, allowed)) expect({ what, i, number }).toEqual({ what, i, number: b[i] });
    }
  };
  compare("value", got.value, expected.value, value);
  for (const [i, one] of got.gradients.entries()) compare(`gradient ${i}`, one, expected.gradients[i]!, gradient);
}

describe.each(backends)("extreme inputs on %s", (_, backend) => {
  it.each(named(allOperations()))("value and gradients of %s agree with float64", (_, operation) => {
    fc.assert(
      fc.property(extremeExamples(operation), (example) => {
        const expected = evaluate(operation, example);
        for (const fused of operation.definition ? [true, false] : [true]) {
          const got = evaluate(operation, example, { dtype: "float32", backend, fused });
          expectClose(got, expected, allowanceFor(operation, example));
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe.each(backends)("gradients in range whose obvious formula overflows, on %s", (_, backend) => {
  /** The gradients with respect to scalars, for the gradient `dy` of the output. */
  const gradientsOf = (f: (...inputs: Variable[]) => Variable, inputs: readonly number[], dy = 1): number[] =>
    scope(
      () => {
        const variables = inputs.map((value) => parameter(value));
        return gradients(f(...variables), variables, tensor(dy)).flatMap(valuesOf);
      },
      { backend },
    );
  const expectGradients = (got: readonly number[], expected: readonly number[]): void => {
    for (const [i, value] of expected.entries()) expect(got[i]! / value, `gradient ${i}: ${got[i]}`).toBeCloseTo(1, 5);
  };

  it("divide does not square the denominator", () => {
    expectGradients(gradientsOf(divide, [1e20, 1e20]), [1e-20, -1e-20]);
    expectGradients(gradientsOf(divide, [1e-30, 1e-30]), [1e30, -1e30]);
    expectGradients(gradientsOf(divide, [-3e38, 3e38]), [1 / 3e38, 1 / 3e38]);
    expect(gradientsOf(divide, [0, 1e-30])[1]).toBe(-0);
  });

  it("atan2 does not square its inputs", () => {
    expectGradients(gradientsOf(atan2, [1e20, 1e20]), [0.5e-20, -0.5e-20]);
    expectGradients(gradientsOf(atan2, [1e-30, -1e-30]), [-0.5e30, -0.5e30]);
    expectGradients(gradientsOf(atan2, [2e-30, 1e-35]), [1e-35 / 4e-60, -0.5e30]);
    expect(gradientsOf(atan2, [Number.POSITIVE_INFINITY, 1])).toEqual([0, -0]);
  });

  it("reciprocal and rsqrt do not compute powers of their output", () => {
    expectGradients(gradientsOf(reciprocal, [1e-25], 1e-15), [-1e35]);
    expectGradients(gradientsOf(reciprocal, [1e25], 1e20), [-1e-30]);
    expectGradients(gradientsOf(rsqrt, [1e-30], 1e-10), [-0.5e35]);
    expectGradients(gradientsOf(rsqrt, [1e30], 1e20), [-0.5e-25]);
  });

  it("square multiplies by 2 last", () => {
    expectGradients(gradientsOf(square, [2e38], 0.5), [2e38]);
  });
});

describe.each(backends)("rmsNorm on %s", (_, backend) => {
  it("is the same for numbers whose squares overflow, along both axes", () => {
    const sizes = fc.record({
      shape: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 2, max: 20 }), fc.integer({ min: 2, max: 20 })),
      axis: fc.constantFrom(-1 as const, -2 as const),
      scale: fc.integer({ min: 15, max: 37 }).map((exponent) => 10 ** exponent),
      seed: fc.nat(1000),
    });
    fc.assert(
      fc.property(sizes, ({ shape, axis, scale, seed }) => {
        const random = new Random(seed);
        // The first row stays small: large and small rows and columns lie side by side.
        const small = shape[2];
        const values = Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) =>
          i < small && axis === -1 ? random.normal() : scale * random.normal(),
        );
        const example = { inputs: [{ shape, values }], attributes: { axis, epsilon: 1e-5 } };
        const expected = evaluate(operationNamed("rmsNorm"), example);
        const got = evaluate(operationNamed("rmsNorm"), example, { dtype: "float32", backend });
        expect(relativeDifference(got.value, expected.value)).toBeLessThan(1e-5);
        const rescaled = ({ gradients: [first] }: Evaluation): number[] => first!.slice(small).map((x) => x * scale);
        expect(relativeDifference(rescaled(got), rescaled(expected))).toBeLessThan(1e-4);
      }),
      { numRuns: 100 },
    );
  });
});

/** Examples of the domain of an operation, multiplied by a power of ten, with up to three special numbers among the inputs. */
const edgeExamples = (operation: Operation): fc.Arbitrary<OperationExample> => {
  const special = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-42, -1e-42, 0, -0);
  const spots = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), special), { maxLength: 3 });
  const largest = Math.min(30, Math.log10(operation.maxMagnitude ?? 1e30) - 1);
  return fc
    .tuple(operationExamples(operation), fc.integer({ min: -30, max: Math.floor(largest) }), spots)
    .map(([{ inputs, attributes }, exponent, places]) => {
      const scaled = inputs.map((input) => {
        if (input.fixed || input.dtype === "int32") return input;
        return { ...input, values: Array.from(input.values, (value) => Math.fround(value * 10 ** exponent)) };
      });
      for (const [which, at, value] of places) {
        const { values, fixed, dtype } = scaled[which % scaled.length]!;
        if (!fixed && dtype !== "int32") (values as number[])[at % values.length] = value;
      }
      return { inputs: scaled, attributes };
    });
};

describe("fused operations at the edges", () => {
  const fused = allOperations().filter(({ definition }) => definition);

  it.each(named(fused))("the kernel of %s agrees with its definition", (_, operation) => {
    fc.assert(
      fc.property(edgeExamples(operation), (example) => {
        const [kernel, definition] = [evaluate(operation, example), evaluate(operation, example, { fused: false })];
        const { value, gradient } = allowanceFor(operation, example);
        // Both compute in float64, where the logarithms of large scores are exact to 1e-14.
        expectClose(kernel, definition, { value: 1e-5 * value, gradient: 1e-6 * gradient });
      }),
      { numRuns: 500 },
    );
  });
});

describe.each([true, false])("cross-entropy at the edges (fused: %s)", (fused) => {
  const inFloat64 = <T>(body: () => T): T => scope(body, { fused, backend: new ReferenceBackend() });

  it.each(["stablemax", "softmax"] as const)("%s ignores NaN and infinity in an ignored row", (name) => {
    inFloat64(() => {
      const logits = parameter(
        [
          [1, 2],
          [Number.NaN, 3],
          [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
        ],
        "float64",
      );
      const loss = crossEntropy(logits, constant([0, -1, -1], "int32"), name);
      const [gradient] = gradients(sum(loss), [logits]);
      expect(valuesOf(loss.value).slice(1)).toEqual([0, 0]);
      expect(valuesOf(gradient!).slice(2)).toEqual([0, 0, 0, 0]);
      expect(valuesOf(gradient!).slice(0, 2).every(Number.isFinite)).toBe(true);
    });
  });

  it.each(["stablemax", "softmax"] as const)("%s gives a class with the logit -∞ the probability 0", (name) => {
    inFloat64(() => {
      const run = (row: number[], label: number): number[] => {
        const logits = parameter([row], "float64");
        const loss = crossEntropy(logits, constant([label], "int32"), name);
        return [...valuesOf(loss.value), ...valuesOf(gradients(sum(loss), [logits])[0]!)];
      };
      // The other classes have the loss and the gradient that they have alone.
      const [loss, ...gradient] = run([1, Number.NEGATIVE_INFINITY, -2], 0);
      const [alone, ...gradientAlone] = run([1, -2], 0);
      expect(loss).toBeCloseTo(alone!, 14);
      expect([gradient[0], gradient[2]]).toEqual(gradientAlone.map((value) => expect.closeTo(value, 14)));
      expect(Math.abs(gradient[1]!)).toBe(0);
      expect(run([1, Number.NEGATIVE_INFINITY], 1)[0]).toBe(Number.POSITIVE_INFINITY);
      expect(run([1, Number.NEGATIVE_INFINITY], 1).slice(1).some(Number.isNaN)).toBe(false);
    });
  });

  it("refuses a label that is not a class", () => {
    inFloat64(() => {
      const logits = constant(
        [
          [1, 2],
          [3, 4],
        ],
        "float64",
      );
      expect(() => crossEntropy(logits, constant([0, 2], "int32"))).toThrow(
        new ShapeError("crossEntropy: got label 2 at position 1, expected less than 2"),
      );
    });
  });
});
