// A task of one's own through the command line: train, resume, evaluate, solve, generate, with its own symbols.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Finished, newFolder, patience, project, smallModel, start, trm } from "./command.ts";

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const definition = `{
  name: "flip", rows: 2, columns: 4, symbols: '.#"',
  draw(random) {
    const cells = Array.from({ length: 8 }, () => '.#"'[random.integer(3)]);
    return { question: cells.join(""), answer: flipped(cells.join("")) };
  },
  mistake: (question, answer) => (answer === flipped(question) ? undefined : "a cell is not flipped"),
}`;
const flipped = `const flipped = (text) => [...text].map((cell) => ({ ".": "#", "#": "." })[cell] ?? cell).join("");`;
const module = join(folder, "flip.mjs");
const run = join(folder, "run");

let trained: Finished;
beforeAll(async () => {
  writeFileSync(module, `${flipped}\nexport default ${definition};\n`);
  const sizes = ["--puzzles", "300", "--unseen", "50", "--steps", "150", "--seed", "3"];
  const settings = [...smallModel, "mixer=mlp", "positions=none", "learningRate=4e-3", "warmupSteps=20", "heads=4"];
  trained = await trm("train", "--task", module, ...sizes, "--out", run, "--set", ...settings);
}, patience);

it("train learns the puzzles of a module", () => {
  expect(trained).toMatchObject({ code: 0, stderr: "" });
  expect(trained.stdout).toMatch(/task +flip; preset small/);
  const about = JSON.parse(readFileSync(join(run, "run.json"), "utf8")) as { task: object };
  expect(about.task).toMatchObject({ name: "grid", title: "flip", symbols: '.#"', module });
  expect(about).toMatchObject({ data: { augment: false } }); // a task without symmetries
  expect(trained.stdout).toMatch(/unseen {3}(\d{2}|100)[.\d]*% exact/);
});

it("eval, solve and info use the task of the run, and solve prints its symbols", async () => {
  const evaluated = await trm("eval", run, "--json");
  expect((JSON.parse(evaluated.stdout) as { puzzles: number }).puzzles).toBe(50);
  const solved = await trm("solve", run, "..##", '"".#', "--json");
  const solution = JSON.parse(solved.stdout) as {
    puzzle: string;
    answer: string;
    correct: boolean;
    mistake: string | null;
  };
  expect(solution.puzzle).toBe('..##"".#');
  expect(solution.answer).toMatch(/^[.#"?]{8}$/);
  expect(solution.correct).toBe(solution.answer === '##..""#.');
  const shown = await trm("solve", run, '..##"".#');
  expect(shown.stdout).toMatch(/puzzle.*\n\.\.## /);
  expect((await trm("info", run)).stdout).toMatch(/task +flip/);
  const refused = await trm("solve", run, "xxxxxxxx");
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toBe('trm: flip: character 1 is "x", expected one of ".#\\""\n');
});

it("data generate writes puzzles with its symbols, which eval reads", async () => {
  const csv = join(folder, "flip.csv");
  const generated = await trm("data", "generate", module, "--count", "20", "--out", csv, "--seed", "9");
  expect(generated.stdout).toContain("20 puzzles of flip");
  const evaluated = await trm("eval", run, "--csv", csv, "--json");
  expect((JSON.parse(evaluated.stdout) as { puzzles: number }).puzzles).toBe(20);
});

it(
  "a module that has been moved is named, and --task gives its new place",
  async () => {
    const moved = join(folder, "moved.mjs");
    // The moved module makes its task with gridTask of the compiled library, as that of a user does.
    const library = join(project, "dist/index.js");
    writeFileSync(
      moved,
      `import { gridTask } from ${JSON.stringify(library)};\n${flipped}\nexport const task = gridTask(${definition});\n`,
    );
    renameSync(module, `${module}.away`);
    for (const command of [
      ["eval", run],
      ["solve", run, "........"],
      ["train", "--resume", run, "--steps", "160"],
    ]) {
      const failed = await trm(...command);
      expect(failed.code).toBe(1);
      expect(failed.stderr).toBe(
        `trm: ${module}: no such file, but the task is defined there (if it has been moved: --task FILE)\n`,
      );
    }
    expect((await trm("solve", run, "........", "--task", moved, "--json")).code).toBe(0);
    const resumed = await trm("train", "--resume", run, "--steps", "160", "--task", moved);
    expect(resumed).toMatchObject({ code: 0, stderr: "" });
    expect((await trm("eval", run, "--json")).code).toBe(0);
  },
  patience,
);

it(
  "a data set keeps its symbols: the run that learns it draws pictures with them",
  async () => {
    const data = join(folder, "data");
    const program = join(folder, "write.mts");
    writeFileSync(
      program,
      `import { gridTask } from ${JSON.stringify(join(project, "src/index.ts"))};
     import { writeDataset } from ${JSON.stringify(join(project, "src/node.ts"))};
     ${flipped.replace("(text)", "(text: string)").replace("[cell]", "[cell as '.']")}
     const task = gridTask(${definition});
     writeDataset(${JSON.stringify(data)}, { task, ...task.generate({ train: 60, test: 10, seed: 1 }) });`,
    );
    const { spawnSync } = await import("node:child_process");
    const written = spawnSync(process.execPath, ["--import", "tsx", program], { cwd: project, encoding: "utf8" });
    expect(written.stderr).toBe("");
    const out = join(folder, "stored");
    const settings = ["--set", ...smallModel];
    expect(await trm("train", "--data", data, "--steps", "5", "--out", out, ...settings)).toMatchObject({ code: 0 });
    const solved = await trm("solve", out, '..##"".#');
    expect(solved).toMatchObject({ code: 0, stderr: "" });
    expect(solved.stdout).toMatch(/\.\.## /);
    expect((await trm("info", out)).stdout).toMatch(/task +flip/);
  },
  patience,
);

it("a module in TypeScript runs where Node or tsx strips the types, and is refused with a hint elsewhere", async () => {
  const typed = join(folder, "flip.ts");
  writeFileSync(
    typed,
    `${flipped.replace("(text)", "(text: string)").replace("[cell]", '[cell as "#"]')}\nexport default ${definition};\n`,
  );
  const generate = ["data", "generate", typed, "--count", "3", "--out", join(folder, "typed.csv")];
  const { code, stdout } = await start(generate, { NODE_OPTIONS: "--import tsx" }).finished;
  expect([code, stdout]).toEqual([0, expect.stringContaining("3 puzzles of flip")]);
  if ((process.features as { typescript?: unknown }).typescript) return;
  const refused = await trm(...generate);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("does not run TypeScript, expected Node 22.18 or newer");
});

it("an error in a timer of a module ends train in one line, and TRM_DEBUG shows where", async () => {
  const late = join(folder, "late.mjs");
  writeFileSync(
    late,
    `${flipped}\nsetTimeout(() => { throw new Error("late\\nmore"); }, 3000);\nexport default ${definition};\n`,
  );
  const out = join(folder, "late");
  const command = ["train", "--task", late, "--puzzles", "300", "--steps", "100000", "--out", out];
  const ended = await trm(...command);
  expect(ended).toMatchObject({ code: 1, stderr: "trm: internal error: late (TRM_DEBUG=1 shows where)\n" });
  rmSync(out, { recursive: true, force: true });
  const { stderr } = await start(command, { TRM_DEBUG: "1" }).finished;
  expect(stderr).toContain("late.mjs:2:");
});

it("a rejected promise of a module that nothing awaits ends train in one line", async () => {
  const late = join(folder, "rejected.mjs");
  writeFileSync(late, `${flipped}\nPromise.reject(new Error("late"));\nexport default ${definition};\n`);
  const ended = await trm("train", "--task", late, "--steps", "100000", "--out", join(folder, "rejected"));
  expect(ended).toMatchObject({ code: 1, stderr: "trm: internal error: late (TRM_DEBUG=1 shows where)\n" });
});
