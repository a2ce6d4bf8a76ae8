// openDataset and writeDataset: what is written is read back, with the symbols of the task.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { openDataset, writeDataset } from "../../../src/puzzles/index.node.ts";
import { gridTask, mazeTask, pickExamples, SplitBatches, sudokuTask } from "../../../src/puzzles/index.ts";
import type { Examples, Task } from "../../../src/trm/index.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-dataset-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const own = (symbols: string): Task =>
  gridTask({
    name: "own",
    rows: 3,
    columns: 3,
    symbols,
    symmetry: "dihedral",
    draw(random) {
      const cells = Array.from({ length: 9 }, () => [...symbols][random.integer([...symbols].length)]!).join("");
      return { question: cells, answer: [...cells].reverse().join("") };
    },
  });

const tokens = ({ count, inputs, labels }: Examples) => ({ count, inputs, labels });

describe("a data set", () => {
  it("gives back the examples and the task that were written, with any number of copies", () => {
    const tasks = fc.constantFrom(own(".#"), own('ab"'), own("🙂🙃x"), sudokuTask(4), mazeTask(7));
    fc.assert(
      fc.property(tasks, fc.nat(100), fc.boolean(), fc.nat(2), (task, seed, hasTest, copies) => {
        const place = mkdtempSync(join(folder, "any-"));
        const { train, test } = task.generate({ train: 5, test: 3, seed });
        writeDataset(place, { task, train, test: hasTest ? test : undefined, copies, seed });
        const dataset = openDataset(place);
        expect(dataset.train.groupIndices.length).toBe(5 + 1);
        expect(dataset.train.count).toBeGreaterThanOrEqual(5);
        const first = (group: number) => dataset.train.groupIndices[group]!;
        const question = new Int32Array(task.sequenceLength);
        const answer = new Int32Array(task.sequenceLength);
        for (let i = 0; i < 5; i++) {
          dataset.train.read(first(i), question, answer);
          const range = [i * task.sequenceLength, (i + 1) * task.sequenceLength] as const;
          expect([question, answer]).toEqual([train.inputs.slice(...range), train.labels.slice(...range)]);
          expect(dataset.task.draw(answer)).toBe(task.draw(answer));
        }
        expect(dataset.test && tokens(pickExamples(dataset.test, 99))).toEqual(hasTest ? tokens(test) : null);
        expect([dataset.task.name, dataset.task.sequenceLength]).toEqual([task.name, task.sequenceLength]);
        expect(new SplitBatches(dataset.train, { seed: 1 }).next(4).inputs).toHaveLength(4 * task.sequenceLength);
        dataset.close();
      }),
      { numRuns: 25 },
    );
  });

  it("is read without task.json too, as the task that its sizes suggest", () => {
    const place = join(folder, "official");
    const { train } = own(".#").generate({ train: 4, test: 0, seed: 1 });
    writeDataset(place, { task: own(".#"), train });
    rmSync(join(place, "task.json"));
    const dataset = openDataset(place);
    expect([dataset.task.name, dataset.task.vocabularySize, dataset.test]).toEqual(["tokens", 3, null]);
    dataset.close();
  });

  it("replaces an earlier one in its folder, but leaves no test split of another behind", () => {
    const place = join(folder, "again");
    const task = own(".#");
    const { train, test } = task.generate({ train: 4, test: 2, seed: 1 });
    writeDataset(place, { task, train, test });
    expect(() => writeDataset(place, { task, train })).toThrow(
      `${join(place, "test")}: exists already, expected test examples to replace it`,
    );
    writeDataset(place, { task, train: test, test: train });
    const dataset = openDataset(place);
    expect([dataset.train.count, dataset.test?.count]).toEqual([2, 4]);
    dataset.close();
  });

  it("writes nothing for examples that the layout cannot hold", () => {
    const place = join(folder, "refused");
    const task = own(".#");
    const { train } = task.generate({ train: 4, test: 0, seed: 1 });
    const wrong: [train: Examples, message: string][] = [
      [
        { ...train, count: 0, inputs: new Int32Array(0), labels: new Int32Array(0) },
        "train: got no examples, expected at least one",
      ],
      [{ ...train, puzzleIds: Int32Array.of(0, 1, 2, 3) }, "train: got puzzle ids, expected examples without"],
      [{ ...train, ignoreLabel: null }, "train: got ignoreLabel null, expected 0"],
      [sudokuTask(4).generate({ train: 2, test: 0, seed: 1 }).train, "train: got examples of 16 cells, own has 9"],
    ];
    for (const [examples, message] of wrong) {
      expect(() => writeDataset(place, { task, train: examples })).toThrow(message);
    }
    const files = existsSync(place) ? readdirSync(place, { recursive: true, withFileTypes: true }) : [];
    expect(files.filter((entry) => entry.isFile())).toEqual([]);
  });

  it.each([
    ['{"name":"grid","rows":2}', /task.json: grid: symbols "", expected at least two/],
    ['{"name":"grid","rows":2,"columns":2,"symbols":".#"}', /task.json: 4 cells and 3 tokens, expected 9 and 3 as in/],
    ['{"name":"chess"}', /task.json: name: /],
    ["{", /task.json: /],
  ])("names a broken task.json: %s", (text, message) => {
    const place = join(folder, "broken");
    const task = own(".#");
    writeDataset(place, { task, train: task.generate({ train: 4, test: 0, seed: 1 }).train });
    writeFileSync(join(place, "task.json"), text);
    expect(() => openDataset(place)).toThrow(message);
  });
});
