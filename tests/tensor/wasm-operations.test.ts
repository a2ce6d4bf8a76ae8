// Every registered operation on the WebAssembly backend against the reference in float32: value and gradients, as fused
// operations and by definitions. New operations are included automatically.
import fc from "fast-check";
import { describe, it } from "vitest";
import { allOperations, apply, gradients, type Operation, Variable } from "../../src/autograd/index.ts";
import { type Backend, scope, tensor } from "../../src/tensor/index.ts";
import { type OperationExample, operationExamples } from "../../src/testing.ts";
import { checkClose } from "../gpu/suite/case.ts";
import { valuesOf } from "./naive.ts";
import { builds, reference } from "./wasm-backends.ts";

/** Value, and gradients of Σ w · value with weights w of order 1. */
function evaluate(
  operation: Operation,
  { inputs, attributes }: OperationExample,
  backend: Backend,
  fused = true,
): { value: number[]; gradients: number[][] } {
  return scope(
    () => {
      const variables = inputs.map(({ shape, values, dtype, fixed }) => {
        const type = dtype === "int32" ? "int32" : "float32";
        const value = tensor(Array.from(values, Math.fround), { shape, dtype: type, backend });
        return new Variable(value, null, !fixed && type === "float32");
      });
      const output = apply(operation, variables, attributes);
      const weights = Float32Array.from({ length: output.value.size }, (_, i) => 1 + 0.5 * Math.sin(1 + 3 * i));
      const seed = tensor(weights, { shape: output.shape, dtype: output.dtype, backend });
      const wanted = variables.filter((variable) => variable.requiresGradient);
      return { value: valuesOf(output.value), gradients: gradients(output, wanted, seed).map(valuesOf) };
    },
    { backend, fused },
  );
}

describe.each(builds.map((backend) => [backend.build, backend] as const))("registered operations: %s", (_, backend) => {
  it.each(allOperations().map((operation) => [operation.name, operation] as const))(
    "%s has the value and gradients of the reference",
    (name, operation) => {
      fc.assert(
        fc.property(operationExamples(operation), (example) => {
          const wanted = evaluate(operation, example, reference);
          const what = `${name} of ${example.inputs.map(({ shape }) => `[${shape}]`).join(", ")}`;
          for (const fused of operation.definition ? [true, false] : [true]) {
            const got = evaluate(operation, example, backend, fused);
            // Rounding errors grow by up to 1 / ε where a norm divides by a very small number; a wrong kernel has far larger errors.
            checkClose(what, got.value, wanted.value, { tolerance: 2e-5 });
            got.gradients.forEach((gradient, i) => {
              checkClose(`${what}, gradient ${i}`, gradient, wanted.gradients[i]!, { tolerance: 2e-4 });
            });
          }
        }),
        { numRuns: 30 },
      );
    },
  );
});
