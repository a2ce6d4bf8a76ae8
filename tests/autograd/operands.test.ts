// Operands of different element types or on different backends are refused. Fused kernels do not validate their operands, so
// fused operations are tested with and without their kernels, on every backend.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Operation, Variable } from "../../src/autograd/index.ts";
import * as a from "../../src/autograd/index.ts";
import * as t from "../../src/tensor/index.ts";
import { type OperationExample, operationExamples } from "../../src/testing.ts";
import { fixedExamples, valuesOf, variablesOf } from "./examples.ts";

const reference = new t.ReferenceBackend();
const other = new t.ReferenceBackend();
const wasm = new t.WasmBackend({ threads: 1 });

const fusedOperations = a.allOperations().filter(({ definition }) => definition);
const oneOf = (shape: t.Shape, dtype: t.DType, backend: t.Backend): Variable =>
  new a.Variable(t.full(shape, 1, dtype, backend), null, false);

/** Applies the operation with input `i` replaced, with and without its kernel. */
function expectRefusal(
  operation: Operation,
  { example, backend }: { example: OperationExample; backend: t.Backend },
  i: number,
  replace: (input: Variable) => Variable,
  refusal: typeof t.DTypeError | typeof t.BackendError,
): void {
  for (const fused of [true, false]) {
    t.scope(
      () => {
        const inputs = variablesOf(example, "float32", backend);
        inputs[i] = replace(inputs[i]!);
        expect(() => a.apply(operation, inputs, example.attributes), `fused: ${fused}`).toThrow(refusal);
      },
      { backend, fused },
    );
  }
}

const backends = [
  ["reference", reference],
  ["wasm", wasm],
] as const;
describe.each(backends)("fused operations on %s", (_, backend) => {
  it.each(fusedOperations.map((operation) => [operation.name, operation] as const))(
    "%s refuses an input of another element type or on another backend",
    (_, operation) => {
      fc.assert(
        fc.property(operationExamples(operation), (example) => {
          for (let i = 1; i < example.inputs.length; i++) {
            const asFloat64 = ({ shape }: Variable) => oneOf(shape, "float64", backend);
            expectRefusal(operation, { example, backend }, i, asFloat64, t.DTypeError);
            const elsewhere = ({ shape, dtype }: Variable) => oneOf(shape, dtype, other);
            expectRefusal(operation, { example, backend }, i, elsewhere, t.BackendError);
          }
        }),
        { numRuns: 20 },
      );
    },
  );
});

it("the fused operations with several inputs are the ones tested here", () => {
  const several = fusedOperations.filter((one) => fixedExamples(one, 20).some(({ inputs }) => inputs.length > 1));
  expect(several.map(({ name }) => name)).toEqual([
    "linear",
    "selfAttention",
    "rmsNorm",
    "swigluBlock",
    "crossEntropy",
  ]);
});

it("rmsNorm refuses a residual in float64, and crossEntropy refuses labels in float32", () => {
  t.scope(
    () => {
      const [h, r] = [a.constant([[3, 4]]), a.constant([[1, 2]], "float64")];
      expect(() => a.addRmsNorm(h, r)).toThrow(
        new t.DTypeError("rmsNorm: got float32 and float64, expected one element type (see cast)"),
      );
      const labels = a.constant([1]);
      expect(() => a.crossEntropy(h, labels)).toThrow(new t.DTypeError("crossEntropy: got float32, expected int32"));
    },
    { backend: wasm },
  );
});

describe("the seed of a backward pass", () => {
  const withSeed = (seed: t.Tensor): number[] => {
    const x = a.parameter([1, 2]);
    return valuesOf(a.gradients(a.square(x), [x], seed)[0]!);
  };

  it("a seed of another element type or on another backend is refused", () => {
    t.scope(
      () => {
        expect(withSeed(t.tensor([1, 3]))).toEqual([2, 12]);
        expect(() => withSeed(t.tensor([1, 3], { dtype: "float64" }))).toThrow(
          new a.GradientError("gradients: got a float64 seed on wasm, expected float32 on wasm, as the output"),
        );
        expect(() => withSeed(t.tensor([1, 3], { backend: other }))).toThrow(
          new a.GradientError("gradients: got a float32 seed on reference, expected float32 on wasm, as the output"),
        );
      },
      { backend: wasm },
    );
  });
});

it("parameter and constant refuse a tensor whose element type differs from the given one", () => {
  t.scope(() => {
    const whole = t.tensor([1, 2], { dtype: "int32" });
    expect(a.constant(whole).dtype).toBe("int32");
    expect(a.constant(whole, "int32").dtype).toBe("int32");
    expect(() => a.constant(whole, "float32")).toThrow(new t.DTypeError("constant: got int32, expected float32"));
    expect(() => a.parameter(t.tensor([1]), "float64")).toThrow(
      new t.DTypeError("parameter: got float32, expected float64"),
    );
  });
});

it("no gradient flows through a conversion to int32", () => {
  t.scope(() => {
    const x = a.parameter([1.3, 2.7]);
    const whole = a.cast(x, "int32");
    expect([whole.requiresGradient, valuesOf(whole.value)]).toEqual([false, [1, 2]]);
    const y = a.sum(a.add(a.affine(a.cast(whole, "float32"), 2.5), x));
    expect(valuesOf(a.gradients(y, [x])[0]!)).toEqual([1, 1]);
    x.value.dispose();
  });
});

it("bceWithLogits refuses logits and targets of different shapes", () => {
  t.scope(() => {
    expect(() => a.bceWithLogits(a.constant([[1], [2]]), a.constant([1, 0]))).toThrow(
      new t.ShapeError("bceWithLogits: got logits [2, 1] and targets [2], expected equal shapes"),
    );
  });
});

it("a reference backend can replace a kernel of its own without changing the others", () => {
  const [changed, unchanged] = [new t.ReferenceBackend(), new t.ReferenceBackend()];
  Object.assign(changed.kernels, { fill: () => {} });
  Object.assign(changed.fused, { swigluBlock: () => {} });
  expect(unchanged.kernels.fill).not.toBe(changed.kernels.fill);
  expect(unchanged.fused.swigluBlock).not.toBe(changed.fused.swigluBlock);
});

it("a mean of int32 numbers is refused instead of truncated", () => {
  t.scope(() => {
    const whole = a.constant([1, 2], "int32");
    expect(() => a.mean(whole)).toThrow(t.DTypeError);
    expect(valuesOf(a.affine(whole, 3, -1).value)).toEqual([2, 5]);
    expect(() => a.affine(whole, 1, 0.5)).toThrow(
      new t.DTypeError("affine: got int32 with 1 and 0.5, expected whole numbers, or float32 or float64 (see cast)"),
    );
  });
});

describe("the arguments of an operation", () => {
  const numbers = (...values: number[]): Variable => a.parameter(values);

  // The others are wrapped in functions with parameters of their own.
  const direct = a.allOperations().flatMap((operation) => {
    const apply = (a as unknown as Record<string, unknown>)[operation.name];
    return typeof apply === "function" && "operation" in apply ? [[operation.name, operation, apply] as const] : [];
  });

  it("are checked for most operations", () => expect(direct.length).toBeGreaterThan(a.allOperations().length / 2));

  it.each(direct)("%s takes as many inputs as the samples of its domain have", (_, operation, apply) => {
    fc.assert(
      fc.property(operationExamples(operation), (example) => {
        t.scope(() => {
          const inputs = variablesOf(example, "float32", reference);
          const attributes = example.attributes === undefined ? [] : [example.attributes];
          expect(() => apply(...inputs, ...attributes)).not.toThrow();
          expect(() => apply(...inputs, ...attributes, "more")).toThrow(t.ArgumentError);
        });
      }),
      { numRuns: 5 },
    );
  });

  it("more operands than an operation has are refused", () => {
    t.scope(() => {
      const [x, y, z] = [numbers(1), numbers(2), numbers(100)];
      const add = a.add as (...given: Variable[]) => Variable;
      expect(() => add(x, y, z)).toThrow(new t.ArgumentError("add: got 3 arguments, expected 2"));
    });
  });

  it("conditions, ids and labels are not differentiated, even if they are parameters", () => {
    t.scope(() => {
      const x = numbers(1, 0, 2);
      const [dx] = a.gradients(a.sum(a.select(x, x, a.constant(0))), [x]);
      expect(valuesOf(dx!)).toEqual([1, 0, 1]);
      const table = a.parameter([[1], [2]]);
      const ids = a.parameter([1, 1], "int32");
      const [dTable, dIds] = a.gradients(a.sum(a.gatherRows(table, ids)), [table, ids]);
      expect(valuesOf(dTable!)).toEqual([0, 2]);
      expect(valuesOf(dIds!)).toEqual([0, 0]);
      const labels = a.parameter([1], "int32");
      const logits = a.parameter([[1, 2]]);
      expect(() => a.gradients(a.sum(a.crossEntropy(logits, labels)), [logits])).not.toThrow();
    });
  });

  it("slice refuses an operand that is no Variable and an axis that is no whole number, even if it takes all elements", () => {
    t.scope(() => {
      const slice = a.slice as (...given: unknown[]) => Variable;
      expect(() => slice(undefined, 0, 0, 1)).toThrow(t.ArgumentError);
      expect(() => slice(t.tensor([1, 2]), 0, 0, 2)).toThrow(t.ArgumentError);
      expect(() => slice(a.parameter([[1], [2]]), 1.5, 0, 1)).toThrow(t.ShapeError);
    });
  });

  it("an array of axes may change after the operation was recorded", () => {
    t.scope(() => {
      const x = a.parameter([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      for (const apply of [a.sum, a.mean, a.max]) {
        const axes = [0];
        const y = apply(x, axes);
        const [expected] = a.gradients(apply(x, [0]), [x], t.tensor([1, 10, 100]));
        axes[0] = 1;
        expect(valuesOf(a.gradients(y, [x], t.tensor([1, 10, 100]))[0]!)).toEqual(valuesOf(expected!));
      }
      const axes = [1, 0];
      const y = a.permute(x, axes);
      axes.reverse();
      expect(a.gradients(y, [x], t.full([3, 2], 1))[0]!.shape).toEqual([2, 3]);
    });
  });
});
