// The accuracy of the shipped models in README.md comes from their cards.
import { expect, it } from "vitest";
import { cardText } from "../../scripts/weights/card.ts";
import { cards, readmeWithTable } from "../../scripts/weights/table.ts";
import { shippedNames } from "../../src/cli/shipped-models.ts";
import { readText } from "./files.ts";

it("README.md has the figures of the cards of all shipped models (npm run docs:weights)", () => {
  const readme = readText("README.md");
  for (const name of shippedNames()) expect(readme).toContain(`| [${name}](weights/${name}/README.md) |`);
  expect(readmeWithTable(readme)).toBe(readme);
});

it.each(cards())("weights/$name/README.md is the text of its card.json (npm run docs:weights)", (card) => {
  expect(readText(`weights/${card.name}/README.md`)).toBe(cardText(card));
});

it("a figure that differs from its card is noticed", () => {
  const readme = readText("README.md");
  const altered = readme.replace("| 100.0% (99.6% to 100.0%) |", "| 99.0% (99.6% to 100.0%) |");
  expect(altered).not.toBe(readme);
  expect(readmeWithTable(altered)).toBe(readme);
});
