// `trm solve`, `eval` and `info` with the shipped models, from a folder that is not the repository.
import { spawn } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { newFolder, project, startShell } from "./command.ts";

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command line in the folder, with a text as standard input. */
function trm(words: readonly string[], input = "") {
  const child = spawn(process.execPath, [join(project, "bin/trm.mjs"), ...words], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1" },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  child.stdin.end(input);
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((done) =>
    child.on("close", (code) => done({ code, stdout, stderr })),
  );
}

const four = "..1.3.....4.2...";
const solved = "4213312413422431";
const json = async (...words: string[]) => JSON.parse((await trm(["solve", "--json", ...words])).stdout);

describe("solve without a model", () => {
  it("uses the shipped model of the length, and says so", async () => {
    const { code, stdout, stderr } = await trm(["solve", four]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^model {4}sudoku4 \(shipped with trm-ts\)\npuzzle/);
    expect(stdout).toContain("the answer is correct");
    expect(await json(four)).toMatchObject({ model: "sudoku4", answer: solved, correct: true });
  });

  it("uses the shipped model even where a folder has its name", async () => {
    const decoy = join(folder, "sudoku4");
    cpSync(join(project, "weights/sudoku6"), decoy, { recursive: true });
    try {
      expect(await json(four)).toMatchObject({ model: "sudoku4", answer: solved });
      expect((await trm(["solve", "-"], `${four}\n`)).stdout).toBe(`${solved}\tcorrect\t1 step\n`);
    } finally {
      rmSync(decoy, { recursive: true });
    }
  });

  it("understands boards on several lines and in groups", async () => {
    for (const words of [
      ["..1.", "3...", "..4.", "2..."],
      ["..", "1.3.....4.2..."],
      [". . | 1 .\n3 . | . .\n----+----\n. . | 4 .\n2 . | . ."],
    ]) {
      expect((await json(...words)).answer, words.join(" ")).toBe(solved);
    }
  });

  it("says which rule an answer breaks", async () => {
    const { stdout } = await trm(["solve", "-"], "123....4........\n"); // the last cell of row 1 sees 1, 2, 3 and 4
    expect(stdout).toMatch(/^[1-4.?]{16}\twrong: .* in row \d/);
  });

  it("refuses a folder as standard input", async () => {
    const { code, stdout, stderr } = await startShell(`$TRM solve - < ${folder}`).finished;
    expect([code, stdout, stderr]).toEqual([1, "", "trm: standard input: cannot read: a folder, expected a file\n"]);
  });

  it("reports a puzzle that no shipped model fits", async () => {
    const { code, stdout, stderr } = await trm(["solve", "123"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /^trm: the puzzle has 3 cells, but no shipped model takes this number \(maze15: 225, maze9: 81, sudoku4: 16, /,
    );
  });
});

describe("solve -", () => {
  it("prints one line per puzzle in order, an error for a bad line, and exits with 1", async () => {
    const six = ".".repeat(36);
    const { code, stdout, stderr } = await trm(["solve", "-"], `${four}\nbad\n${six}\n${four}`);
    expect(code).toBe(1);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(new RegExp(`^${solved}\\tcorrect\\t\\d+ steps?$`));
    expect(lines[1]).toMatch(/^error: line 2: the puzzle has 3 cells, but no shipped model takes this number \(/);
    expect(lines[2]).toMatch(/^[1-6.?]{36}\t/);
    expect(lines[3]).toBe(lines[0]);
    expect(stderr).toMatch(/^4 puzzles, 1 could not be read/);
  });

  it("prints JSON objects with --json, and takes a model", async () => {
    const { code, stdout } = await trm(["solve", "sudoku4", "--json", "-"], `${four}\nbad\n`);
    expect(code).toBe(1);
    const [first, second] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({
      line: 1,
      model: "sudoku4",
      puzzle: four,
      answer: solved,
      correct: true,
      mistake: null,
    });
    expect(second).toEqual({
      line: 2,
      puzzle: "bad",
      error: expect.stringContaining('character 1 (row 1, column 1) is "b"'),
    });
  });

  it("solves a thousand puzzles of one file with the same answers as one at a time", async () => {
    const { code, stdout } = await trm(["solve", "-"], `${four}\n`.repeat(1000));
    expect(code).toBe(0);
    expect(new Set(stdout.trimEnd().split("\n"))).toEqual(new Set([`${solved}\tcorrect\t1 step`]));
  });
});

describe("eval and info", () => {
  it("accept the names of shipped models; eval generates puzzles of the card's kind", async () => {
    const { code, stdout } = await trm(["eval", "sudoku6", "--limit", "50"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^model {4}sudoku6 \(shipped with trm-ts\)/);
    expect(stdout).toContain("50 newly generated puzzles of sudoku6, 10 clues (seed 2026)");
    const evaluation = JSON.parse((await trm(["eval", "sudoku6", "--limit", "50", "--json"])).stdout);
    expect(evaluation.puzzles).toBe(50);
    expect(evaluation.exact.at(-1)).toBeGreaterThanOrEqual(0.95);
    expect((await trm(["info", "sudoku6"])).stdout).toMatch(/network .*169,922 parameters[\s\S]*% exact/);
  });

  it("prefer a folder of the same name in the current directory, and say so", async () => {
    cpSync(join(project, "weights/sudoku4"), join(folder, "sudoku6"), { recursive: true });
    const { stdout } = await trm(["info", "sudoku6"]);
    expect(stdout).toMatch(/^note: sudoku6 is the folder here, not the shipped model/);
    expect(stdout).toMatch(/task +sudoku4/);
    rmSync(join(folder, "sudoku6"), { recursive: true });
  });
});
