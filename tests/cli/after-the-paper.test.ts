/** The commands of the methods after the paper: eval --rollouts, eval --vote, solve --rollouts and probe. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evalCommand } from "../../src/cli/commands/eval.ts";
import { probeCommand } from "../../src/cli/commands/probe.ts";
import { solveCommand } from "../../src/cli/commands/solve.ts";
import { trainCommand } from "../../src/cli/commands/train.ts";
import { differenceText } from "../../src/cli/rollout-report.ts";
import { runCommand } from "./run-command.ts";

const root = mkdtempSync(join(tmpdir(), "trm-after-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const run = join(root, "run");
const tiny = ["hiddenSize=16", "heads=2", "widthMultiple=8", "T=1", "n=2", "nSup=3", "batchSize=8"];

beforeAll(async () => {
  const given = ["--task", "sudoku4", "--puzzles", "50", "--unseen", "12", "--steps", "10"];
  await runCommand(trainCommand(), ...given, "--out", run, "--set", ...tiny);
});

const evaluate = (...args: string[]): Promise<string> => runCommand(evalCommand(), run, ...args);
/** The shipped model solves its puzzles; the tiny one solves none, and every accuracy would be 0. */
const evaluateShipped = (...args: string[]): Promise<string> =>
  runCommand(evalCommand(), "sudoku4", "--limit", "12", ...args);
/** The object that a command prints; a slow machine prints its progress before. */
const json = async (printed: Promise<string>) => {
  const text = await printed;
  return JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
};
const ks = ["1", "2", "5", "6"];
const isShare = (value: unknown): boolean => typeof value === "number" && value >= 0 && value <= 1;

/** The text of a picture: one svg element with the given words. */
function expectSvg(text: string, ...words: string[]): void {
  expect(text).toMatch(/^<svg [\s\S]*<\/svg>\s*$/);
  for (const word of words) expect(text).toContain(word);
}

describe("eval --rollouts", () => {
  it("prints with --json the object of the documentation, with these keys and no others", async () => {
    const printed = await json(evaluate("--rollouts", "6", "--sigma", "0.5", "--json"));
    const { steps, interval95 } = printed;
    const shares = ["passAtK", "bestQ", "mode", "residual"];
    expect(Object.keys(printed)).toEqual([
      "puzzles",
      "rollouts",
      "sigma",
      "steps",
      "deterministic",
      ...shares,
      "interval95",
      "difference",
    ]);
    expect([printed.puzzles, printed.rollouts, printed.sigma, steps]).toEqual([12, 6, 0.5, 3]);
    expect(isShare(printed.deterministic)).toBe(true);
    expect(Object.keys(interval95).sort()).toEqual(["deterministic", ...shares].sort());
    for (const name of shares) {
      expect(Object.keys(printed[name])).toEqual(ks);
      for (const k of ks) {
        const [low, high] = interval95[name][k];
        expect(isShare(printed[name][k]) && low <= printed[name][k] && printed[name][k] <= high).toBe(true);
      }
    }
    expect(Object.keys(printed.difference)).toEqual(["bestQ", "mode", "residual"]);
    for (const [name, paired] of Object.entries<Record<string, unknown>>(printed.difference)) {
      const { difference, difference95, gained, lost } = paired;
      expect(Object.keys(paired)).toEqual(["difference", "difference95", "gained", "lost"]);
      expect(difference).toBeCloseTo(printed[name]["6"] - printed.deterministic, 12);
      expect(difference).toBeCloseTo((Number(gained) - Number(lost)) / 12, 12);
      const [low, high] = difference95 as [number, number];
      expect(-1 <= low && low <= high && high <= 1).toBe(true);
    }
  });

  it("prints with --json the difference that the table shows", async () => {
    const given = ["--rollouts", "6", "--sigma", "0.5"];
    const { difference } = await json(evaluate(...given, "--json"));
    for (const [select, name] of Object.entries({ q: "bestQ", mode: "mode", residual: "residual" })) {
      const shown = /^difference +(.*)$/m.exec(await evaluate(...given, "--select", select))![1];
      const { difference: value, ...paired } = difference[name];
      expect(differenceText(value, paired)).toBe(shown);
    }
  });

  it("with sigma 0 has the accuracy of the plain evaluation in every column", async () => {
    const { exact } = await json(evaluateShipped("--json"));
    expect(exact.at(-1)).toBeGreaterThan(0.5);
    const { deterministic, bestQ, mode, residual, passAtK } = await json(
      evaluateShipped("--rollouts", "2", "--sigma", "0", "--json"),
    );
    for (const share of [deterministic, bestQ["2"], mode["2"], residual["2"], passAtK["2"]]) {
      expect(share).toBe(exact.at(-1));
    }
  });

  it("prints the selected figure, its paired difference, and a row for every K, within 80 columns", async () => {
    const text = await evaluate("--rollouts", "6", "--select", "mode");
    expect(text).toMatch(/^mode@6 +\d/m);
    expect(text).toMatch(
      /^difference +[+-]\d+\.\d points \(95% interval [+-]\d+\.\d to [+-]\d+\.\d; \d+ gained, \d+ lost\)$/m,
    );
    for (const k of ks) expect(text).toMatch(new RegExp(`^ +${k}( +\\d+\\.\\d%){5} +${Number(k) * 3}$`, "m"));
    const table = text.slice(text.indexOf("deterministic"));
    expect(table.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("draws its curves with --svg", async () => {
    const file = join(root, "rollouts.svg");
    await evaluate("--rollouts", "2", "--svg", file);
    const words = ["pass@K (oracle)", "best q", "mode", "residual", "deterministic", "number of rollouts K"];
    expectSvg(readFileSync(file, "utf8"), ...words);
  });

  it("refuses options that do not go together, in one line", async () => {
    await expect(evaluate("--sigma", "0.3")).rejects.toThrow("eval: --sigma requires --rollouts");
    await expect(evaluate("--rollouts", "2", "--halt", "q")).rejects.toThrow("eval: --rollouts always runs all steps");
    await expect(evaluate("--rollouts", "2", "--sweep")).rejects.toThrow("expected one of them");
  });
});

describe("eval --vote", () => {
  it("with one vote has the accuracy of the plain evaluation, and with more prints both", async () => {
    const { exact } = await json(evaluateShipped("--json"));
    expect(exact.at(-1)).toBeGreaterThan(0.5);
    const one = await json(evaluateShipped("--vote", "1", "--json"));
    expect([one.single.exact, one.voted.exact]).toEqual([exact.at(-1), exact.at(-1)]);
    const four = await json(evaluateShipped("--vote", "4", "--json"));
    expect(four).toMatchObject({ puzzles: 12, votes: 4, steps: exact.length, single: one.single });
    expect(isShare(four.voted.valid) && four.voted.valid >= four.voted.exact).toBe(true);
    const text = await evaluate("--vote", "4");
    expect(text).toMatch(/^vote of 4 +\d/m);
    expect(text).toMatch(/^valid +[+-]\d+\.\d points \(95% interval/m);
  });

  it("refuses more votes than a maze has symmetries, and options that do not go with it", async () => {
    await expect(runCommand(evalCommand(), "maze9", "--limit", "1", "--vote", "9")).rejects.toThrow(
      "vote: got 9 votes, expected at most 8, the symmetries of maze9",
    );
    await expect(evaluate("--vote", "2", "--halt", "q")).rejects.toThrow("eval: --vote always runs all steps");
    await expect(evaluate("--vote", "2", "--rollouts", "2")).rejects.toThrow("cannot be used with option");
  });
});

describe("solve --rollouts", () => {
  const puzzle = "..1.3.....4.2...";
  const solve = (...args: string[]): Promise<string> =>
    runCommand(solveCommand(), run, puzzle, "--rollouts", "3", ...args);

  it("shows every rollout beside the puzzle and says which one is chosen, by what", async () => {
    const text = await solve("--select", "residual");
    for (const title of ["puzzle", "rollout 1", "rollout 2", "rollout 3"]) expect(text).toContain(title);
    expect(text).toMatch(/^rollout [123] is chosen by residual: /m);
    expect(text.match(/rollout [123] chosen/g)).toHaveLength(1);
  });

  it("prints with --json all rollouts, and the chosen one is the first with the highest q", async () => {
    const { rollouts, chosen, select, answer, correct } = await json(solve("--json"));
    expect(select).toBe("q");
    expect(rollouts).toHaveLength(3);
    const qs = rollouts.map(({ q }: { q: number }) => q);
    expect(chosen).toBe(1 + qs.indexOf(Math.max(...qs)));
    expect({ answer, correct }).toEqual({ answer: rollouts[chosen - 1].answer, correct: rollouts[chosen - 1].correct });
    expect(await json(solve("--json", "--noise-seed", "1"))).not.toEqual(await json(solve("--json")));
  });
});

describe("probe", () => {
  const probe = (...args: string[]): Promise<string> => runCommand(probeCommand(), run, ...args);

  it("prints every experiment as text, within 80 columns", async () => {
    const text = await probe();
    for (const name of ["one blank left", "stays solved", "AUC of drift", "AUC of q", "calibration error of q"]) {
      expect(text).toContain(name);
    }
    const report = text.slice(text.indexOf("   after step"));
    expect(report.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("prints with --json all figures, whose accuracy is that of eval", async () => {
    const { exact } = await json(evaluateShipped("--json"));
    expect(exact.at(-1)).toBeGreaterThan(0.5);
    const measured = await json(runCommand(probeCommand(), "sudoku4", "--limit", "12", "--json"));
    expect(measured.exact).toEqual(exact);
    expect(Object.keys(measured)).toEqual([
      "puzzles",
      "unlabelled",
      "steps",
      "exact",
      "oneBlank",
      "monotonicity",
      "drift",
      "q",
      "byClues",
      "byRating",
    ]);
    const { settledCorrect, settledWrong, driftingCorrect, driftingWrong } = measured.drift;
    expect(settledCorrect + settledWrong + driftingCorrect + driftingWrong).toBe(12);
  });

  it("draws its curves with --svg, and refuses a single step", async () => {
    const file = join(root, "probe.svg");
    await probe("--svg", file, "--limit", "4");
    expectSvg(readFileSync(file, "utf8"), "supervision step");
    await expect(probe("--steps", "1")).rejects.toThrow("Expected a whole number from 2 to 100000.");
  });
});
