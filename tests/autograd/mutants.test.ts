// The test of the gradient check itself: every backward rule is broken in every way of a fixed list, and the check must catch
// each of these mutants. One that it cannot catch, because it equals the original, is listed with its reason, and the
// equality is checked.
import { describe, expect, it } from "vitest";
import { allOperations, operationNamed } from "../../src/autograd/index.ts";
import { evaluate, fixedExamples, isDifferentiable } from "./examples.ts";
import {
  EXAMPLES,
  equalMutants,
  isCaught,
  listedAsEqual,
  mutantOf,
  mutantsOf,
  scalings,
  survivors,
} from "./mutants.ts";

describe("every mutant of every backward rule", () => {
  const all = allOperations().map((operation) => {
    const examples = fixedExamples(operation, EXAMPLES);
    return { operation, examples, mutants: mutantsOf(operation, examples) };
  });
  const found = new Map<string, string[]>();
  const survivorsOf = ({ operation, examples }: (typeof all)[number]): string[] => {
    const surviving = found.get(operation.name) ?? survivors(operation, examples);
    found.set(operation.name, surviving);
    return surviving;
  };

  it.each(all.map((one) => [one.operation.name, one] as const))("%s", (_, one) => {
    expect(survivorsOf(one)).toEqual(listedAsEqual(one.operation));
    const unchanged = mutantOf(
      one.operation,
      "unchanged",
      (gradients) => gradients,
      () => true,
    );
    expect(isCaught(unchanged, one.examples)).toBe(false);
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
    const mutants = all.flatMap((one) => one.mutants).length;
    const caught = mutants - all.flatMap(survivorsOf).length;
    const equal = Object.entries(equalMutants);
    const reasons = equal.map(([name, reason]) => `${name} (${reason})`).join(", ");
    console.log(
      `${mutants} mutants of ${all.length} backward rules: ${caught} caught, ${equal.length} equal to the original: ${reasons}`,
    );
    expect(caught + equal.length).toBe(mutants);
    expect(mutants).toBeGreaterThan(4 * all.length);
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
});
