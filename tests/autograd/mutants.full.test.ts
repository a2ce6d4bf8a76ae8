// The mutation test with other seeds, so that the result does not depend on one lucky seed.
import { describe, expect, it } from "vitest";
import { allOperations } from "../../src/autograd/index.ts";
import { fixedExamples } from "./examples.ts";
import { EXAMPLES, listedAsEqual, survivors } from "./mutants.ts";

const SEEDS = 30;

describe("mutants of backward rules", () => {
  it.each(allOperations().map((operation) => [operation.name, operation] as const))(
    `all mutants of %s are caught with each of ${SEEDS} seeds`,
    (_, operation) => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const surviving = survivors(operation, fixedExamples(operation, EXAMPLES, seed));
        expect(surviving, `seed ${seed}`).toEqual(listedAsEqual(operation));
      }
    },
  );
});
