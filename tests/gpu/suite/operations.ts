// Compares every registered operation, on examples from its domain, with the reference backend: value and gradients, and for fused
// operations the definition as well. New operations are included automatically.
import fc from "fast-check";
import { allOperations, apply, gradients, type Operation, Variable } from "../../../src/autograd/index.ts";
import type { GpuBackend } from "../../../src/tensor/backends/gpu/index.ts";
import { type Backend, type NumberArray, ReferenceBackend, scope, tensor } from "../../../src/tensor/index.ts";
import { type OperationExample, operationExamples } from "../../../src/testing.ts";
import { type Case, checkClose } from "./case.ts";

/** A norm whose input is close to zero amplifies rounding; a wrong kernel differs by far more. */
const valueTolerance = 5e-5;
const gradientTolerance = 5e-4;

export const operationCases = (examplesEach: number): Case[] =>
  allOperations().map((operation) => ({
    name: `${operation.name} has the value and the gradients of the reference backend`,
    async run(backend) {
      const reference = new ReferenceBackend();
      for (const example of fc.sample(operationExamples(operation), { numRuns: examplesEach, seed: 2510 })) {
        const expected = await evaluate(operation, example, reference);
        await compare(operation, backend, example, expected, true);
        if (operation.definition) await compare(operation, backend, example, expected, false);
      }
    },
  }));

async function compare(
  operation: Operation,
  backend: GpuBackend,
  example: OperationExample,
  expected: Evaluation,
  fused: boolean,
): Promise<void> {
  const shapes = example.inputs.map(({ shape }) => `[${shape}]`).join(", ");
  const what = `${operation.name} of ${shapes}${fused ? "" : " by its definition"}`;
  const got = await evaluate(operation, example, backend, fused);
  checkClose(what, got.value, expected.value, { tolerance: valueTolerance });
  got.gradients.forEach((gradient, i) => {
    checkClose(`${what}, gradient ${i}`, gradient, expected.gradients[i]!, { tolerance: gradientTolerance });
  });
}

interface Evaluation {
  readonly value: NumberArray;
  readonly gradients: readonly NumberArray[];
}

/** The value, and the gradients of Σ w · value with weights w of order 1. */
async function evaluate(
  operation: Operation,
  { inputs, attributes }: OperationExample,
  backend: Backend,
  fused = true,
): Promise<Evaluation> {
  const result = scope(
    () => {
      const variables = inputs.map(({ shape, values, dtype, fixed }) => {
        const type = dtype === "int32" ? "int32" : "float32";
        const value = tensor(Array.from(values, Math.fround), { shape, dtype: type, backend });
        return new Variable(value, null, !fixed && type === "float32");
      });
      const output = apply(operation, variables, attributes);
      const weights = Float32Array.from({ length: output.value.size }, (_, i) => 1 + 0.5 * Math.sin(1 + 3 * i));
      const seed = tensor(weights, { shape: output.shape, dtype: output.dtype, backend });
      const differentiated = variables.filter((variable) => variable.requiresGradient);
      return { value: output.value.view(output.shape), gradients: gradients(output, differentiated, seed) };
    },
    { backend, fused },
  );
  const value = await result.value.data();
  const list = await Promise.all(result.gradients.map((gradient) => gradient.data()));
  for (const one of [result.value, ...result.gradients]) one.dispose();
  return { value, gradients: list };
}
