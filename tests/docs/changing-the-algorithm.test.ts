// The code of docs/changing-the-algorithm.md: parts of the examples, which tests/examples runs, and blocks that run here as printed.
import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { codeBlocks } from "../doc-code.ts";
import { runProgram } from "../run-program.ts";
import { projectRoot } from "../source.ts";
import { readText } from "./files.ts";

const page = "docs/changing-the-algorithm.md";
const isProgram = (block: string): boolean => block.startsWith("import");
const blocks = codeBlocks(page, "ts");

it("the parts that docs/changing-the-algorithm.md shows are lines of the examples", () => {
  const examples = readdirSync(`${projectRoot}examples`).map((name) => readText(`examples/${name}`));
  const parts = blocks.filter((block) => !isProgram(block));
  expect(parts.length).toBeGreaterThan(5);
  expect(parts.filter((part) => !examples.some((text) => text.includes(part)))).toEqual([]);
});

it("the programs of docs/changing-the-algorithm.md run one after another, and print what the page shows", async () => {
  const printed = await runProgram("changing", blocks.filter(isProgram).join("\n"));
  expect(printed).toBe(codeBlocks(page, "text").join(""));
});
