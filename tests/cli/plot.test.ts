// The page and the picture of `trm plot`.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { plotCommand } from "../../src/cli/commands/plot.ts";
import { type Chart, chartsOf } from "../../src/cli/plot/charts.ts";
import { plotSvg } from "../../src/cli/plot/svg.ts";
import type { UnseenLine } from "../../src/runs/index.ts";
import { tinyStepLine } from "../runs/tiny-run.ts";
import { runCommand } from "./run-command.ts";

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

it("the charts show loss, accuracy per supervision step, halting, learning rate and gradient norm of every run", () => {
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

it("long curves are averaged in at most a thousand groups", () => {
  const steps = Array.from({ length: 4500 }, (_, i) => tinyStepLine(i + 1, i % 5 === 0 ? 6 : 1));
  const [loss] = chartsOf([{ name: "a", metrics: { steps, unseen: [] } }]);
  expect(loss!.data[0]!).toHaveLength(900);
  expect(new Set(loss!.data[1])).toEqual(new Set([2]));
});

describe("the horizontal axis of the picture", () => {
  const ticksOf = (chart: Chart): { at: number; label: string }[] =>
    [...plotSvg([chart]).matchAll(/<text x="([^"]+)" y="230" text-anchor="middle">([^<]*)</g)].map(([, at, label]) => ({
      at: Number(at),
      label: label!,
    }));
  const chartOf = (positions: readonly number[], isStepped: boolean): Chart => ({
    title: "",
    note: "",
    x: "",
    series: [{ name: "", colour: 0, dash: [], isStepped }],
    data: [positions, positions],
  });

  it("has a tick at the first step, the last one and a whole number between them, each with its own number", () => {
    const steps = fc.uniqueArray(fc.nat({ max: 5000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(steps, fc.boolean(), (unsorted, isStepped) => {
        const positions = unsorted.toSorted((a, b) => a - b);
        const [first, last] = [positions[0]!, positions.at(-1)!];
        const ticks = ticksOf(chartOf(positions, isStepped)).map(({ at, label }) => ({
          at,
          value: Number(label.replaceAll(",", "")),
          label,
        }));
        expect(ticks.every(({ value, label }) => Number.isInteger(value) && label !== "-0")).toBe(true);
        expect([ticks[0]!.value, ticks.at(-1)!.value]).toEqual([first, last]);
        expect(ticks).toHaveLength(Math.min(3, last - first + 1));
        for (const { at, value } of ticks) {
          const share = (at - ticks[0]!.at) / (ticks.at(-1)!.at - ticks[0]!.at || 1);
          expect(share).toBeCloseTo((value - first) / (last - first || 1), 6);
        }
      }),
    );
  });

  it("of the halting of eight supervision steps has the ticks 1, 5 and 8 under their bars, also for several runs", () => {
    const eight = { ...unseen, haltCounts: [1, 0, 0, 0, 0, 0, 0, 1] };
    const runs = ["a", "b"].map((name) => ({ name, metrics: { steps: [], unseen: [eight] } }));
    const halting = chartsOf(runs).find(({ title }) => title === "Halting")!;
    const [one, five, eighth] = ticksOf(halting);
    expect([one!.label, five!.label, eighth!.label]).toEqual(["1", "5", "8"]);
    expect((five!.at - one!.at) / (eighth!.at - one!.at)).toBeCloseTo(4 / 7, 6);
  });

  it("of an evaluation before the first step has the tick 0", () => {
    expect(ticksOf(chartOf([0], false)).map(({ label }) => label)).toEqual(["0"]);
  });
});

it("the vertical axis of a constant learning rate goes from 0 to twice the rate", () => {
  const steps = [1, 2, 3].map((step) => tinyStepLine(step, 1));
  const rate = chartsOf([{ name: "a", metrics: { steps, unseen: [] } }]).find(
    ({ title }) => title === "Learning rate",
  )!;
  const constant = {
    ...rate,
    data: [
      [1, 2, 3],
      [0.002, 0.002, 0.002],
    ],
  } as Chart;
  const labels = [...plotSvg([constant]).matchAll(/text-anchor="end">([^<]*)</g)].map(([, label]) => Number(label));
  expect(labels).toEqual([0, 0.001, 0.002, 0.003, 0.004]);
});

it("a chart on a logarithmic scale is drawn only if one of its values is above 0", () => {
  const titlesOf = (losses: readonly number[]): string[] => {
    const steps = losses.map((loss, i) => ({ ...tinyStepLine(i + 1, loss), gradientNorm: loss }));
    const charts = chartsOf([{ name: "a", metrics: { steps, unseen: [] } }]);
    expect(plotSvg(charts)).not.toMatch(/NaN|Infinity/);
    return charts.map(({ title }) => title);
  };
  expect(titlesOf([0])).toEqual(["Learning rate"]);
  expect(titlesOf([0, 0, 0])).toEqual(["Learning rate"]);
  expect(titlesOf([0, 2, 0])).toEqual(["Loss", "Learning rate", "Gradient norm"]);
});

it("trm plot refuses to replace a file of a run, and a run without a training step", async () => {
  const run = join(folder, "none");
  mkdirSync(run);
  const plot = (...args: string[]) =>
    plotCommand()
      .exitOverride()
      .parseAsync([run, ...args], { from: "user" });
  writeFileSync(join(run, "run.json"), "{}");
  for (const option of ["--out", "--svg"]) {
    const path = join(run, "run.json");
    const message = `${option} ${path} is a file of the run ${run}, expected another file`;
    await expect(plot(option, path)).rejects.toThrow(message);
  }
  await expect(plot("--svg", join(folder, "none.svg"))).rejects.toThrow(`${run}: has not made a training step yet`);
  rmSync(join(run, "run.json"));
  await expect(plot("--svg", join(folder, "none.svg"))).rejects.toThrow(`${run}: contains no metrics`);
});

it("trm plot writes a page that loads nothing from elsewhere, and a picture", async () => {
  writeFileSync(join(folder, "metrics.jsonl"), metrics.steps.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const [page, picture] = [join(folder, "plot.html"), join(folder, "plot.svg")];
  await plotCommand().exitOverride().parseAsync([folder, "--out", page, "--svg", picture], { from: "user" });
  const html = readFileSync(page, "utf8");
  expect(html).not.toMatch(/(src|href)=|@import|url\(/);
  expect(html).toContain("uPlot");
  expect(readFileSync(picture, "utf8")).toMatch(/^<svg [\s\S]*Gradient norm[\s\S]*<\/svg>\n$/);
});

it("runs in folders of the same name are shown by their paths", async () => {
  const lines = metrics.steps.map((line) => `${JSON.stringify(line)}\n`).join("");
  const runs = ["s1/six", "s2/six", "s2/nine"].map((name) => join(folder, name));
  for (const run of runs) {
    mkdirSync(run, { recursive: true });
    writeFileSync(join(run, "metrics.jsonl"), lines);
  }
  const output = await runCommand(plotCommand(), ...runs, "--svg", join(folder, "three.svg"));
  expect(output).toContain(`curves of ${runs[0]}, ${runs[1]}, nine`);
});
