// The option --halt, and the reports of evaluations with halting.
import { InvalidArgumentError } from "commander";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseHalt } from "../../src/cli/halt-option.ts";
import { haltingTable, sweepJson, sweepSvg, sweepTable } from "../../src/cli/halting-report.ts";

describe("--halt", () => {
  it.each([
    ["fixed", { threshold: null, steps: null }],
    ["q", { threshold: 0, steps: null }],
    ["q=-1.5", { threshold: -1.5, steps: null }],
    ["steps=64", { threshold: null, steps: 64 }],
    ["q, steps=128", { threshold: 0, steps: 128 }],
    ["fixed,steps=2", { threshold: null, steps: 2 }],
  ])("reads %j", (text, halt) => {
    expect(parseHalt(text)).toEqual(halt);
  });

  it("rejects any other text", () => {
    for (const text of [
      "",
      "Q",
      "steps",
      "steps=0",
      "steps=1.5",
      "q=",
      "q=x",
      "steps=1e9",
      "q;steps=2",
      "fixed=1",
      "steps=3,steps=5",
      "fixed,q",
    ]) {
      expect(() => parseHalt(text), text).toThrow(InvalidArgumentError);
    }
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."q,=fixedstep019.- ") }), (text) => {
        try {
          const { threshold, steps } = parseHalt(text);
          expect(threshold === null || Number.isFinite(threshold)).toBe(true);
          expect(steps === null || (Number.isInteger(steps) && steps >= 1)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidArgumentError);
        }
      }),
    );
  });
});

const points = [
  { threshold: -Infinity, exact: 0.25, meanSteps: 1, computeSaved: 0.75 },
  { threshold: 0.5, exact: 0.5, meanSteps: 2, computeSaved: 0.5 },
  { threshold: Infinity, exact: 1, meanSteps: 4, computeSaved: 0 },
];

describe("a report", () => {
  it("counts how many puzzles stopped after each step", () => {
    const lines = haltingTable({
      puzzles: 4,
      unlabelled: 0,
      exact: 0.75,
      cell: 0.9,
      interval95: [0.3, 0.95],
      exitSteps: [1, 3, 1, 1],
      meanSteps: 1.5,
      computeSaved: 0.625,
    });
    expect(lines.slice(0, 3)).toEqual([
      "puzzles correct  75.0% (95% interval 30.0% to 95.0%)",
      "cells correct    90.0%",
      "mean steps       1.50 supervision steps, 62.5% of the compute saved",
    ]);
    expect(lines.slice(5).map((line) => line.trim().split(/\s+/).slice(0, 2))).toEqual([
      ["1", "3"],
      ["3", "1"],
    ]);
  });

  it("handles more puzzles than a call can take arguments", () => {
    const exitSteps = Array.from({ length: 500_000 }, (_, i) => 1 + (i % 2));
    const lines = haltingTable({
      puzzles: 500_000,
      unlabelled: 0,
      exact: 1,
      cell: 1,
      interval95: [1, 1],
      exitSteps,
      meanSteps: 1.5,
      computeSaved: 0.5,
    });
    expect(lines.slice(5).map((line) => line.trim().split(/\s+/)[1])).toEqual(["250000", "250000"]);
  });

  it("names the infinite thresholds of a sweep by words in the table and by texts in JSON", () => {
    expect(sweepTable(points).map((line) => line.trim().split(/\s{2,}/)[0])).toEqual([
      "stop when q >",
      "at once",
      "0.5",
      "never",
    ]);
    expect(
      JSON.parse(JSON.stringify(sweepJson(points))).map((point: { threshold: unknown }) => point.threshold),
    ).toEqual(["-Infinity", 0.5, "Infinity"]);
  });

  it("draws one dot per threshold inside the frame of the picture", () => {
    const svg = sweepSvg(points);
    const dots = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
    expect(dots).toEqual([
      [188, 272],
      [320, 200],
      [584, 56],
    ]);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });
});
