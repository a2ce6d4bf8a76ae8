// The table of limits in docs/testing.md has the limit of every operation that has one.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { allOperations } from "../../src/autograd/index.ts";

it("docs/testing.md lists the largest magnitudes of the operations", () => {
  const page = readFileSync(new URL("../../docs/testing.md", import.meta.url), "utf8");
  const listed = [...page.matchAll(/^\| (\w+) \| (1e\d+) \|/gm)].map(([, name, limit]) => [name, Number(limit)]);
  const limited = allOperations().flatMap(({ name, maxMagnitude }) => (maxMagnitude ? [[name, maxMagnitude]] : []));
  expect(listed.sort()).toEqual(limited.sort());
});
