// The life of a run through the command line: train, evaluate, solve, describe, continue.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Finished, newFolder, patience, project, smallModel, startShell, stepLines, trm } from "./command.ts";

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const train = (out: string, ...more: string[]): Promise<Finished> =>
  trm("train", "--task", "sudoku4", "--puzzles", "500", "--seed", "5", "--out", out, ...more, "--set", ...smallModel);
const run = join(folder, "run");
const unseen = join(run, "unseen.csv");
const firstUnseen = (): string => readFileSync(unseen, "utf8").split("\n")[1]!.split(",")[1]!;

let trained: Finished;
beforeAll(async () => {
  trained = await train(run, "--steps", "60", "--eval-every", "30");
}, patience);

it("train prints its settings and a summary, and fills the run folder", () => {
  expect(trained).toMatchObject({ code: 0, stderr: "" });
  for (const word of [
    /task +sudoku4; preset small, seed 5/,
    /model .*parameters/,
    /backend +\w+ \(.*\)/,
    /effective depth 12/,
  ]) {
    expect(trained.stdout).toMatch(word);
  }
  expect(trained.stdout).toMatch(
    /trained: 60 steps in \d+:\d\d, loss [\d.]+\nunseen {3}[\d.]+% exact, [\d.]+% of the cells at step 60/,
  );
  const best = "checkpoint-0000030"; // its evaluation is better than that of step 60
  expect(readdirSync(run).sort()).toEqual([
    "checkpoint-0000000",
    best,
    "checkpoint-0000060",
    "data.safetensors",
    "metrics.jsonl",
    "run.json",
    "unseen.csv",
  ]);
  const events = readFileSync(join(run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events[0]).toMatchObject({
    event: "start",
    step: 0,
    backend: { name: expect.any(String), build: expect.any(String) },
  });
  expect(events.filter(({ event }) => event === "unseen").map(({ step }) => step)).toEqual([30, 60]);
  expect(stepLines(run).map(({ step }) => step)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
});

describe("eval", () => {
  it("prints one object with --json, and unseen.csv holds the unseen puzzles of the run", async () => {
    const [own, csv] = [await trm("eval", run, "--json"), await trm("eval", run, "--csv", unseen, "--json")];
    expect(own.code).toBe(0);
    const lines = own.stdout.trim().split("\n");
    expect(lines).toHaveLength(1);
    const evaluation = JSON.parse(lines[0]!);
    const figures = ["puzzles", "unlabelled", "exact", "cell", "interval95", "meanHaltStep", "haltCounts"];
    expect(Object.keys(evaluation)).toEqual(figures);
    expect(evaluation).toMatchObject({ puzzles: 200, exact: Array(4).fill(expect.any(Number)) });
    expect(evaluation.cell).toHaveLength(4);
    expect(evaluation.interval95[0]).toBeLessThanOrEqual(evaluation.exact[3]);
    expect(evaluation.interval95[1]).toBeGreaterThanOrEqual(evaluation.exact[3]);
    expect(JSON.parse(csv.stdout)).toEqual(evaluation);
  });
  it("prints a table", async () => {
    const { code, stdout } = await trm("eval", run, "--limit", "20");
    expect(code).toBe(0);
    expect(stdout).toMatch(/supervision step +puzzles correct +cells correct\n +1 +[\d.]+% +[\d.]+%/);
    expect(stdout).toMatch(/95% interval of the last step: [\d.]+% to [\d.]+%\nq (says halt|never says halt)/);
  });
});

describe("solve", () => {
  it("shows the supervision steps", async () => {
    const { code, stdout } = await trm("solve", run, firstUnseen(), "--all");
    expect(code).toBe(0);
    for (const word of ["puzzle", "step 1", "step 4", "q -"]) expect(stdout).toContain(word);
    expect(stdout).toMatch(/(halts after step \d|no halt within 4 steps); (the answer is correct|wrong: )/);
  });
  it("reads a board on several lines, in groups, or from standard input", async () => {
    const rows = firstUnseen().match(/.{4}/g)!;
    const answerTo = async (...puzzle: string[]): Promise<string> =>
      JSON.parse((await trm("solve", run, "--json", ...puzzle)).stdout).answer;
    const answer = await answerTo(rows.join(""));
    expect(await answerTo(...rows)).toBe(answer);
    expect(await answerTo(`${rows[0]}\n${rows[1]}\n--+--\n${rows[2]}\n${rows[3]}\n`)).toBe(answer);
    const file = join(folder, "puzzle.txt");
    writeFileSync(file, `${rows.join("\n")}\n`);
    const { stdout } = await startShell(`$TRM solve ${run} --json - < ${file}`).finished;
    expect(JSON.parse(stdout).answer).toBe(answer);
  });
  it("prints one object with --json, also for a checkpoint folder", async () => {
    const { stdout } = await trm("solve", join(run, "checkpoint-0000060"), firstUnseen(), "--json");
    const solution = JSON.parse(stdout);
    expect(solution).toMatchObject({ task: "sudoku4", puzzle: firstUnseen(), correct: expect.any(Boolean) });
    expect(solution.steps.map(({ step }: { step: number }) => step)).toEqual([1, 2, 3, 4]);
    expect(solution.answer).toMatch(/^[1-4.?]{16}$/);
  });
});

it("info describes the run", async () => {
  const { code, stdout } = await trm("info", run);
  expect(code).toBe(0);
  for (const word of [/parameters/, /effective depth 12/, /60 steps/, /backend/, /hiddenSize +32/])
    expect(stdout).toMatch(word);
  const json = JSON.parse((await trm("info", run, "--json")).stdout);
  expect(json).toMatchObject({
    step: 60,
    effectiveDepth: 12,
    task: { name: "sudoku4" },
    config: { hiddenSize: 32, seed: 5 },
  });
});

it("a resumed run equals an uninterrupted run with the same seed bit for bit", async () => {
  const resumed = await trm("train", "--resume", run, "--steps", "90", "--json");
  expect(resumed.code).toBe(0);
  expect(JSON.parse(resumed.stdout)).toMatchObject({ run, ending: "goal", step: 90 });
  const whole = join(folder, "whole");
  expect((await train(whole, "--steps", "90", "--eval-every", "90")).code).toBe(0);
  const numbers = (path: string) => stepLines(path).map((line) => ({ ...line, seconds: 0 }));
  expect(numbers(run)).toHaveLength(90);
  expect(numbers(run)).toEqual(numbers(whole));
  for (const file of ["weights", "ema", "training"].map((name) => `checkpoint-0000090/${name}.safetensors`)) {
    expect(readFileSync(join(run, file)).equals(readFileSync(join(whole, file))), file).toBe(true);
  }
  const side = (path: string) => {
    const read = JSON.parse(readFileSync(join(path, "checkpoint-0000090/checkpoint.json"), "utf8"));
    return { ...read, seconds: 0, checksums: { ...read.checksums, "checkpoint.json": "" } }; // the time differs
  };
  expect(side(run)).toEqual(side(whole));
});

it("train --resume reports a goal that has been reached already", async () => {
  const { code, stdout } = await trm("train", "--resume", run);
  expect(code).toBe(0);
  expect(stdout).toContain("this run has reached its goal already; --steps or --minutes sets a new one");
});

it("train --force moves an existing run aside", async () => {
  const out = join(folder, "forced");
  expect((await train(out, "--steps", "3")).code).toBe(0);
  expect((await train(out, "--steps", "2", "--force")).code).toBe(0);
  expect(existsSync(join(out, "checkpoint-0000002"))).toBe(true);
  expect(existsSync(join(`${out}.previous`, "checkpoint-0000003"))).toBe(true);
});

it("a model trained on sudoku4 for 900 steps solves at least 95% of the unseen puzzles", async () => {
  const out = join(folder, "learned");
  const steps = ["--steps", "900", "--eval-every", "900"];
  expect((await trm("train", "--task", "sudoku4", "--seed", "1", "--out", out, ...steps)).code).toBe(0);
  const { puzzles, exact } = JSON.parse((await trm("eval", out, "--json")).stdout);
  expect(puzzles).toBe(200);
  expect(exact.at(-1)).toBeGreaterThanOrEqual(0.95);
});

describe("demo", () => {
  const out = join(folder, "demo");
  let demo: Finished;
  beforeAll(async () => {
    demo = await trm("demo", "--minutes", "0.1", "--out", out);
  }, patience);

  it("trains, shows three solutions and measures the accuracy", () => {
    expect(demo).toMatchObject({ code: 0, stderr: "" });
    expect(demo.stdout).toMatch(
      /200 unseen puzzles[\s\S]*supervision step +puzzles correct[\s\S]*95% interval of the last step/,
    );
    expect(demo.stdout.match(/^(halts after step|no halt within)/gm)).toHaveLength(3);
  });

  it("prints commands that work", async () => {
    const commands = [...demo.stdout.matchAll(/npx trm (.*)/g)].map(([, command]) => command!);
    expect(commands.length).toBeGreaterThanOrEqual(5);
    for (const command of commands) {
      const short = command
        .replace(/--minutes \d+/, "--minutes 0.01")
        .replace("sudoku6", `sudoku6 --out ${folder}/six`);
      const { code, stderr } = await startShell(`$TRM ${short}`).finished;
      expect([command, code, stderr]).toEqual([command, 0, ""]);
    }
  });

  it("moves the run of an earlier demo aside", async () => {
    const again = await trm("demo", "--minutes", "0.05", "--out", out);
    expect(again.stdout).toContain(`the run in ${out} has been moved to ${out}.previous`);
    expect(stepLines(out)[0]!.step).toBe(1);
  });
});

it("every command has a help text with an example, within 80 columns", async () => {
  const main = await trm("--help");
  expect(main.code).toBe(0);
  const names = [...main.stdout.matchAll(/^ {2}(\w[\w-]*) (?:\[|<)/gm)].map(([, name]) => name!);
  expect(names).toEqual(expect.arrayContaining(["demo", "train", "eval", "solve", "info"]));
  const commands = names.filter((name) => name !== "help");
  for (const command of [...commands, "data sudoku", "data maze", "data arc", "data generate"]) {
    const { code, stdout } = await trm(...command.split(" "), "--help");
    expect([command, code]).toEqual([command, 0]);
    expect(stdout, command).toContain("\n  npx trm ");
    expect(
      stdout.split("\n").filter((line) => line.length > 80),
      command,
    ).toEqual([]);
  }
  expect((await trm("--version")).stdout.trim()).toBe(
    JSON.parse(readFileSync(join(project, "package.json"), "utf8")).version,
  );
});
