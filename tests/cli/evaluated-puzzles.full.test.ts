// An evaluation of sudoku4 on nearly all of its puzzles.
import { expect, it } from "vitest";
import { openPuzzles } from "../../src/cli/evaluated-puzzles.ts";
import { placeOfModel } from "../../src/cli/shipped-models.ts";
import { loadRun } from "../../src/runs/index.node.ts";
import { recordedTerminal } from "./recorded-terminal.ts";

it("an evaluation of sudoku4 draws up to as many puzzles as there are, less those of the training", async () => {
  const { path } = placeOfModel("sudoku4");
  const loaded = await loadRun(path);
  const open = (limit: number) => openPuzzles(path, { limit }, loaded, recordedTerminal().terminal);
  expect(open(60_000).count).toBe(60_000);
  expect(() => open(70_000)).toThrow(
    /^--limit: got 70000, but sudoku4 has fewer puzzles besides the 16,000 that the model was trained on$/,
  );
  loaded.model.dispose();
});
