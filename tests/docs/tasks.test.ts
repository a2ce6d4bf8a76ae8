// The example of docs/tasks.md runs as printed; only its folder is replaced and its number of training steps is smaller.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readDataTask } from "../../src/puzzles/official-layout/dataset.node.ts";
import { readSplit } from "../../src/puzzles/official-layout/layout.node.ts";
import { storedPuzzles } from "../../src/runs/run-puzzles.node.ts";
import { parseConfig } from "../../src/trm/index.ts";
import { docCode } from "../doc-code.ts";
import { runProgram, shortened } from "../run-program.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-tasks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("the grid task of docs/tasks.md is trained, drawn, written in the official layout and read as a data set", async () => {
  const { code } = docCode("docs/tasks.md");
  const local = shortened(code).replaceAll("data/gravity", join(folder, "gravity").replaceAll("\\", "/"));
  const printed = await runProgram("tasks", local);
  expect(printed).toMatch(/unseen grids solved: [\d.]+%/);
  expect(printed).toMatch(/step 3: (correct|something has not fallen|no symbol in .*)\n([.#?]{4}\n){5}$/);

  const data = join(folder, "gravity");
  const split = readSplit(data, "test");
  expect(split.metadata).toMatchObject({ vocabularySize: 3, sequenceLength: 20, groupCount: 200 });
  expect(readDataTask(data)).toMatchObject({ name: "grid", title: "gravity", symbols: ".#" });
  const config = parseConfig({ vocabularySize: 3, sequenceLength: 20, batchSize: 16 });
  const { source, sets, data: sizes } = storedPuzzles(data, config, 100);
  expect(sizes).toMatchObject({ train: 4000, unseen: 200 });
  expect(sets.watch.count).toBe(100);
  // A question and its answer have the same number of blocks.
  const { inputs, labels } = source.next(16);
  for (let at = 0; at < inputs.length; at += 20) {
    const blocks = (tokens: Int32Array) => tokens.slice(at, at + 20).filter((token) => token === 2).length;
    expect(blocks(labels)).toBe(blocks(inputs));
  }
});
