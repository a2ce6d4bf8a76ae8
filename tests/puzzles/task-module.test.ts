// Tasks from modules that a user writes: what is accepted, and how mistakes in a module are reported.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isModulePath, loadTaskModule, resolveTask } from "../../src/puzzles/index.node.ts";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { ConfigError } from "../../src/trm/index.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-task-module-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let modules = 0;
function written(text: string): string {
  const path = join(folder, `task-${modules++}.mjs`);
  writeFileSync(path, text);
  return path;
}

/** A definition of 2 x 2 cells as source text. @param fields  fields that replace or follow the usual ones */
const definition = (fields = ""): string => `{
  name: "flip", rows: 2, columns: 2, symbols: ".#",
  draw(random) {
    const question = Array.from({ length: 4 }, () => ".#"[random.integer(2)]).join("");
    return { question, answer: [...question].map((cell) => (cell === "." ? "#" : ".")).join("") };
  },
  ${fields}
}`;

describe("a task module", () => {
  it.each([
    ["export default", "its default export"],
    ["export const task =", "its export task"],
  ])("%s is a definition: %s", async (exported) => {
    const path = written(`${exported} ${definition()};`);
    const { task, choice } = await loadTaskModule(path);
    expect(choice).toEqual({
      name: "grid",
      title: "flip",
      rows: 2,
      columns: 2,
      symbols: ".#",
      symmetry: "none",
      module: path,
    });
    const { train } = task.generate({ train: 8, test: 0, seed: 1 });
    expect(task.format(train.labels.slice(0, 4))).toMatch(/^[.#]{4}$/);
  });

  it("may export what gridTask returns", async () => {
    const source = new URL("../../src/puzzles/grid-task.ts", import.meta.url).href;
    const { task } = await loadTaskModule(
      written(`import { gridTask } from ${JSON.stringify(source)};\nexport default gridTask(${definition()});`),
    );
    expect(task.generate({ train: 3, test: 1, seed: 1 }).train.count).toBe(3);
    expect(task.parse(".#\n#.")).toEqual(Int32Array.of(1, 2, 2, 1));
  });

  const broken: [what: string, text: string, message: RegExp][] = [
    ["no export", "export const other = 1;", /exports neither default nor task, expected gridTask/],
    ["another kind of export", "export default 7;", /name: got undefined, expected gridTask/],
    [
      "a missing field",
      "export default { name: 'x', rows: 2, columns: 2, symbols: '.#' };",
      /draw: got undefined, exp/,
    ],
    ["a wrong type", `export default ${definition('rows: "2",')};`, /rows: got "2", expected gridTask/],
    [
      "an invalid definition",
      `export default ${definition('symbols: "aa",')};`,
      /flip: symbols "aa", expected at least/,
    ],
    [
      "a definition that throws no error",
      `export default { ...${definition()}, get rows() { if (this.read++ > 0) throw "late"; return 2; }, read: 0 };`,
      /: late$/,
    ],
    ["a syntax error", "export default {", /cannot be loaded: /],
    ["an error while it runs", "throw new Error('first\\nsecond');", /cannot be loaded: Error: first$/],
    ["a missing import", 'import "not-installed-anywhere";', /cannot be loaded: .*not-installed-anywhere/],
  ];
  it.each(broken)("is refused in one line with its path: %s", async (_, text, message) => {
    const path = written(text);
    const error = await loadTaskModule(path).catch((caught: Error) => caught);
    expect(error).toMatchObject({ name: "ConfigError" });
    const { message: got } = error as Error;
    expect(got.startsWith(`${path}: `)).toBe(true);
    expect(got).toMatch(message);
    expect(got).not.toContain("\n");
  });

  it("is refused if there is no such file, or it is a folder", async () => {
    await expect(loadTaskModule(join(folder, "none.mjs"))).rejects.toThrow(/none.mjs: no such file, expected a module/);
    await expect(loadTaskModule(folder)).rejects.toThrow(/: is a folder, expected a module/);
  });

  it("has its path in the errors of its own functions, but not in those of a malformed question", async () => {
    const bad = await loadTaskModule(
      written(
        `export default ${definition('draw() { return {}.a.b; }, mistake() { throw new Error("oops\\n2"); },')};`,
      ),
    );
    const path = bad.choice.module!;
    expect(() => bad.task.generate({ train: 1, test: 0, seed: 1 })).toThrow(`${path}: TypeError: `);
    expect(() => bad.task.mistake([1, 1, 1, 1], [1, 1, 1, 1])).toThrow(/^.*\.mjs: Error: oops$/);
    expect(() => bad.task.parse("xxxx")).toThrow(/^flip: character 1 is "x"/);
    const short = await loadTaskModule(
      written(`export default ${definition('draw: () => ({ question: "..", answer: ".." }),')};`),
    );
    expect(() => short.task.generate({ train: 1, test: 0, seed: 1 })).toThrow(
      `${short.choice.module}: PuzzleError: flip: 2 characters, expected 4`,
    );
    for (const [thrown, shown] of [
      ['"boom\\n2"', "boom"],
      ["undefined", "undefined"],
      ["{}", "{}"],
    ]) {
      const odd = await loadTaskModule(written(`export default ${definition(`draw() { throw ${thrown}; },`)};`));
      expect(() => odd.task.generate({ train: 1, test: 0, seed: 1 })).toThrow(
        new ConfigError(`${odd.choice.module}: ${shown}`),
      );
    }
    const few = await loadTaskModule(written(`export default ${definition()};`));
    expect(() => few.task.generate({ train: 17, test: 0, seed: 1 })).toThrow(
      `${few.choice.module}: flip: train 17 + test 0 puzzles, found only 16 different`,
    );
  });
});

describe("the task of a run", () => {
  it("is imported again from its module, or from the one that replaces it", async () => {
    const path = written(`export default ${definition()};`);
    const { choice } = await loadTaskModule(path);
    expect((await resolveTask(choice)).choice).toEqual(choice);
    const moved = written(`export default ${definition()};`);
    expect((await resolveTask(choice, moved)).choice.module).toBe(moved);
    rmSync(path);
    await expect(resolveTask(choice)).rejects.toThrow(`${path}: no such file, but the task is defined there`);
    expect((await resolveTask(choice, moved)).task.name).toBe("flip");
    await expect(resolveTask({ name: "sudoku4" }, moved)).rejects.toThrow(
      `${moved}: got a module as the task, expected none, because the model was trained on sudoku4`,
    );
  });

  it("is not imported from a path that belongs to another machine or folder", async () => {
    const { choice } = await loadTaskModule(written(`export default ${definition()};`));
    for (const module of ["data/evil/x.mjs", "//host/share/x.mjs", String.raw`\\host\share\x.mjs`]) {
      await expect(resolveTask({ ...choice, module })).rejects.toThrow(
        "as the module of the task, expected an absolute",
      );
    }
  });

  it("must still have the same cells and symbols", async () => {
    const { choice } = await loadTaskModule(written(`export default ${definition()};`));
    const other = written(`export default ${definition('symbols: "#.",')};`);
    await expect(resolveTask(choice, other)).rejects.toThrow(`${other}: symbols: got "#.", the run has ".#"`);
  });

  it("without a module is one of ours", async () => {
    const { task, choice } = await resolveTask({ name: "sudoku4" });
    expect([task.name, choice]).toEqual([sudokuTask(4).name, { name: "sudoku4" }]);
  });
});

it("a path is told from the name of a task", () => {
  expect(["./life.mjs", "life.js", "a/b", "a\\b", "x.ts"].map(isModulePath)).toEqual(Array(5).fill(true));
  expect(["sudoku4", "maze", "life"].map(isModulePath)).toEqual(Array(3).fill(false));
});
