// The accuracy of the shipped models in README.md comes from their cards.
import { expect, it } from "vitest";
import { readmeWithTable } from "../../scripts/weights/table.ts";
import { shippedNames } from "../../src/cli/shipped-models.ts";
import { readText } from "./files.ts";

it("README.md has the figures of the cards of all shipped models (npm run docs:weights)", () => {
  const readme = readText("README.md");
  for (const name of shippedNames()) expect(readme).toContain(`| [${name}](weights/${name}/README.md) |`);
  expect(readmeWithTable(readme)).toBe(readme);
});

it("a figure that differs from its card is noticed", () => {
  const readme = readText("README.md");
  const altered = readme.replace("| 100.0% (99.6% to 100.0%) |", "| 99.0% (99.6% to 100.0%) |");
  expect(altered).not.toBe(readme);
  expect(readmeWithTable(altered)).toBe(readme);
});
