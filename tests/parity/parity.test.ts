// Replays every parity case of the fixtures.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findCases, runCase } from "./main.ts";

const fixtures = join(import.meta.dirname, "../fixtures/parity");

describe("parity with the official code", () => {
  const cases = findCases(fixtures);

  it("all twelve cases are found, and the folder of data sets contains none", () => {
    expect(cases).toHaveLength(12);
    expect(findCases(join(fixtures, "datasets"))).toEqual([]);
  });

  for (const folder of cases) {
    it(`the case ${folder.slice(fixtures.length + 1)} agrees with the official numbers`, async () => {
      const { passes, line } = await runCase(folder);
      expect(passes, line).toBe(true);
    });
  }
});
