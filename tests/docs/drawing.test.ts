// The drawing of the folders in docs/architecture.md is the one that the import lines give.
import { expect, it } from "vitest";
import { drawArchitecture, drawingPath } from "../../scripts/draw-architecture.ts";
import { readText } from "./files.ts";

it("the committed drawing of the folders shows the imports of the source (npm run draw:architecture writes it)", () => {
  expect(readText(drawingPath)).toBe(drawArchitecture());
});
