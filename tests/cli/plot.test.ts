// The page and the picture of `trm plot`.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { plotCommand } from "../../src/cli/commands/plot.ts";
import { chartsOf } from "../../src/cli/plot/charts.ts";
import type { UnseenLine } from "../../src/runs/index.ts";
import { tinyStepLine } from "../runs/tiny-run.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-plot-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const unseen = {
  event: "unseen",
  step: 2,
  puzzles: 4,
  exactAfter: [0.25, 0.75],
  haltCounts: [3, 1],
} as unknown as UnseenLine;
const metrics = { steps: [1, 2, 3].map((step) => tinyStepLine(step, step)), unseen: [unseen] };

it("draws loss, accuracy per supervision step, halting, learning rate and gradient norm of every run", () => {
  const charts = chartsOf([
    { name: "a", metrics },
    { name: "b", metrics },
  ]);
  expect(charts.map(({ title }) => title)).toEqual([
    "Loss",
    "Solved unseen puzzles",
    "Halting",
    "Learning rate",
    "Gradient norm",
  ]);
  expect(charts[0]!.data).toEqual([
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 3],
  ]);
  expect(charts[1]!.series.map(({ name }) => name)).toEqual(["a after 1", "a after 2", "b after 1", "b after 2"]);
  expect(charts[1]!.data).toEqual([[2], [0.25], [0.75], [0.25], [0.75]]);
  expect(charts[2]!.data[1]!.filter((share) => share !== null)).toEqual([0.75, 0.25]);
  for (const { series } of charts) {
    const looks = series.map(({ colour, dash }) => `${colour} ${dash}`);
    expect(new Set(looks).size).toBe(looks.length);
  }
});

it("averages long curves in at most a thousand groups", () => {
  const steps = Array.from({ length: 4500 }, (_, i) => tinyStepLine(i + 1, i % 5 === 0 ? 6 : 1));
  const [loss] = chartsOf([{ name: "a", metrics: { steps, unseen: [] } }]);
  expect(loss!.data[0]!).toHaveLength(900);
  expect(new Set(loss!.data[1])).toEqual(new Set([2]));
});

it("writes a page that loads nothing from elsewhere, and a picture", async () => {
  writeFileSync(join(folder, "metrics.jsonl"), metrics.steps.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const [page, picture] = [join(folder, "plot.html"), join(folder, "plot.svg")];
  await plotCommand().exitOverride().parseAsync([folder, "--out", page, "--svg", picture], { from: "user" });
  const html = readFileSync(page, "utf8");
  expect(html).not.toMatch(/(src|href)=|@import|url\(/);
  expect(html).toContain("uPlot");
  expect(readFileSync(picture, "utf8")).toMatch(/^<svg [\s\S]*Gradient norm[\s\S]*<\/svg>\n$/);
});
