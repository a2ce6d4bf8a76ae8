// The worked example of docs/tasks.md runs as printed: only the package's name and its folder become paths, and its 600 steps three.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { storedPuzzles } from "../src/cli/run-puzzles.ts";
import { taskOfData } from "../src/puzzles/named-task.ts";
import { readDataMetadata } from "../src/puzzles/official-layout/data-folder.node.ts";
import { readSplit } from "../src/puzzles/official-layout/layout.node.ts";
import { parseConfig } from "../src/trm/index.ts";
import { docCode } from "./doc-code.ts";
import { projectRoot } from "./source.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-tasks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("a grid task of one's own: learned, drawn, written in the official layout, read as a data set", async () => {
  const { code } = docCode("docs/tasks.md");
  const own = code
    .replace('"trm-ts"', '"../src/index.ts"')
    .replaceAll("data/gravity", join(folder, "gravity").replaceAll("\\", "/"))
    .replace("step <= 600", "step <= 3");
  const file = join(projectRoot, "tests", "docs-tasks.generated.ts");
  writeFileSync(file, own);
  const said = vi.spyOn(console, "log").mockImplementation(() => {});
  try {
    await import(file);
    const lines = said.mock.calls.flat().join("\n");
    expect(lines).toMatch(/unseen grids solved: [\d.]+%/);
    expect(lines).toMatch(/step 3: (right|something has not fallen|no symbol in .*)\n([.#?]{4}\n){4}[.#?]{4}$/);
  } finally {
    said.mockRestore();
    rmSync(file);
  }

  const data = join(folder, "gravity");
  const split = readSplit(data, "test");
  expect(split.metadata).toMatchObject({ vocabularySize: 3, sequenceLength: 20, groupCount: 200 });
  expect(taskOfData(readDataMetadata(data))).toEqual({ name: "tokens", cells: 20, vocabulary: 3 });
  const config = parseConfig({ vocabularySize: 3, sequenceLength: 20, batchSize: 16 });
  const { source, sets, data: sizes } = storedPuzzles(data, config, 100);
  expect(sizes).toMatchObject({ train: 4000, unseen: 200 });
  expect(sets.watch.count).toBe(100);
  // Every block that a question has is in its answer.
  const { inputs, labels } = source.next(16);
  for (let at = 0; at < inputs.length; at += 20) {
    const blocks = (tokens: Int32Array) => tokens.slice(at, at + 20).filter((token) => token === 2).length;
    expect(blocks(labels)).toBe(blocks(inputs));
  }
});
