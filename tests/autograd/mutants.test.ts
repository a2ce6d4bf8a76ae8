// Tests the gradient check itself: every backward rule is broken in every way of a fixed list, and the check must catch each of
// these mutants. A mutant that equals the original cannot be caught. It is listed with the reason, and the equality is tested.
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

describe("mutants of backward rules", () => {
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

  it.each(all.map((one) => [one.operation.name, one] as const))(
    "all mutants of %s are caught, and the unchanged rule passes",
    (_, one) => {
      expect(survivorsOf(one)).toEqual(listedAsEqual(one.operation));
      const unchanged = mutantOf(
        one.operation,
        "unchanged",
        (gradients) => gradients,
        () => true,
      );
      expect(isCaught(unchanged, one.examples)).toBe(false);
    },
  );

  it("there are mutants for every differentiable input of every operation", () => {
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

  it("every mutant that is listed as equal gives the same numbers as the original", () => {
    const mutants = all.flatMap((one) => one.mutants.map((mutant) => ({ ...one, mutant })));
    for (const [name, reason] of Object.entries(equalMutants)) {
      const found = mutants.find(({ mutant }) => mutant.name === name);
      expect(found, `${name} (${reason}) is not a mutant`).toBeDefined();
      const shown = found!.examples.filter(found!.mutant.appliesTo);
      expect(shown.length).toBeGreaterThan(2);
      for (const example of shown) {
        expect(evaluate(found!.mutant.operation, example)).toEqual(evaluate(found!.operation, example));
      }
    }
  });

  it("every mutant is either caught or listed as equal", () => {
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

describe("the mutation test itself", () => {
  const multiply = operationNamed("multiply");
  const examples = fixedExamples(multiply, EXAMPLES);

  it("all mutants survive a check with infinite tolerance", () => {
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

  it("mutants of the gradient of a survive a domain in which b is always 0", () => {
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
