// Every JSON file of a data set and of an ablation: any content is read, or refused in one line that names the file.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { parseAugmentedName } from "../../src/puzzles/arc/augment.ts";
import { loadArcSubset } from "../../src/puzzles/arc/build.node.ts";
import { readDataMetadata } from "../../src/puzzles/official-layout/data-folder.node.ts";
import { readIdentifiers, readTestPuzzles } from "../../src/puzzles/official-layout/layout.node.ts";
import { readCells, readPlan } from "../../src/runs/ablation/folder.node.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-json-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, "train"));
mkdirSync(join(folder, "tasks"));

const metadata = {
  pad_id: 0,
  ignore_label_id: 0,
  blank_identifier_id: 0,
  vocab_size: 12,
  seq_len: 9,
  num_puzzle_identifiers: 2,
  total_groups: 1,
  mean_puzzle_examples: 1,
  total_puzzles: 1,
  sets: ["all"],
};
const pair = { input: [[1, 2]], output: [[3]] };
const task = { train: [pair], test: [pair] };
const plan = {
  format: "trm-ts ablation",
  version: 1,
  task: { name: "sudoku4" },
  base: {},
  puzzles: { train: 1, unseen: 1 },
  minutes: 1,
  budget: 1,
};
const cell = {
  row: "trm",
  seed: 1,
  steps: 1,
  flops: 1,
  seconds: 1,
  parameters: 1,
  puzzles: 1,
  exact: 1,
  cell: 1,
  meanHaltStep: 1,
  settings: {},
};

const files: readonly [name: string, good: unknown, read: () => unknown][] = [
  ["train/dataset.json", metadata, () => readDataMetadata(folder)],
  ["identifiers.json", ["<blank>", "a"], () => readIdentifiers(folder)],
  ["test_puzzles.json", { a: task }, () => readTestPuzzles(folder)],
  ["tasks/a.json", task, () => loadArcSubset(folder, "tasks")],
  ["x_y_challenges.json", { a: task }, () => loadArcSubset(join(folder, "x"), "y")],
  ["ablation.json", plan, () => readPlan(folder)],
  ["cell-trm-seed1.json", cell, () => readCells(folder)],
];

describe.each(files)("%s", (name, good, read) => {
  const check = (contents: string | Uint8Array): void => {
    writeFileSync(join(folder, name), contents);
    try {
      read();
    } catch (error) {
      expect((error as Error).name).toMatch(/^(Dataset|Checkpoint)Error$/);
      expect((error as Error).message).toContain(name);
      expect((error as Error).message).toMatch(/^[^\p{Cc}]{1,600}$/u);
    }
  };

  it("the parser reads a good file", () => {
    writeFileSync(join(folder, name), JSON.stringify(good));
    expect(read()).toBeDefined();
  });

  it("the parser reads any bytes and any text, or refuses them in one line", () => {
    fc.assert(fc.property(fc.uint8Array(), check), { numRuns: 50 });
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), check), { numRuns: 100 });
    check("[".repeat(100_000));
    check(`{"__proto__": ${JSON.stringify(good)}}`);
  });

  it("the parser reads a good file with one value replaced or its end cut off, or refuses it in one line", () => {
    const text = JSON.stringify(good);
    const places = [...text.matchAll(/-?\d+|"[^"]*"|true|false/g)];
    fc.assert(
      fc.property(fc.nat(places.length - 1), fc.jsonValue({ maxDepth: 1 }), (at, value) => {
        const { index, 0: old } = places[at]!;
        check(text.slice(0, index) + JSON.stringify(value) + text.slice(index + old.length));
        check(text.slice(0, index));
      }),
      { numRuns: 100 },
    );
  });
});

it("any name of an augmented puzzle is parsed or refused in one line", () => {
  const name = fc.string({ unit: fc.constantFrom("|||", "|", "t", "0", "7", "0123456789", "a") });
  fc.assert(
    fc.property(name, (text) => {
      try {
        const { augmentation } = parseAugmentedName(text);
        if (augmentation) expect([...augmentation.colours].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      } catch (error) {
        expect((error as Error).message).toMatch(
          /^puzzle name ".*(?:"|\.\.\.), expected NAME or NAME\|\|\|t0-7\|\|\|a permutation/,
        );
      }
    }),
  );
});
