// The puzzles that `trm eval` measures a model on when the user names none.
import { expect, it } from "vitest";
import { openPuzzles } from "../../src/cli/evaluated-puzzles.ts";
import { placeOfModel } from "../../src/cli/shipped-models.ts";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { loadRun } from "../../src/runs/index.node.ts";
import type { Examples } from "../../src/trm/index.ts";

const questionsOf = (count: number, length: number, inputs: Int32Array): string[] =>
  Array.from({ length: count }, (_, i) => inputs.subarray(i * length, (i + 1) * length).join());

it("no puzzle that the shipped sudoku4 is evaluated on is one of its training puzzles", async () => {
  const { path } = placeOfModel("sudoku4");
  const loaded = await loadRun(path);
  const { count, length, inputs } = openPuzzles(path, { limit: 300 }, loaded) as Examples;
  loaded.model.dispose();
  expect(count).toBe(300);
  // As `trm train --task sudoku4 --unseen 1000` draws them: 100 are watched.
  const { train } = sudokuTask(4).generate({ train: 16_000, test: 1100, seed: 0 });
  const trained = new Set(questionsOf(train.count, length, train.inputs));
  const evaluated = questionsOf(count, length, inputs);
  expect(evaluated.filter((question) => trained.has(question))).toEqual([]);
  expect(new Set(evaluated).size).toBe(300);
});
