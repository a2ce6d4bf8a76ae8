// The mutation test with other seeds: that every mutant is caught is no luck of one.
import { describe, expect, it } from "vitest";
import { allOperations } from "../../src/autograd/index.ts";
import { fixedExamples } from "./examples.ts";
import { EXAMPLES, listedAsEqual, survivors } from "./mutants.ts";

const SEEDS = 30;

describe(`every mutant is caught with each of ${SEEDS} seeds`, () => {
  it.each(allOperations().map((operation) => [operation.name, operation] as const))("%s", (_, operation) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const surviving = survivors(operation, fixedExamples(operation, EXAMPLES, seed));
      expect(surviving, `seed ${seed}`).toEqual(listedAsEqual(operation));
    }
  });
});
