// Shared by the tests of this folder: turns an example of an operation into variables, and evaluates value and gradients.
import fc from "fast-check";
import { apply, gradients, type Operation, Variable } from "../../src/autograd/index.ts";
import { type Backend, ReferenceBackend, scope, setRootBackend, tensor } from "../../src/tensor/index.ts";
import { type OperationExample, operationExamples } from "../../src/testing.ts";
import { valuesOf } from "../values.ts";

export { valuesOf };

// The rules are tested on the reference backend, which is the specification of the other backends.
setRootBackend(new ReferenceBackend());

/** `count` examples of an operation, the same in every run. */
export const fixedExamples = (operation: Operation, count: number, seed = 2510): OperationExample[] =>
  fc.sample(operationExamples(operation), { numRuns: count, seed });

export const isDifferentiable = ({ fixed, dtype }: OperationExample["inputs"][number]): boolean =>
  !fixed && dtype !== "int32";

/** The inputs of an example with real numbers of the given type; indices stay int32. */
export function variablesOf(example: OperationExample, dtype: "float32" | "float64", backend: Backend): Variable[] {
  return example.inputs.map((input) => {
    const { shape, values } = input;
    const type = input.dtype === "int32" ? "int32" : dtype;
    return new Variable(tensor(values, { shape, dtype: type, backend }), null, isDifferentiable(input));
  });
}

export interface Evaluation {
  readonly value: number[];
  /** One list per input; empty for inputs that are not differentiated. */
  readonly gradients: number[][];
}

export interface EvaluationOptions {
  readonly dtype?: "float32" | "float64";
  readonly fused?: boolean;
  readonly backend?: Backend;
}

/** The value, and the gradients of Σ w · value. The weights w are of order 1 and differ from element to element. */
export function evaluate(
  operation: Operation,
  example: OperationExample,
  { dtype = "float64", fused = true, backend = new ReferenceBackend() }: EvaluationOptions = {},
): Evaluation {
  return scope(
    () => {
      const variables = variablesOf(example, dtype, backend);
      const output = apply(operation, variables, example.attributes);
      const weights = Array.from({ length: output.value.size }, (_, i) => 1 + 0.5 * Math.sin(1 + 3 * i));
      const seed = tensor(weights, { shape: output.shape, dtype: output.dtype, backend });
      const wanted = variables.filter((variable) => variable.requiresGradient);
      const computed = gradients(output, wanted, seed);
      return {
        value: valuesOf(output.value),
        gradients: variables.map((variable) => {
          const at = wanted.indexOf(variable);
          return at < 0 ? [] : valuesOf(computed[at]!);
        }),
      };
    },
    { backend, fused },
  );
}

/** The largest difference of two lists, relative to their largest entry, or to `floor` if all entries are smaller. */
export function relativeDifference(a: readonly number[], b: readonly number[], floor = 1e-3): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  const largest = (x: readonly number[]): number => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = largest(a.map((value, i) => value - b[i]!));
  return difference / Math.max(floor, largest(a), largest(b));
}
