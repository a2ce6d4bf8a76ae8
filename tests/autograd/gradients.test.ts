// Tests every registered operation on examples of its domain: gradients against difference quotients, float32 against float64,
// and fused operations against their definitions. A new operation is tested here without any edit.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  affine,
  allOperations,
  checkGradient,
  constant,
  crossEntropy,
  gradients,
  type Operation,
  operationNamed,
  parameter,
  sigmoid,
  sum,
} from "../../src/autograd/index.ts";
import { scope, type VisibleStorage } from "../../src/tensor/index.ts";
import { checkOperation, type OperationExample, operationExamples } from "../../src/testing.ts";
import { evaluate, isDifferentiable, relativeDifference, valuesOf } from "./examples.ts";

const RUNS = 150;
const named = allOperations().map((operation) => [operation.name, operation] as const);

const example = (inputs: OperationExample["inputs"], attributes?: unknown): OperationExample => ({
  inputs,
  attributes,
});
const row = (...values: number[]) => ({ shape: [values.length], values });

describe("gradients in float64", () => {
  it.each(named)("the gradient of %s agrees with a difference quotient", (_, operation) => {
    fc.assert(
      fc.property(operationExamples(operation), (inputs) => checkOperation(operation, inputs)),
      { numRuns: RUNS },
    );
  });

  it("the gradient of tanh at 0, 1 and -2 is 1 - tanh²", () => {
    const tanh = operationNamed("tanh");
    const inputs = example([row(0, 1, -2)]);
    checkOperation(tanh, inputs);
    const weights = [0, 1, 2].map((i) => 1 + 0.5 * Math.sin(1 + 3 * i)); // the weights of `evaluate`
    const expected = [0, 1, -2].map((x, i) => weights[i]! * (1 - Math.tanh(x) ** 2));
    expect(relativeDifference(evaluate(tanh, inputs).gradients[0]!, expected)).toBeLessThan(1e-15);
  });

  it("the check finds one wrong entry in a large gradient", () => {
    const square = operationNamed("square");
    const values = Float64Array.from({ length: 24 }, (_, i) => 0.3 + 0.1 * i);
    const offByOne: Operation = {
      ...square,
      backward: (dy, context) => {
        const gradients = square.backward(dy, context);
        (gradients[0]!.storage as VisibleStorage).array[17]! *= 1.001;
        return gradients;
      },
    };
    checkOperation(square, example([{ shape: [4, 6], values }]));
    expect(() => checkOperation(offByOne, example([{ shape: [4, 6], values }]))).toThrow(
      "square: gradient of input 0 [4, 6]",
    );
  });

  it("the check accepts the sharply bent function sigmoid(3000x)", () => {
    expect(checkGradient("sigmoid(3000x)", (x) => sigmoid(affine(x, 3000)), [row(0.0004, -0.0002)]).worst).toBeLessThan(
      1e-6,
    );
  });

  it("the check of the identity is much more precise than the tolerance", () => {
    const { worst } = checkGradient("x", (x) => x, [row(1, 2, 3)]);
    expect(worst).toBeLessThan(1e-9);
  });
});

describe("float32 against float64", () => {
  /** The example with inputs that both types can represent. */
  const rounded = ({ inputs, attributes }: OperationExample): OperationExample => ({
    inputs: inputs.map((input) => ({ ...input, values: Array.from(input.values, Math.fround) })),
    attributes,
  });

  it.each(named)("value and gradient of %s agree in float32 and float64", (_, operation) => {
    fc.assert(
      fc.property(operationExamples(operation), (drawn) => {
        const inputs = rounded(drawn);
        // A norm of small numbers enlarges the rounding error of 6e-8 by up to 1 / ε. The error of a wrong kernel is far larger.
        const [single, double] = [evaluate(operation, inputs, { dtype: "float32" }), evaluate(operation, inputs)];
        expect(relativeDifference(single.value, double.value, 0.1)).toBeLessThan(2e-5);
        single.gradients.forEach((gradient, i) => {
          expect(relativeDifference(gradient, double.gradients[i]!, 0.1)).toBeLessThan(2e-4);
        });
      }),
      { numRuns: RUNS },
    );
  });

  it("the reciprocal of 3 differs in the eighth digit between float32 and float64", () => {
    const reciprocal = operationNamed("reciprocal");
    const third = (dtype: "float32" | "float64") => evaluate(reciprocal, example([row(3)]), { dtype }).value[0];
    expect([third("float32"), third("float64")]).toEqual([Math.fround(1 / 3), 1 / 3]);
  });
});

describe("constants among the inputs", () => {
  it.each(named)("the results of %s do not depend on which other inputs are constants", (_, operation) => {
    fc.assert(
      fc.property(operationExamples(operation), ({ inputs, attributes }) => {
        const { value, gradients } = evaluate(operation, { inputs, attributes });
        for (const [i, input] of inputs.entries()) {
          if (!isDifferentiable(input)) continue;
          // The gradient of one input alone, the others being constants.
          const alone = inputs.map((other, j) => (j === i ? other : { ...other, fixed: true }));
          const one = evaluate(operation, { inputs: alone, attributes });
          expect([one.value, one.gradients[i]]).toEqual([value, gradients[i]]);
        }
        const constants = inputs.map((input) => ({ ...input, fixed: true }));
        expect(evaluate(operation, { inputs: constants, attributes }).value).toEqual(value);
      }),
      { numRuns: RUNS / 3 },
    );
  });

  it("a fused block that saves nothing for its gradient has the same value", () => {
    const inputs = [
      { shape: [1, 1, 1], values: [2] },
      { shape: [2, 1], values: [1, 1] },
      { shape: [1, 1], values: [1] },
    ];
    const attributes = { axis: -1, epsilon: 0 };
    const block = operationNamed("swigluBlock");
    expect(evaluate(block, { inputs, attributes }).value).toEqual([1]);
    const constants = inputs.map((input) => ({ ...input, fixed: true }));
    expect(evaluate(block, { inputs: constants, attributes }).value).toEqual([1]);
  });
});

describe("at a kink", () => {
  const gradientAt = (name: string, inputs: OperationExample["inputs"], attributes?: unknown): number[][] => {
    const { value, gradients } = evaluate(operationNamed(name), example(inputs, attributes));
    const weight = (i: number): number => 1 + 0.5 * Math.sin(1 + 3 * (value.length === 1 ? 0 : i));
    return gradients.map((gradient) => gradient.map((own, i) => own / weight(i)));
  };

  it("the gradients of relu and abs at 0 are 0", () => {
    expect(gradientAt("relu", [row(0)])).toEqual([[0]]);
    expect(gradientAt("abs", [row(0)])).toEqual([[0]]);
  });

  it("maximum of two equal numbers passes its gradient to the second", () =>
    expect(gradientAt("maximum", [row(1), row(1)])).toEqual([[0], [1]]));

  it("max shares its gradient equally among the largest elements", () => {
    expect(gradientAt("max", [row(2, 1, 2)], { axes: [0], keepAxes: false })).toEqual([[0.5, 0, 0.5]]);
  });
});

describe("fused operations", () => {
  const fused = allOperations().filter((operation) => operation.definition);

  it("the fused operations are those with a definition", () => {
    expect(fused.map((operation) => operation.name)).toEqual([
      "linear",
      "selfAttention",
      "siluGate",
      "rmsNorm",
      "swigluBlock",
      "crossEntropy",
    ]);
  });

  it.each(fused.map((operation) => [operation.name, operation] as const))(
    "the kernel of %s agrees with its definition",
    (_, operation) => {
      fc.assert(
        fc.property(operationExamples(operation), (inputs) => {
          const [kernel, definition] = [evaluate(operation, inputs), evaluate(operation, inputs, { fused: false })];
          expect(relativeDifference(kernel.value, definition.value)).toBeLessThan(1e-12);
          kernel.gradients.forEach((gradient, i) => {
            expect(gradient.length > 0).toBe(isDifferentiable(inputs.inputs[i]!));
            expect(relativeDifference(gradient, definition.gradients[i]!)).toBeLessThan(1e-11);
          });
        }),
        { numRuns: 2 * RUNS },
      );
    },
  );

  it.each(fused.map((operation) => [operation.name, operation] as const))(
    "%s runs its definition in a scope without fused operations",
    (_, operation) => {
      let ran = 0;
      const counting: Operation = {
        ...operation,
        definition: (inputs, attributes) => {
          ran++;
          return operation.definition!(inputs, attributes);
        },
      };
      const [inputs] = fc.sample(operationExamples(operation), { numRuns: 1, seed: 1 });
      evaluate(counting, inputs!);
      expect(ran).toBe(0);
      evaluate(counting, inputs!, { fused: false });
      expect(ran).toBe(1);
    },
  );

  it("rmsNorm divides [3, 4] by the root of 12.5", () => {
    const inputs = example([{ shape: [1, 1, 2], values: [3, 4] }], { axis: -1, epsilon: 0 });
    for (const fused of [true, false]) {
      const { value } = evaluate(operationNamed("rmsNorm"), inputs, { fused });
      expect(relativeDifference(value, [3 / Math.sqrt(12.5), 4 / Math.sqrt(12.5)])).toBeLessThan(1e-15);
    }
  });
});

describe("cross-entropy of a label whose probability underflows", () => {
  it.each([true, false])("has the gradient p - 1, also at p = 0 (fused: %s)", (fused) => {
    scope(
      () => {
        const logits = parameter([[0, 1000]], "float64");
        const [gradient] = gradients(sum(crossEntropy(logits, constant([0], "int32"), "softmax")), [logits]);
        expect(valuesOf(gradient!)).toEqual([-1, 1]);
      },
      { fused },
    );
  });
});
