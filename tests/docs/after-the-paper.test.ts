// docs/after-the-paper.md: the program runs as printed, the recursion that the page shows is that of the source, and the figures of
// the ablations are those of their stored results.
import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { spread } from "../../src/runs/ablation/report.ts";
import { readCells, readPlan } from "../../src/runs/index.node.ts";
import { everyRow } from "../../src/runs/index.ts";
import { codeBlocks } from "../doc-code.ts";
import { runProgram } from "../run-program.ts";
import { readText } from "./files.ts";

const page = "docs/after-the-paper.md";
const isProgram = (block: string): boolean => block.startsWith("import");
const blocks = codeBlocks(page, "ts");

it("the program of docs/after-the-paper.md prints what the page shows", async () => {
  const printed = await runProgram("after-the-paper", blocks.filter(isProgram).join("\n"));
  expect(printed).toBe(codeBlocks(page, "text").join(""));
});

it("the recursion that docs/after-the-paper.md shows is that of fixed-point.ts", () => {
  const shown = blocks.filter((block) => !isProgram(block));
  expect(shown).toHaveLength(1);
  expect(readText("src/trm/fixed-point.ts")).toContain(shown[0]);
});

it.each(readdirSync("bench/after-the-paper"))(
  "docs/after-the-paper.md has the figures of every row of bench/after-the-paper/%s",
  (name) => {
    const folder = `bench/after-the-paper/${name}`;
    const [, section] = readText(page).split(`--out ${folder}\n`);
    const lines = section!.split("\n#", 1)[0]!.split("\n");
    const { rows, seeds } = readPlan(folder);
    for (const key of rows!) {
      const cells = readCells(folder).filter(({ row }) => row === key);
      expect(cells.map(({ seed }) => seed)).toEqual(Array.from({ length: seeds! }, (_, index) => index + 1));
      const percents = cells.map(({ exact }) => 100 * exact);
      const { mean, deviation } = spread(percents);
      const figures = [
        `${mean.toFixed(1)} ± ${deviation!.toFixed(1)}`,
        percents.map((percent) => percent.toFixed(1)).join(", "),
        cells[0]!.steps.toLocaleString("en-US"),
      ];
      const rowName = everyRow.find((row) => row.key === key)!.name;
      const line = lines.find((each) => each.startsWith(`| ${rowName}`));
      expect(line?.endsWith(` | ${figures.join(" | ")} |`), `${rowName}: ${line}, expected ${figures}`).toBe(true);
    }
  },
);
