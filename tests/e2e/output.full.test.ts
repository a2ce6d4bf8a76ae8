// Output files of every kind, and a standard output that cannot be written.
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newFolder, patience, smallModel, startShell, stepLines, trm } from "./command.ts";

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const run = join(folder, "run");
const train = (out: string): string[] => [
  ..."train --task sudoku4 --puzzles 100 --steps 2 --set".split(" "),
  ...smallModel,
  "--out",
  out,
];
beforeAll(async () => {
  expect((await trm(...train(run))).code).toBe(0);
}, patience);

const generate = (out: string): Promise<{ code: number | null; stdout: string; stderr: string }> =>
  trm("data", "generate", "sudoku4", "--count", "2", "--out", out);
const csv = /^source,question,answer,rating\n(trm-ts,[.1-4]{16},[1-4]{16},\d+\n){2}$/;

describe("an output file", () => {
  it("that is a symbolic link stays a link, and its target is replaced", async () => {
    const [target, link] = [join(folder, "target.csv"), join(folder, "link.csv")];
    writeFileSync(target, "old");
    symlinkSync("target.csv", link);
    expect(await generate(link)).toMatchObject({ code: 0 });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, "utf8")).toMatch(csv);
  });

  it.skipIf(process.platform === "win32")("that is a pipe is written to, and stays a pipe", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const line = `cat ${pipe} > ${folder}/received & $TRM data generate sudoku4 --count 2 --out ${pipe}; wait`;
    expect(await startShell(line).finished).toMatchObject({ code: 0 });
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    expect(readFileSync(join(folder, "received"), "utf8")).toMatch(csv);
  });

  it("named - is the standard output, and the summary goes to stderr", async () => {
    const generated = await generate("-");
    expect(generated.stdout).toMatch(csv);
    expect(generated.stderr).toContain("2 puzzles of sudoku4");
    const evaluated = await trm("eval", run, "--limit", "3", "--svg", "-");
    expect(evaluated.stdout).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(evaluated.stderr).toContain("stop when q >");
    expect(existsSync("-")).toBe(false);
  });

  it("is rejected if it is a folder, and a folder is rejected if it is -", async () => {
    expect(await generate(folder)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `trm: ${folder}: cannot write: a folder, expected a file\n`,
    });
    for (const args of [
      ["train", "--task", "sudoku4"],
      ["export", run],
      ["arc-score", "--data", "x"],
    ]) {
      const { code, stderr } = await trm(...args, "--out", "-");
      expect([code, stderr]).toEqual([2, expect.stringContaining("Expected a folder; - is the standard output.")]);
    }
    const both = await trm("data", "generate", "sudoku4", "--count", "1", "--out", "-", "--json");
    expect(both).toMatchObject({ code: 2, stderr: "trm: --out - and --json both print to standard output\n" });
  });
});

describe.skipIf(!existsSync("/dev/full"))("a full standard output (skipped without /dev/full)", () => {
  const message = "trm: cannot write to standard output: no space left on the disk\n";

  it.each(["info RUN", "eval RUN --limit 2 --json", "--help"])("is reported in one line by: %s", async (command) => {
    const { code, stderr } = await startShell(`$TRM ${command.replace("RUN", run)} > /dev/full`).finished;
    expect([code, stderr]).toEqual([1, message]);
  });

  it("stops a training, which saves", async () => {
    const out = join(folder, "unseen-output");
    const resumed = `$TRM train --resume ${out} --steps 100000`;
    expect((await trm(...train(out))).code).toBe(0);
    const { code, stderr } = await startShell(`${resumed} > /dev/full`).finished;
    expect([code, stderr]).toEqual([1, message]);
    expect(existsSync(join(out, "lock"))).toBe(false);
    expect(stepLines(out).length).toBeLessThan(100);
  });
});
