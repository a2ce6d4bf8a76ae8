/** `trm ablate` and its folder: one process writes to it, and a refused ablation leaves nothing behind. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { ablateCommand } from "../../src/cli/commands/ablate.ts";
import { lockFolder } from "../../src/runs/folder-lock.node.ts";
import { runCommand } from "./run-command.ts";

const root = mkdtempSync(join(tmpdir(), "trm-ablate-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let out = "";
let number = 0;
beforeEach(() => {
  out = join(root, String(number++));
});

const ablate = (...args: string[]): Promise<string> => runCommand(ablateCommand(), "--out", out, ...args);
const tiny = ["hiddenSize=8", "heads=1", "widthMultiple=8", "T=1", "n=1", "nSup=1", "batchSize=4", "warmupSteps=1"];
const start = (...more: string[]): Promise<string> =>
  ablate("--rows", "trm", "--seeds", "1", "--steps", "1", "--puzzles", "6", "--set", ...tiny, ...more);

describe("an ablation whose folder another process writes", () => {
  it("is neither started nor continued, with the same line as a training", async () => {
    const message = `${out}: process ${process.pid} is writing this run`;
    mkdirSync(out);
    const measuring = lockFolder(out); // a new ablation has no plan while the speed of the machine is measured
    await expect(start()).rejects.toThrow(message);
    measuring.release();
    await start();
    const before = readdirSync(out);
    expect(before.sort()).toEqual(["ablation.json", "cell-trm-seed1.json"]);
    const training = lockFolder(out);
    await expect(start("learningRate=1")).rejects.toThrow(message);
    await expect(ablate("--resume", "--seeds", "2")).rejects.toThrow(message);
    training.release();
    expect(readdirSync(out).sort()).toEqual(before);
    await expect(start()).rejects.toThrow(`${out} holds an ablation already: --resume continues it`);
    expect(readdirSync(out).sort()).toEqual(before);
  });
});

it("--steps are the steps of the row trm, also with a depth curriculum", async () => {
  const deep = ["T=2", "n=4", "depthCurriculum=true"];
  await ablate("--rows", "trm", "--seeds", "1", "--steps", "20", "--puzzles", "6", "--set", ...tiny, ...deep);
  const cell = JSON.parse(readFileSync(join(out, "cell-trm-seed1.json"), "utf8")) as { steps: number };
  expect(cell.steps).toBe(20);
});

it("a cell whose training diverged says so beside its accuracy, in the table and with --json", async () => {
  const text = await start("learningRate=1e30", "--steps", "3");
  expect(text).toContain("TRM, seed 1: 0.0% exact after 3 steps in 0:00, diverged\n");
  expect(text).toMatch(/^diverged trainings, whose answers count as they are:\n {2}TRM +seed 1$/m);
  const shown = JSON.parse((await ablate("--resume", "--json")).split("\n").findLast((line) => line.startsWith("{"))!);
  expect(shown.rows[0].oursSmallScale.divergedSeeds).toEqual([1]);
});

describe("a refused ablation", () => {
  it("leaves no folder behind", async () => {
    await expect(start("hiddenSize=-1")).rejects.toThrow("hiddenSize");
    await expect(start("--seeds", "1001")).rejects.toThrow("Expected a whole number from 1 to 1000.");
    await expect(ablate("--resume")).rejects.toThrow(`${out}: contains no ablation.json`);
    expect(existsSync(out)).toBe(false);
  });

  it("changes nothing in a folder with other contents, even a file named lock", async () => {
    mkdirSync(out);
    for (const name of ["lock", "thesis.txt"]) writeFileSync(join(out, name), name);
    await expect(start()).rejects.toThrow(`${out} exists and is not an ablation: choose another --out`);
    expect(readdirSync(out)).toEqual(["lock", "thesis.txt"]);
  });
});
