// openDataset and writeDataset: what is written is read back, with the symbols of the task.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { openDataset, readDataTask, writeDataset } from "../../../src/puzzles/index.node.ts";
import { gridTask, mazeTask, pickExamples, SplitBatches, sudokuTask, toSplit } from "../../../src/puzzles/index.ts";
import { type Examples, evaluationBatches, ShuffledExamples, type Task } from "../../../src/trm/index.ts";

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

  it("names no program to run, whatever its task.json contains", () => {
    const place = join(folder, "foreign");
    const task = own(".#");
    writeDataset(place, { task, train: task.generate({ train: 4, test: 0, seed: 1 }).train });
    const file = join(place, "task.json");
    const choice = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ ...choice, module: join(place, "evil.mjs") }));
    expect(readDataTask(place)).toEqual(choice);
  });

  it("leaves a file of another kind in its folder that has the name of a file of ARC data sets", () => {
    const place = join(folder, "mine");
    mkdirSync(place);
    writeFileSync(join(place, "test_puzzles.json"), "mine");
    const task = own(".#");
    writeDataset(place, { task, train: task.generate({ train: 4, test: 0, seed: 1 }).train });
    expect(readFileSync(join(place, "test_puzzles.json"), "utf8")).toBe("mine");
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
      [
        { ...train, inputs: train.inputs.with(9 + 4, 300) },
        "train/all__inputs.npy: token 300 in example 1, expected 0 to 2",
      ],
      [
        { ...train, inputs: train.inputs.with(0, -100) },
        "train/all__inputs.npy: token -100 in example 0, expected 0 to 2",
      ],
      [{ ...train, labels: train.labels.with(35, 3) }, "train/all__labels.npy: token 3 in example 3, expected 0 to 2"],
    ];
    for (const [examples, message] of wrong) {
      expect(() => writeDataset(place, { task, train: examples })).toThrow(message);
    }
    const files = existsSync(place) ? readdirSync(place, { recursive: true, withFileTypes: true }) : [];
    expect(files.filter((entry) => entry.isFile())).toEqual([]);
  });

  it("has the labels that count in memory, and no others, in puzzles and copies", () => {
    const task = sudokuTask(6);
    const { train: complete } = task.generate({ train: 1, test: 0, seed: 1 });
    const firstRow = complete.labels.map((label, cell) => (cell < 6 ? label : cell % 2 === 0 ? 0 : -100));
    const train = { ...complete, labels: firstRow };
    const place = join(folder, "partly-labelled");
    writeDataset(place, { task, train, copies: 3 });
    const dataset = openDataset(place);
    const [stored] = evaluationBatches(dataset.train, 4);
    const [held] = evaluationBatches(train, 1);
    expect(stored!.labels.slice(0, 6)).toEqual(held!.labels.slice(0, 6));
    for (let copy = 0; copy < 4; copy++) {
      const labels = stored!.labels.slice(36 * copy, 36 * (copy + 1));
      expect(new Set(labels.filter((label) => label >= 0))).toEqual(new Set([2, 3, 4, 5, 6, 7]));
      expect(labels.filter((label) => label >= 0)).toHaveLength(6);
    }
    dataset.close();
    const drawn = new ShuffledExamples(train, 0, task).next(4);
    expect(drawn.labels.filter((label) => label >= 0)).toHaveLength(4 * 6);
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

describe("toSplit", () => {
  it("stores tokens of the vocabulary as they are and negative labels as 0, and refuses any other token", () => {
    const task = own(".#");
    const anyToken = fc.oneof({ weight: 20, arbitrary: fc.nat(2) }, fc.integer({ min: -300, max: 300 }));
    const row = fc.array(anyToken, { minLength: 9, maxLength: 9 }).map((cells) => Int32Array.from(cells));
    fc.assert(
      fc.property(row, row, (inputs, labels) => {
        const put = () => toSplit({ count: 1, length: 9, inputs, labels }, task);
        if (inputs.every((token) => token >= 0 && token < 3) && labels.every((label) => label < 3)) {
          expect([...put().inputs]).toEqual([...inputs]);
          expect([...put().labels]).toEqual([...labels].map((label) => Math.max(0, label)));
        } else {
          expect(put).toThrow(/^toSplit: (inputs|labels): token -?\d+ in example 0, expected 0 to 2$/);
        }
      }),
    );
  });

  it("refuses a token outside the vocabulary that the augmentation of a task returns", () => {
    const augment: Task["augment"] = (question, answer) => ({
      question: question.map((token) => 3 - token),
      answer: answer.with(0, 300),
    });
    const { train } = own(".#").generate({ train: 2, test: 0, seed: 1 });
    const put = () => toSplit(train, { ...own(".#"), augment }, 1);
    expect(put).toThrow("toSplit: labels: token 300 in example 0, expected 0 to 2");
  });
});
