// `trm data`: mistakes in the output are found before the work.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { dataCommand } from "../../src/cli/commands/data.ts";
import { runCommand } from "./run-command.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-data-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("data generate checks its output file before it generates puzzles", async () => {
  const module = join(folder, "task.mjs");
  writeFileSync(
    module,
    `export default {
      name: "never", rows: 2, columns: 2, symbols: ".#",
      draw() { throw new Error("a puzzle was generated"); },
    };`,
  );
  const results = join(folder, "results");
  mkdirSync(results);
  const generate = (out: string): Promise<string> =>
    runCommand(dataCommand(), "generate", module, "--count", "9", "--out", out);
  await expect(generate(results)).rejects.toThrow(`${results}: cannot write: a folder, expected a file`);
  await expect(generate(join(module, "puzzles.csv"))).rejects.toThrow("a part of the path is a file");
  writeFileSync(join(results, "run.json"), "{}");
  const unseen = join(results, "unseen.csv");
  await expect(generate(unseen)).rejects.toThrow(
    `--out ${unseen} is a file of the run ${results}, expected another file`,
  );
  await expect(generate(join(folder, "new", "puzzles.csv"))).rejects.toThrow("a puzzle was generated");
  expect(readdirSync(folder).toSorted()).toEqual(["results", "task.mjs"]);
  expect(readdirSync(results)).toEqual(["run.json"]);
});

it("data generate writes the puzzles that it has generated", async () => {
  const out = join(folder, "new", "puzzles.csv");
  expect(await runCommand(dataCommand(), "generate", "sudoku4", "--count", "3", "--out", out)).toContain(
    `${out}: 3 puzzles of sudoku4`,
  );
  expect(readFileSync(out, "utf8").trim().split("\n")).toHaveLength(1 + 3);
});

it("data keeps an existing data set unless --force is given", async () => {
  const [csv, out] = [join(folder, "csv"), join(folder, "built")];
  mkdirSync(csv);
  for (const name of ["train", "test"]) {
    const file = join(csv, `${name}.csv`);
    await runCommand(dataCommand(), "generate", "sudoku4", "--count", "4", "--out", file);
  }
  const build = (...more: string[]): Promise<string> =>
    runCommand(dataCommand(), "sudoku", "--from", csv, "--out", out, ...more);
  await build();
  await expect(build("--subsample", "2")).rejects.toThrow(`${out} holds a data set already: --force replaces it`);
  expect(await build("--subsample", "2", "--force")).toContain(`${out}/train: 2 groups`);
});

it("data does not write a data set into the folder of a run, also with --force", async () => {
  const run = join(folder, "run");
  mkdirSync(run);
  writeFileSync(join(run, "run.json"), "{}");
  const build = runCommand(dataCommand(), "sudoku", "--from", join(folder, "csv"), "--out", run, "--force");
  await expect(build).rejects.toThrow(`${run} holds a run: choose another --out`);
  expect(readdirSync(run)).toEqual(["run.json"]);
});

it("data generate refuses more puzzles than the longest text can hold, before it generates any", async () => {
  const out = join(folder, "large.csv");
  await expect(
    runCommand(dataCommand(), "generate", "maze", "--side", "30", "--count", "300000", "--out", out),
  ).rejects.toThrow(
    /^data generate: got --count 300000, expected at most 29[0-9]{4}: a file holds no more puzzles of maze30$/,
  );
});

it("data arc refuses an empty name and a repeated name among the subsets", async () => {
  const arc = (subsets: string): Promise<string> =>
    runCommand(
      dataCommand(),
      "arc",
      "--prefix",
      folder,
      "--out",
      join(folder, "arc"),
      "--subsets",
      subsets,
      "--test-set",
      "b",
    );
  await expect(arc("a,b,")).rejects.toThrow("Expected names separated by commas, got an empty one.");
  await expect(arc("a, b, a")).rejects.toThrow("Expected different names, got a twice.");
});

it("an empty path of an output file is refused before the work", async () => {
  const generate = runCommand(dataCommand(), "generate", "sudoku4", "--count", "3", "--out", "");
  await expect(generate).rejects.toThrow("Expected the path of a file.");
});
