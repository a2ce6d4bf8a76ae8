// The drawing of the house in docs/architecture.md is the one that the import lines give.
import { expect, it } from "vitest";
import { drawHouse, housePath } from "../../scripts/draw-house.ts";
import { readText } from "./files.ts";

it("the committed drawing of the folders shows the imports of the source (npm run draw:house writes it)", () => {
  expect(readText(housePath)).toBe(drawHouse());
});
