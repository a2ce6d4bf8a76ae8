// Formats reports of the benchmark from fixed measurements.
import { describe, expect, it } from "vitest";
import { learningTable, originLines } from "../../bench/learning/report.ts";
import { powersOfTwo, variations } from "../../bench/runner/growth.ts";
import { isResume, parseBenchOptions } from "../../bench/runner/options.ts";
import { duration } from "../../bench/runner/progress.ts";
import {
  document,
  growthTable,
  type Pair,
  pairTable,
  peakTable,
  sharesOfPeak,
  table,
} from "../../bench/runner/report.ts";
import type { Measured } from "../../bench/runner/turns.ts";
import { readStepConfig } from "../../bench/shared/config.ts";
import { median, medianRatio, minimum, rounded } from "../../bench/shared/statistics.ts";

const config = readStepConfig("bench/configs/sudoku9.json");
const measured = (peer: string, train: number[], evaluation: number[]): Measured => ({
  peer,
  threads: 2,
  params: 382_274,
  losses: [2.5, 2.4],
  train,
  eval: evaluation,
  peaks: train.map(() => ({ best: 200, sustained: 100 })),
  peakMemory: 100 * 2 ** 20,
});
const pair: Pair = {
  configName: "sudoku9",
  config,
  threads: 2,
  ours: measured("trm-ts wasm (wide SIMD, 2 threads)", [800, 900, 1000], [400, 500, 600]),
  peer: measured("pytorch", [880, 990, 1100], [300, 400, 500]),
};
const peak = { how: "The bare tile loop.", gflops: [["trm-ts wasm (wide SIMD, 2 threads)", 100]] as const };

describe("statistics", () => {
  it("median, minimum, rounding and the median of ratios have the expected values", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, Number.NaN]);
    expect(minimum([3, 1, 2])).toBe(1);
    expect(rounded(1.23456)).toBe(1.23);
    // If the machine becomes half as fast, both times of a turn change.
    expect(medianRatio([10, 20, 20], [5, 10, 10])).toBe(2);
  });
});

describe("the benchmark report", () => {
  it("a table has a row per peer, with a ratio above 1 if our program is faster", () => {
    const failed = [{ name: "jax-js", reason: "not installed", configName: "sudoku9", threads: 2 }];
    const lines = pairTable([pair], failed).split("\n");
    expect(lines[0]).toBe("382274 parameters; 80.29 GFLOP per training step, 48.17 per evaluation step.");
    expect(lines).toContain(
      "| wide SIMD | pytorch | 2 | 3 | 990 | 900 | **1.10** | 400 | 500 | **0.80** | 81.1 | 100 | 100 |",
    );
    expect(lines).toContain(
      "| trm-ts wasm (wide SIMD, 2 threads) | 2 | 900 | 89.2 | 44.6% | 89.2% | 50.2% | 500 | 96.3 |",
    );
    expect(lines).toContain("- jax-js, 2 thread(s), not timed: not installed");
  });

  it("rows are grouped by the build of our program", () => {
    const relaxed: Pair = { ...pair, ours: measured("trm-ts wasm (relaxed SIMD, 2 threads)", [1800], [900]) };
    const rows = pairTable([pair, relaxed, pair], [])
      .split("\n")
      .filter((line) => line.includes("pytorch"));
    expect(rows.map((row) => row.split(" | ")[0])).toEqual(["| wide SIMD", "| wide SIMD", "| relaxed SIMD"]);
  });

  it("a different thread count of a peer and a missing peak are shown", () => {
    const single: Pair = { ...pair, ours: { ...pair.ours, peaks: [] }, peer: { ...pair.peer!, threads: 1 } };
    expect(pairTable([single], [])).toContain("| pytorch | 2 (peer 1) |");
    expect(pairTable([single], [])).toContain("| not measured |");
  });

  it("shares of the peak relate each step to the best and sustained rates of its turn, and the fastest step to the highest rate", () => {
    const rates = (sustained: number) => ({ best: 2 * sustained, sustained });
    const turns = [
      { train: [100, 200], peaks: [rates(100), rates(50)] }, // at half the speed of the machine the share is the same
      { train: [125], peaks: [rates(100)] },
    ];
    expect(sharesOfPeak(8e9, turns)).toEqual(["40.0%", "80.0%", "40.0%"]);
    expect(new Set(sharesOfPeak(8e9, [{ train: [100], peaks: [] }]))).toEqual(new Set(["not measured"]));
  });

  it("a table without peers has only our rows", () => {
    const text = pairTable([{ ...pair, peer: null }], []);
    expect(text).not.toContain("pytorch");
    expect(text).toContain("| trm-ts wasm (wide SIMD, 2 threads) | 2 |");
    expect(growthTable([{ axis: "batch", value: 8, pair: { ...pair, peer: null } }])).not.toContain("PyTorch");
    expect(growthTable([{ axis: "batch", value: 8, pair }])).toContain(
      "| batch | 8 | 2 | wide SIMD | 80.29 | 900 | 89.2 | 990 | 1.10 |",
    );
  });

  it("the summary comes first, each section follows its command, and the notes come last", () => {
    const section = { title: "Measured peak", command: "npm run bench -- --sections peak", body: peakTable(peak) };
    const text = document({
      summary: "In short.\n",
      machine: [["Node", "20.20.2"]],
      sections: [section],
      notes: "Notes.\n",
    });
    expect(text.startsWith("# Benchmark results\n\nIn short.\n\n## How it was measured\n")).toBe(true);
    expect(text).toContain("| Node | 20.20.2 |");
    expect(text).toContain("## Measured peak\n\n`npm run bench -- --sections peak`\n\nThe bare tile loop.");
    expect(text.endsWith("| trm-ts wasm (wide SIMD, 2 threads) | 100.0 |\n\nNotes.\n")).toBe(true);
  });

  it("a table is formatted as Markdown", () => {
    expect(table(["a", "b"], [["1", "2"]])).toBe("| a | b |\n|---|---|\n| 1 | 2 |");
  });
});

describe("the variations of a configuration", () => {
  it("each variation changes one parameter", () => {
    const points = variations(config, 2, false);
    expect(points.filter(({ axis }) => axis === "batch").map((point) => point.config.batch_size)).toEqual([
      4, 8, 16, 32, 64,
    ]);
    expect(points.filter(({ axis }) => axis === "threads").map(({ threads }) => threads)).toEqual([1, 2]);
    expect(variations(config, 2, true).filter(({ axis }) => axis === "D")).toHaveLength(2);
    expect([powersOfTwo(1), powersOfTwo(6)]).toEqual([[1], [1, 2, 4, 6]]);
  });
});

describe("the arguments of npm run bench", () => {
  it("the arguments have defaults, and only a complete session writes RESULTS.md", () => {
    expect(parseBenchOptions([], 8)).toMatchObject({ threads: [1, 2], turns: 15, out: "bench/RESULTS.md" });
    expect(parseBenchOptions([], 1)).toMatchObject({ threads: [1] });
    expect(parseBenchOptions(["--quick"], 8)).toMatchObject({ turns: 3, out: null, given: ["--quick"] });
    const some = parseBenchOptions(["--sections", "peak,steps", "--configs", "sudoku4", "--threads", "4"], 2);
    expect(some).toMatchObject({ sections: ["peak", "steps"], configs: ["sudoku4"], threads: [4], out: null });
  });

  it("invalid arguments are rejected with the expected values", () => {
    expect(() => parseBenchOptions(["--sections", "speed"])).toThrow('--sections: got "speed", expected some of peak');
    expect(() => parseBenchOptions(["--turns", "0"])).toThrow('--turns: got "0"');
  });

  it("--resume is accepted only without other options", () => {
    expect([isResume(["--resume"]), isResume(["--turns", "5"])]).toEqual([true, false]);
    expect(() => isResume(["--resume", "--turns", "5"])).toThrow("expected no other option");
  });
});

it("durations are formatted in seconds, minutes or hours", () => {
  expect([40_000, 12 * 60_000, 125 * 60_000].map(duration)).toEqual(["40 s", "12 min", "2 h 5 min"]);
});

describe("the table of bench:learn", () => {
  it("never writes 60 seconds beside the minutes", () => {
    const ours = [{ step: 10, seconds: 119.7, exact: [0.5, 0.95] as const }];
    const task = { goals: [{ exact: 0.9, minutes: 1.5 }] };
    const lines = learningTable([{ name: "sudoku4", task, runs: [{ ours, peer: null }] }]).split("\n");
    expect(lines.at(-1)).toBe("| sudoku4 | 90.0% in 1 min 30 s | 10 | 2 min 00 s | not run | not run | 95.0% |");
  });

  it("is preceded by the machine of every run, not by the machine that prints it", () => {
    const on = (seed: number, Processor: string) => ({
      seed,
      date: "2026-11-28 14:22",
      load: "0.04 cores",
      machine: { Processor },
    });
    expect(originLines([{ name: "sudoku4", runs: [on(1, "Xeon"), on(2, "EPYC")] }])).toEqual([
      "sudoku4 seed 1: 2026-11-28 14:22; Xeon; load 0.04 cores",
      "sudoku4 seed 2: 2026-11-28 14:22; EPYC; load 0.04 cores",
    ]);
  });
});
