// The programs of examples/ run under the name of the package, with their training shortened to 3 steps. The full suite runs them
// against the packed package too (tests/package/programs.full.test.ts).
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runProgram, shortened } from "../run-program.ts";
import { projectRoot } from "../source.ts";

const temporary = mkdtempSync(join(tmpdir(), "trm-examples-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const read = (name: string): string => readFileSync(`${projectRoot}examples/${name}`, "utf8");
const run = (name: string, code: string): Promise<string> => runProgram(`example-${name}`, code, temporary);

describe("the examples", () => {
  it("are the programs that the tests below run, of at most 42 lines each, with the command in the first line", () => {
    const programs = readdirSync(`${projectRoot}examples`).filter((name) => name.endsWith(".ts"));
    expect(programs).toEqual([
      "custom-loss.ts",
      "lion.ts",
      "noise-on-z.ts",
      "own-operation.ts",
      "own-task.ts",
      "solve.ts",
      "step-by-hand.ts",
      "variant.ts",
    ]);
    for (const name of programs) {
      const lines = read(name).trimEnd().split("\n");
      expect(lines.length, name).toBeLessThanOrEqual(42);
      expect(lines[0]).toContain(`Run: npx tsx examples/${name}`);
    }
  });

  it("import only the package, fast-check and Node's modules", () => {
    const imported = readdirSync(`${projectRoot}examples`).flatMap((name) =>
      [...read(name).matchAll(/ from "([^"]+)"/g)].map(([, from]) => from!),
    );
    expect(imported.length).toBeGreaterThan(5);
    expect(imported.filter((from) => !/^(trm-ts(\/\w+)?|fast-check|node:\w+)$/.test(from))).toEqual([]);
  });

  it("step-by-hand.ts prints the boards of y and z after every update", async () => {
    const lines = (await run("step-by-hand", shortened(read("step-by-hand.ts")))).trim().split("\n");
    expect(lines[0]).toMatch(/^question: [.1-4]{16}$/);
    expect(lines).toHaveLength(2 + 2 * 2 * (2 + 1)); // 2 supervision steps of T = 2 cycles with n = 2 updates of z and one of y
    expect(lines[1]).toMatch(/^[.?1-4]{16} {2}step 1, cycle 1: z, update 1$/);
    expect(lines[12]).toMatch(/^[.?1-4]{16} {2}step 2, cycle 2: y$/);
    expect(lines[13]).toMatch(/^[1-4]{16} {2}the answer$/);
  });

  it("own-operation.ts defines an operation whose gradient passes the property", async () => {
    expect(await run("own-operation", read("own-operation.ts"))).toBe(
      "y  = -0.2525, 0.0000, 0.8651\ndx = -0.1084, 0.6000, 1.0490\nthe gradient of mish agrees with difference quotients\n",
    );
  });

  it("own-operation.ts fails if the gradient is wrong", async () => {
    const wrong = read("own-operation.ts").replace("t.add(g, t.multiply(x, slope))", "g");
    await expect(run("own-operation", wrong)).rejects.toThrow(/GradientError: mish: gradient of input 0/);
  });

  it("own-task.ts resumes its training bit for bit", async () => {
    const output = await run("own-task", shortened(read("own-task.ts")));
    const [, loss, resumed] = /loss of step 4: ([\d.]+), resumed: ([\d.]+)/.exec(output) ?? [];
    expect(loss).toBeDefined();
    expect(resumed).toBe(loss);
    expect(output).toMatch(/[\d.]+% of 200 unseen puzzles solved/);
  });

  it("solve.ts loads a model, solves two puzzles and prints them, in ten lines", async () => {
    const code = read("solve.ts");
    expect(code.trimEnd().split("\n").length).toBeLessThanOrEqual(11); // and a comment
    const output = await run("solve", code.replaceAll("runs/demo", "weights/sudoku4"));
    expect(output.match(/^\d+ steps, q [\d.]+: the answer is correct$/gm)).toHaveLength(2);
    expect(output).toMatch(/^4 2 \| 1 3\n/);
  });

  it("noise-on-z.ts prints a row of solved shares for every strength of the noise", async () => {
    const output = await run("noise-on-z", shortened(read("noise-on-z.ts")));
    expect(output.match(/^noise [\d.]+:( [01]\.\d\d){8}$/gm)).toHaveLength(5);
  });

  it("variant.ts trains a recursion with a gate and saves the gate under its own name", async () => {
    const output = await run("variant", shortened(read("variant.ts")));
    expect(output).toMatch(/^true: the gate is saved\nsolved after step 1: [\d.]+, after step 8: [\d.]+\n$/);
  });

  it("lion.ts trains with an optimizer of ten lines", async () => {
    const program = read("lion.ts");
    expect(/class Lion.*?^}$/ms.exec(program)![0].split("\n").length).toBeLessThanOrEqual(10);
    const output = await run("lion", shortened(program));
    expect(output.match(/^(Adam-atan2|Lion): mean loss of the last 100 steps \d\.\d{3}$/gm)).toHaveLength(2);
  });

  it("custom-loss.ts trains with a loss in which blank cells count more", async () => {
    const output = await run("custom-loss", shortened(read("custom-loss.ts")));
    const line = /^(all cells alike|blank cells first): solved after step 1: [\d.]+, after step 8: [\d.]+$/gm;
    expect(output.match(line)).toHaveLength(2);
  });
});
