// The code of docs/after-the-paper.md: the program runs as printed, and the recursion that the page shows is that of the source.
import { expect, it } from "vitest";
import { codeBlocks } from "../doc-code.ts";
import { runProgram } from "../run-program.ts";
import { readText } from "./files.ts";

const page = "docs/after-the-paper.md";
const isProgram = (block: string): boolean => block.startsWith("import");
const blocks = codeBlocks(page, "ts");

it("the program of the page prints what the page shows", async () => {
  const printed = await runProgram("after-the-paper", blocks.filter(isProgram).join("\n"));
  expect(printed).toBe(codeBlocks(page, "text").join(""));
});

it("the recursion that the page shows is that of fixed-point.ts", () => {
  const shown = blocks.filter((block) => !isProgram(block));
  expect(shown).toHaveLength(1);
  expect(readText("src/trm/fixed-point.ts")).toContain(shown[0]);
});
