// The folder of a new run, if another process takes the place meanwhile or the name is unusual.
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { checkPlace, createRun } from "../../src/cli/new-run.ts";
import { outputFolder } from "../../src/cli/options.ts";
import { shellPath } from "../../src/cli/version.ts";
import { WritableRun } from "../../src/runs/run-folder.node.ts";
import { tinyAbout, tinyConfig, tinySets, tinyTraining } from "../runs/tiny-run.ts";
import { recordedTerminal } from "./recorded-terminal.ts";

const root = mkdtempSync(join(tmpdir(), "trm-new-run-"));
const sets = tinySets();
const training = tinyTraining(tinyConfig(), sets);
afterAll(() => {
  training.dispose();
  rmSync(root, { recursive: true, force: true });
});
const create = (out: string, force: boolean): Promise<WritableRun> =>
  createRun({ out, about: tinyAbout, sets, training, force }, recordedTerminal().terminal, (run) => run);

it("a run that another process has finished meanwhile is moved aside only with --force", async () => {
  const out = join(root, "run");
  (await create(out, false)).close();
  await expect(create(out, false)).rejects.toThrow("holds a run already: train --resume");
  expect(existsSync(`${out}.previous`)).toBe(false);
  (await create(out, true)).close();
  expect(readdirSync(`${out}.previous`)).toContain("run.json");
});

it("a dangling symbolic link is refused, before puzzles are generated and with --force", () => {
  const out = join(root, "link");
  symlinkSync("nowhere", out);
  for (const force of [false, true]) {
    expect(() => checkPlace(out, force)).toThrow(
      `${out}: cannot write: a dangling symbolic link to nowhere, expected a folder`,
    );
  }
});

it("a run that was moved aside is moved back if the new one cannot be created or opened", async () => {
  const out = join(root, "moved-back");
  (await create(out, false)).close();
  const contents = { out, about: tinyAbout, sets, training, force: true };
  const opened = createRun(contents, recordedTerminal().terminal, () => {
    throw new Error("no space left");
  });
  await expect(opened).rejects.toThrow("no space left");
  expect([existsSync(join(out, "run.json")), existsSync(`${out}.previous`)]).toEqual([true, false]);
  const written = vi.spyOn(WritableRun, "create").mockImplementation(() => {
    throw new Error("no space left");
  });
  await expect(create(out, true)).rejects.toThrow("no space left");
  written.mockRestore();
  expect([existsSync(join(out, "run.json")), existsSync(`${out}.previous`)]).toEqual([true, false]);
});

it("discarding a run whose folder another process has removed is no error, so that the cause is reported", async () => {
  const run = await create(join(root, "removed"), false);
  rmSync(run.path, { recursive: true });
  expect(() => run.discard()).not.toThrow();
});

it("a path in a suggested command is quoted, and is never an option", () => {
  expect(shellPath("runs/nine")).toBe("runs/nine");
  expect(shellPath("my runs/it's")).toBe("'my runs/it'\\''s'");
  expect(shellPath("-x")).toBe("./-x");
});

it("an empty text is no output folder", () => {
  expect(() => outputFolder("")).toThrow("Expected the path of a folder.");
});

it("the message about a run that is moved aside says where, and that it replaces an older one", async () => {
  const out = `${join(root, "kept")}/`;
  const moved = `${join(root, "kept")}.previous`;
  (await create(out, false)).close();
  expect(() => checkPlace(out, false)).toThrow(`--force moves it to ${moved}`);
  const messages = [];
  for (let i = 0; i < 2; i++) {
    const { terminal, text } = recordedTerminal();
    await createRun({ out, about: tinyAbout, sets, training, force: true }, terminal, (run) => run.close());
    messages.push(text());
  }
  expect(messages[0]).toContain(`has been moved to ${moved}\n`);
  expect(messages[1]).toContain(`has been moved to ${moved}, in place of the run that was there\n`);
});
