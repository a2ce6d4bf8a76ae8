// The benchmark runner: programs take turns, and a program with different losses is rejected before the timing.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ourStep } from "../../bench/ours.ts";
import type { Contestant } from "../../bench/runner/contestants.ts";
import { stepsInTurn, takeTurns, turnsWithin } from "../../bench/runner/turns.ts";
import { makeCase, readCase, writeCase } from "../../bench/shared/case.ts";
import { readStepConfig } from "../../bench/shared/config.ts";
import { parseStepOptions } from "../../bench/shared/program.ts";
import { Random, ReferenceBackend } from "../../src/tensor/index.ts";

const sudoku4 = readStepConfig(fileURLToPath(new URL("../../bench/configs/sudoku4.json", import.meta.url)));
const tiny = { ...sudoku4, batch_size: 2, hidden_size: 8, num_heads: 2, H_cycles: 2, L_cycles: 1 };

/** A program that implements the protocol with the given losses and parameter count. */
const fake = (name: string, losses: readonly number[], params = 10, peak = false): Contestant => ({
  name,
  command: [
    process.execPath,
    "-e",
    `let steps = 0;
     const losses = ${JSON.stringify(losses)};
     const say = (value) => console.log(JSON.stringify(value));
     say({ peer: "${name}", config: "c", params: ${params}, threads: 1, peak: ${peak} });
     require("readline").createInterface({ input: process.stdin })
       .on("line", (line) => say(line === "peak" ? { best: 50, sustained: 40 } : { ms: ++steps % 2 ? 9 : 2, ...(line === "train" ? { loss: losses.shift() ?? 0 } : {}) }));`,
    "--",
  ],
});

const options = { config: "c.json", folder: "none", threads: 1, turns: 3 };

describe("programs that take turns", () => {
  it("programs with equal losses are timed on the second of two consecutive steps", async () => {
    const [a, b] = await takeTurns([fake("a", [1, 2]), fake("b", [1.00005, 2.0005])], options);
    expect(a).toMatchObject({ peer: "a", losses: [1, 2], train: [2, 2, 2], eval: [2, 2, 2] });
    expect(b).toMatchObject({ peer: "b", losses: [1.00005, 2.0005] });
  });

  it("a program that can measure the peak does so in each turn", async () => {
    const [a, b] = await takeTurns([fake("a", [1, 2], 10, true), fake("b", [1, 2])], options);
    expect([a!.peaks, b!.peaks]).toEqual([Array(3).fill({ best: 50, sustained: 40 }), []]);
  });

  it("a program with a different loss, a NaN loss or another parameter count is rejected", async () => {
    const beside = (peer: Contestant) => takeTurns([fake("a", [1, 2]), peer], options);
    await expect(beside(fake("b", [1.001, 2]))).rejects.toThrow("b: loss of step 1 is 1.001, expected 1");
    await expect(beside(fake("b", [1, 2.01]))).rejects.toThrow("b: loss of step 2");
    await expect(beside(fake("b", [Number.NaN, 2]))).rejects.toThrow("b: loss of step 1");
    await expect(beside(fake("b", [1, 2], 11))).rejects.toThrow("b: got 11 parameters, expected 10");
  });

  it("slow programs make fewer turns, but at least a minimum", () => {
    const at = (...stepMs: number[]) => turnsWithin({ ...options, turns: 15, seconds: 32 }, stepMs);
    expect([at(100), at(400, 600), at(100_000)]).toEqual([15, 10, 3]);
    expect(turnsWithin({ ...options, turns: 2 }, [1e9])).toBe(2);
  });

  it("a program whose step takes five seconds makes one step per turn", () => {
    expect([stepsInTurn(4999), stepsInTurn(5000)]).toEqual([2, 1]);
    expect(turnsWithin({ ...options, turns: 15, seconds: 160 }, [4000, 12_000])).toBe(5);
  });

  it("a program that does not start is reported with its error", async () => {
    const broken = { name: "b", command: [process.execPath, "-e", "throw new Error('no engine here')", "--"] };
    await expect(takeTurns([broken], options)).rejects.toThrow("b: ");
    await expect(takeTurns([{ name: "b", command: ["/no/such/program"] }], options)).rejects.toThrow("ENOENT");
  });
});

describe("a benchmark case", () => {
  it("a case read from its files is identical and gives the same losses", async () => {
    const folder = mkdtempSync(join(tmpdir(), "trm-case-"));
    const made = makeCase(tiny, new Random(3));
    writeCase(folder, made);
    const back = readCase(folder);
    rmSync(folder, { recursive: true });
    expect(back).toEqual(made);

    const losses = await Promise.all(
      [made, back].map(async (start) => {
        const step = ourStep(start, new ReferenceBackend(), 1);
        await step.evaluate();
        return [await step.train(), await step.train()];
      }),
    );
    expect(losses[0]).toEqual(losses[1]);
    expect(losses[0]![0]).not.toBe(losses[0]![1]);
    expect(losses[0]!.every(Number.isFinite)).toBe(true);
  });
});

describe("the arguments of a step program", () => {
  it("the arguments are parsed and have defaults", () => {
    const read = parseStepOptions(["a.json", "--threads", "2", "--repeat", "5", "--json"]);
    expect(read).toMatchObject({ config: "a.json", threads: 2, repeat: 5, json: true, serve: false });
    expect(parseStepOptions(["a.json"])).toMatchObject({ threads: 0, repeat: 7 });
  });

  it("invalid arguments are rejected with the expected values", () => {
    expect(() => parseStepOptions([])).toThrow("expected CONFIG.json");
    expect(() => parseStepOptions(["a.json", "--repeat", "0"])).toThrow('--repeat: got "0"');
    expect(() => parseStepOptions(["a.json", "--threads", "two"])).toThrow('--threads: got "two"');
  });
});
