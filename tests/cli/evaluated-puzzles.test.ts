// The puzzles that `trm eval` measures a model on when the user names none.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { evalCommand } from "../../src/cli/commands/eval.ts";
import { openPuzzles } from "../../src/cli/evaluated-puzzles.ts";
import { placeOfModel } from "../../src/cli/shipped-models.ts";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { loadRun, saveRun } from "../../src/runs/index.node.ts";
import type { Examples } from "../../src/trm/index.ts";
import { tinyConfig, tinyTraining } from "../runs/tiny-run.ts";
import { recordedTerminal } from "./recorded-terminal.ts";
import { runCommand } from "./run-command.ts";

it("a run without unseen puzzles asks for a file of puzzles, and --arc for what is missing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "trm-evaluated-"));
  const run = join(folder, "run");
  const task = sudokuTask(4);
  const training = tinyTraining(tinyConfig());
  await saveRun(run, training, { task });
  training.dispose();
  const loaded = await loadRun(run);
  expect(() => openPuzzles(run, {}, loaded, recordedTerminal().terminal)).toThrow(
    `${run}: contains no unseen puzzles, expected --csv FILE or --data DIR`,
  );
  const arc = (name: string, ...more: string[]): Promise<string> => runCommand(evalCommand(), name, "--arc", ...more);
  const out = join(folder, "predictions");
  await expect(arc(run)).rejects.toThrow(/^eval --arc: missing --data DIR and --out DIR$/);
  for (const model of [run, "sudoku4"]) {
    await expect(arc(model, "--out", out)).rejects.toThrow(/^eval --arc: missing --data DIR$/);
  }
  loaded.model.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const questionsOf = (count: number, length: number, inputs: Int32Array): string[] =>
  Array.from({ length: count }, (_, i) => inputs.subarray(i * length, (i + 1) * length).join());

it("no puzzle that the shipped sudoku4 is evaluated on is one of its training puzzles", async () => {
  const { path } = placeOfModel("sudoku4");
  const loaded = await loadRun(path);
  const { count, length, inputs } = openPuzzles(path, { limit: 300 }, loaded, recordedTerminal().terminal) as Examples;
  loaded.model.dispose();
  expect(count).toBe(300);
  // As `trm train --task sudoku4 --unseen 1000` draws them: 100 are watched.
  const { train } = sudokuTask(4).generate({ train: 16_000, test: 1100, seed: 0 });
  const trained = new Set(questionsOf(train.count, length, train.inputs));
  const evaluated = questionsOf(count, length, inputs);
  expect(evaluated.filter((question) => trained.has(question))).toEqual([]);
  expect(new Set(evaluated).size).toBe(300);
});

it("puzzles that are generated for an evaluation are counted on the screen if that takes long", async () => {
  const loaded = await loadRun(placeOfModel("sudoku4").path);
  const shown = (): string => {
    const { terminal, text } = recordedTerminal();
    openPuzzles(placeOfModel("sudoku4").path, { limit: 128 }, loaded, terminal);
    return text();
  };
  const now = vi.spyOn(performance, "now").mockReturnValue(0);
  expect(shown()).toBe("");
  let clock = 0;
  now.mockImplementation(() => (clock += 4_000));
  expect(shown()).toContain("generating puzzles: 64 of 128\n");
  loaded.model.dispose();
});
