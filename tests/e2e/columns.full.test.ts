// The output of every command fits a terminal of 80 columns, as long as the paths are short.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { newFolder, patience, project, words } from "./command.ts";

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Standard output and errors of a command that runs in the folder. */
function outputOf(line: string, colours = false): string {
  const env = { ...process.env, ...(colours ? { NO_COLOR: undefined, FORCE_COLOR: "1" } : { NO_COLOR: "1" }) };
  const [command, input] = line.split(" < ") as [string, string?];
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(project, "bin/trm.mjs"), ...words(command)], {
    cwd: folder,
    env,
    input: input ?? "",
    encoding: "utf8",
  });
  expect([line, status, stderr.includes("internal error")]).toEqual([line, 0, false]);
  return stdout + stderr;
}

/** Lines that are wider than the terminal, without escape codes. Paths of the package depend on the machine. */
const tooWide = (text: string): string[] =>
  text
    .replaceAll(project, "trm-ts")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes begin with one
    .replaceAll(/\u001b\[[\d;]*m/g, "")
    .split("\n")
    .filter((row) => [...row].length > 80);

const settings = "--set hiddenSize=32 batchSize=32 nSup=4";

beforeAll(() => {
  outputOf(`train --task sudoku4 --puzzles 200 --steps 20 --eval-every 10 --out runs/a ${settings}`);
  mkdirSync(join(folder, "csv"));
  for (const [seed, name] of ["train", "test"].entries()) {
    outputOf(`data generate sudoku9 --clues 36 --count 5 --seed ${seed} --out csv/${name}.csv`);
  }
}, patience);

it.each([
  `train --task sudoku6 --puzzles 100 --steps 3 --out runs/b ${settings}`,
  "train --resume runs/a --steps 25",
  "demo --minutes 0.02 --out runs/demo",
  "eval runs/a",
  "eval runs/a --halt q --sweep",
  "eval sudoku6 --limit 20",
  "eval sudoku6 --limit 12 --rollouts 2",
  "eval sudoku6 --limit 12 --vote 2",
  "eval maze9 --limit 4 --vote 2",
  "probe sudoku6 --limit 12",
  "solve runs/a ..1.3.....4.2... --all",
  `solve ${"1".padEnd(36, ".")}`,
  "solve runs/a - < ..1.3.....4.2...\n",
  "info runs/a",
  "info sudoku6",
  "metrics runs/a",
  "plot runs/a --out a.html --svg a.svg",
  "data generate sudoku4 --count 3 --out four.csv",
  "data generate maze --side 9 --count 3 --out maze.csv",
  "data sudoku --from csv --out data/sudoku --augment 2",
  "export runs/a --out exported --for torchrun",
])(
  "%s",
  (line) => {
    expect(tooWide(outputOf(line))).toEqual([]);
  },
  patience,
);

it("colours make no line wider", () => {
  const output = outputOf("solve ..1.3.....4.2...", true);
  expect(output).toContain("\u001b[");
  expect(tooWide(output)).toEqual([]);
});
