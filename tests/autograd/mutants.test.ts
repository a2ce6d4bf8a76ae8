// The test of the gradient check itself: every backward rule is broken in every way of a fixed list, and the check must catch
// each of these mutants. One that it cannot catch, because it equals the original, is listed with its reason, and the
// equality is checked.
import { describe, expect, it } from "vitest";
import {
  type AnyOperation,
  allOperations,
  apply,
  checkGradient,
  GradientError,
  operationNamed,
} from "../../src/autograd/index.ts";
import { affine, sameShape, type Tensor } from "../../src/tensor/index.ts";
import type { OperationExample } from "../../src/testing.ts";
import { evaluate, fixedExamples, isDifferentiable } from "./examples.ts";

const EXAMPLES = 30;

/** Mutants that equal the original: swapping two gradients that are the same tensor of numbers. */
const equalMutants: Readonly<Record<string, string>> = {
  "add: gradients 0 and 1 swapped": "both are dy",
  "rmsNorm: gradients 0 and 1 swapped": "h and r enter as h + r only, so both get the gradient of the sum",
};

type Gradients = readonly (Tensor | null)[];

interface Mutant {
  readonly name: string;
  readonly operation: AnyOperation;
  /** Whether it can show on these inputs: all it touches are there, and swapped ones are of one shape. */
  appliesTo(example: OperationExample): boolean;
}

const scalings = { zero: 0, negated: -1, "times 2": 2, "times 1.01": 1.01 };

const mutantOf = (
  original: AnyOperation,
  what: string,
  mutate: (gradients: Gradients) => Gradients,
  appliesTo: Mutant["appliesTo"],
): Mutant => ({
  name: `${original.name}: ${what}`,
  operation: { ...original, backward: (dy, context) => mutate(original.backward(dy, context)) },
  appliesTo,
});

function mutantsOf(operation: AnyOperation, examples: readonly OperationExample[]): Mutant[] {
  const mayHave = (example: OperationExample, i: number): boolean =>
    i < example.inputs.length && isDifferentiable(example.inputs[i]!);
  const most = Math.max(...examples.map(({ inputs }) => inputs.length));
  const positions = [...Array(most).keys()].filter((i) => examples.some((example) => mayHave(example, i)));
  const scaled = positions.flatMap((i) =>
    Object.entries(scalings).map(([what, factor]) =>
      mutantOf(
        operation,
        `gradient ${i} ${what}`,
        (gradients) => gradients.map((own, at) => (at === i && own ? affine(own, factor) : own)),
        (example) => mayHave(example, i),
      ),
    ),
  );
  const swapped = positions.flatMap((i) =>
    positions
      .filter((j) => j > i)
      .map((j) =>
        mutantOf(
          operation,
          `gradients ${i} and ${j} swapped`,
          (gradients) => gradients.map((own, at) => gradients[at === i ? j : at === j ? i : at] ?? own),
          (example) =>
            mayHave(example, i) && mayHave(example, j) && sameShape(example.inputs[i]!.shape, example.inputs[j]!.shape),
        ),
      ),
  );
  return [...scaled, ...swapped].filter((mutant) => examples.some((example) => mutant.appliesTo(example)));
}

function isCaught({ operation, appliesTo }: Mutant, examples: readonly OperationExample[], tolerance = 1e-6): boolean {
  return examples.filter(appliesTo).some(({ inputs, attributes }) => {
    try {
      checkGradient(operation.name, (...variables) => apply(operation, variables, attributes), inputs, { tolerance });
      return false;
    } catch (error) {
      if (error instanceof GradientError) return true;
      throw error;
    }
  });
}

/** Names of the mutants that no example catches. */
const survivors = (operation: AnyOperation, examples: readonly OperationExample[], tolerance?: number): string[] =>
  mutantsOf(operation, examples)
    .filter((mutant) => !isCaught(mutant, examples, tolerance))
    .map((mutant) => mutant.name);

describe("every mutant of every backward rule", () => {
  const all = allOperations().map((operation) => {
    const examples = fixedExamples(operation, EXAMPLES);
    return { operation, examples, mutants: mutantsOf(operation, examples) };
  });
  const count = { mutants: 0, caught: 0 };

  it.each(all.map((one) => [one.operation.name, one] as const))("%s", (_, { operation, examples, mutants }) => {
    const surviving = survivors(operation, examples);
    count.mutants += mutants.length;
    count.caught += mutants.length - surviving.length;
    expect(surviving).toEqual(Object.keys(equalMutants).filter((name) => name.startsWith(`${operation.name}:`)));
  });

  it("covers every operation and every differentiable input", () => {
    for (const { operation, examples, mutants } of all) {
      const inputs = new Set(
        examples.flatMap(({ inputs }) => [...inputs.keys()].filter((i) => isDifferentiable(inputs[i]!))),
      );
      expect(inputs.size, operation.name).toBeGreaterThan(0);
      for (const i of inputs) {
        for (const what of Object.keys(scalings)) {
          expect(mutants.map(({ name }) => name)).toContain(`${operation.name}: gradient ${i} ${what}`);
        }
      }
    }
  });

  it("that is listed as equal gives the same numbers", () => {
    const mutants = all.flatMap((one) => one.mutants.map((mutant) => ({ ...one, mutant })));
    for (const [name, reason] of Object.entries(equalMutants)) {
      const found = mutants.find(({ mutant }) => mutant.name === name);
      expect(found, `${name} (${reason}) is no mutant`).toBeDefined();
      const shown = found!.examples.filter(found!.mutant.appliesTo);
      expect(shown.length).toBeGreaterThan(2);
      for (const example of shown) {
        expect(evaluate(found!.mutant.operation, example)).toEqual(evaluate(found!.operation, example));
      }
    }
  });

  it("is counted", () => {
    const equal = Object.keys(equalMutants).length;
    console.log(
      `${count.mutants} mutants of ${all.length} backward rules: ${count.caught} caught, ${equal} equal to the original (${Object.entries(
        equalMutants,
      )
        .map(([name, reason]) => `${name}: ${reason}`)
        .join("; ")})`,
    );
    expect(count.caught + equal).toBe(count.mutants);
    expect(count.mutants).toBeGreaterThan(4 * all.length);
  });
});

describe("this test can fail", () => {
  const multiply = operationNamed("multiply");
  const examples = fixedExamples(multiply, EXAMPLES);

  it("reports all mutants when the check is blind", () => {
    expect(survivors(multiply, examples, Number.POSITIVE_INFINITY)).toEqual([
      "multiply: gradient 0 zero",
      "multiply: gradient 0 negated",
      "multiply: gradient 0 times 2",
      "multiply: gradient 0 times 1.01",
      "multiply: gradient 1 zero",
      "multiply: gradient 1 negated",
      "multiply: gradient 1 times 2",
      "multiply: gradient 1 times 1.01",
      "multiply: gradients 0 and 1 swapped",
    ]);
  });

  it("reports what a careless domain hides: b = 0 leaves nothing of the gradient of a", () => {
    const careless = examples.map(({ inputs: [a, b], attributes }) => ({
      inputs: [a!, { ...b!, values: new Float64Array(b!.values.length) }],
      attributes,
    }));
    expect(survivors(multiply, careless)).toEqual([
      "multiply: gradient 0 zero",
      "multiply: gradient 0 negated",
      "multiply: gradient 0 times 2",
      "multiply: gradient 0 times 1.01",
    ]);
  });

  it("lets the original pass, and an unchanged copy of it", () => {
    const copy = mutantOf(
      multiply,
      "unchanged",
      (gradients) => gradients,
      () => true,
    );
    expect(isCaught(copy, examples)).toBe(false);
  });
});
