// Every case of the official code's numbers in the fixtures passes, and a folder without a case does not.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findCases, runCase } from "./main.ts";

const fixtures = join(import.meta.dirname, "../fixtures/parity");

describe("parity with the official code", () => {
  const cases = findCases(fixtures);

  it("finds all cases", () => {
    expect(cases).toHaveLength(12);
    expect(findCases(join(fixtures, "datasets"))).toEqual([]);
  });

  for (const folder of cases) {
    it(folder.slice(fixtures.length + 1), async () => {
      const { passes, line } = await runCase(folder);
      expect(passes, line).toBe(true);
    });
  }
});
