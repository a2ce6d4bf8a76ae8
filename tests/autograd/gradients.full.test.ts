// The properties of gradients.test.ts on many more examples.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allOperations } from "../../src/autograd/index.ts";
import { checkOperation, operationExamples } from "../../src/testing.ts";
import { evaluate, relativeDifference } from "./examples.ts";

const numRuns = 2000;
const named = allOperations().map((operation) => [operation.name, operation] as const);

describe("gradients in float64", () => {
  it.each(named)("the gradient of %s agrees with a difference quotient", (_, operation) => {
    fc.assert(
      fc.property(operationExamples(operation), (inputs) => checkOperation(operation, inputs)),
      { numRuns },
    );
  });
});

describe("fused operations", () => {
  it.each(named.filter(([, { definition }]) => definition))(
    "the kernel of %s agrees with its definition",
    (_, operation) => {
      fc.assert(
        fc.property(operationExamples(operation), (inputs) => {
          const [kernel, definition] = [evaluate(operation, inputs), evaluate(operation, inputs, { fused: false })];
          expect(relativeDifference(kernel.value, definition.value)).toBeLessThan(1e-12);
          kernel.gradients.forEach((gradient, i) => {
            expect(relativeDifference(gradient, definition.gradients[i]!)).toBeLessThan(1e-11);
          });
        }),
        { numRuns },
      );
    },
  );
});
