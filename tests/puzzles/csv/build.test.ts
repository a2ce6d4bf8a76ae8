// The builders of data sets: bytes of the official builders, augmentation, notes, and failures that leave nothing behind.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DatasetError } from "../../../src/formats/index.ts";
import { parseAugmentedName, restoreGrid } from "../../../src/puzzles/arc/augment.ts";
import { buildArcFiles, loadArcSubset } from "../../../src/puzzles/arc/build.node.ts";
import { cropTokens, gridKey } from "../../../src/puzzles/arc/grid.ts";
import type { ArcPair } from "../../../src/puzzles/arc/tasks.ts";
import { buildMaze, buildSudoku } from "../../../src/puzzles/csv/build.node.ts";
import { writePuzzleCsv } from "../../../src/puzzles/csv/puzzle-csv.ts";
import { generatedRows } from "../../../src/puzzles/generated-rows.ts";
import { mazeKey } from "../../../src/puzzles/maze/task.ts";
import { readDataTask } from "../../../src/puzzles/official-layout/dataset.node.ts";
import { readIdentifiers, readSplit, readTestPuzzles } from "../../../src/puzzles/official-layout/layout.node.ts";
import type { PuzzleSplit } from "../../../src/puzzles/official-layout/layout.ts";
import { geometryOf, tokensToBoard } from "../../../src/puzzles/sudoku/board.ts";
import { canonicalForm } from "../../../src/puzzles/sudoku/canonical.ts";
import { sudokuTask } from "../../../src/puzzles/sudoku/task.ts";
import { solutionProblem } from "../../../src/puzzles/sudoku/validate.ts";
import { ConfigError } from "../../../src/trm/errors.ts";

const fixtures = fileURLToPath(new URL("../../fixtures/parity/datasets/", import.meta.url));
let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), "trm-data-"));
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

/** Every file of the official folder is there, with the same bytes, and no other. */
function expectSameFiles(folder: string): void {
  const files = (dir: string) => readdirSync(dir, { recursive: true, encoding: "utf8" }).sort();
  expect(files(out)).toEqual(files(folder));
  for (const name of files(folder).filter((file) => file.includes("."))) {
    expect(Buffer.compare(readFileSync(join(out, name)), readFileSync(join(folder, name))), name).toBe(0);
  }
}

describe("Sudoku", () => {
  const from = join(fixtures, "sudoku/csv");

  it("the files equal those of the official builder byte for byte", async () => {
    const report = await buildSudoku({ from, out });
    expectSameFiles(join(fixtures, "sudoku/npy"));
    expect(report).toEqual({
      splits: [
        { name: "train", groups: 6, examples: 6 },
        { name: "test", groups: 3, examples: 3 },
      ],
      notes: [
        `${join(from, "train.csv")}: puzzles with several solutions: 6 (the first in line 2)`,
        `${join(from, "test.csv")}: puzzles with several solutions: 3 (the first in line 2)`,
      ],
    });
  });

  it("a group has the puzzle first, then different images of it with their solutions; the test split is not augmented", async () => {
    await buildSudoku({ from, out, augment: 5, seed: 1 });
    const official = readSplit(join(fixtures, "sudoku/npy"), "train");
    const train = readSplit(out, "train");
    expect([...train.groupIndices]).toEqual([0, 6, 12, 18, 24, 30, 36]);
    expect([...train.puzzleIndices]).toEqual([...Array(37).keys()]);
    expect(train.metadata).toEqual(official.metadata);
    const geometry = geometryOf(9);
    const seen = new Set<string>();
    for (let example = 0; example < 36; example++) {
      const [question, answer] = [train.inputs, train.labels].map((all) => tokensToBoard(row(all, example, 81)));
      expect(solutionProblem(question!, answer!, geometry)).toBeUndefined();
      const [original, solution] = [official.inputs, official.labels].map((all) =>
        tokensToBoard(row(all, Math.floor(example / 6), 81)),
      );
      if (example % 6 === 0) expect(question).toEqual(original);
      expect(canonicalForm(question!, geometry, answer)).toBe(canonicalForm(original!, geometry, solution));
      seen.add(question!.join(""));
    }
    expect(seen.size).toBe(36);
    expect(readSplit(out, "test").inputs).toEqual(readSplit(join(fixtures, "sudoku/npy"), "test").inputs);
    const first = readFileSync(join(out, "train/all__inputs.npy"));
    await buildSudoku({ from, out, augment: 5, seed: 1 });
    expect(Buffer.compare(readFileSync(join(out, "train/all__inputs.npy")), first)).toBe(0);
  });

  it.each([4, 6] as const)(
    "on a board of side %d, no copy repeats a puzzle of the data set, and all answers solve their questions",
    async (side) => {
      const csv = join(out, "csv");
      mkdirSync(csv);
      const { train, test } = sudokuTask(side).generate({ train: 12, test: 40, seed: 2 });
      for (const [name, examples] of Object.entries({ train, test })) {
        writeFileSync(join(csv, `${name}.csv`), writePuzzleCsv(generatedRows(sudokuTask(side), examples)));
      }
      const report = await buildSudoku({ from: csv, out, augment: 150, seed: 4 });
      const geometry = geometryOf(side);
      const boards = (["train", "test"] as const).flatMap((name) => {
        const { inputs, labels } = readSplit(out, name);
        return Array.from({ length: inputs.length / geometry.cells }, (_, at) => {
          const [question, answer] = [inputs, labels].map((all) => tokensToBoard(row(all, at, geometry.cells)));
          expect(solutionProblem(question!, answer!, geometry)).toBeUndefined();
          return question!.join("");
        });
      });
      expect(new Set(boards).size).toBe(boards.length);
      expect(report.splits[0]!.examples).toBe(boards.length - 40);
      if (side === 6) expect([report.splits[0]!.examples, report.notes]).toEqual([12 * 151, []]);
    },
  );

  it("if there are fewer images than requested, all are taken and a note says so", async () => {
    const csv = join(out, "csv");
    mkdirSync(csv);
    // One blank cell: 288 grids, 16 cells, 2 orbits at most.
    const text = "source,question,answer,rating\nme,.234341221434321,1234341221434321,0\n";
    for (const name of ["train", "test"]) writeFileSync(join(csv, `${name}.csv`), text);
    const report = await buildSudoku({ from: csv, out, augment: 5000, seed: 4 });
    expect(report.notes.at(-1)).toBe("puzzles with fewer than 5000 images that are not in the data set yet: 1");
    const found = report.splits[0]!.examples;
    expect(found).toBeGreaterThan(1000);
    expect(found).toBeLessThanOrEqual(3072);
  });

  it("subsample draws training puzzles only, minDifficulty filters both splits", async () => {
    const all = readSplit(join(fixtures, "sudoku/npy"), "train");
    const originals = new Set(Array.from({ length: 6 }, (_, index) => row(all.inputs, index, 81).join()));
    await buildSudoku({ from, out, subsample: 4, seed: 3 });
    const train = readSplit(out, "train");
    expect(train.metadata.groupCount).toBe(4);
    const drawn = new Set(Array.from({ length: 4 }, (_, index) => row(train.inputs, index, 81).join()));
    expect([...drawn].every((puzzle) => originals.has(puzzle))).toBe(true);
    expect(drawn.size).toBe(4);
    expect(readSplit(out, "test").metadata.groupCount).toBe(3);
    await buildSudoku({ from, out, minDifficulty: 19, subsample: 99 }).then(({ notes }) => {
      expect(notes).toContain(`${join(from, "train.csv")}: 3 puzzles, fewer than the 99 of the subsample`);
    });
    expect(readSplit(out, "test").metadata.groupCount).toBe(1);
  });

  it("a broken row is named, and no partial file is left", async () => {
    const broken = join(out, "csv");
    mkdirSync(broken);
    writeFileSync(
      join(broken, "train.csv"),
      "source,question,answer,rating\nme,12.4............,1234341221434321,0\nme,1,2,0\n",
    );
    writeFileSync(join(broken, "test.csv"), "source,question,answer,rating\nme,12.4............,1234341221434321,0\n");
    const built = buildSudoku({ from: broken, out: join(out, "data") });
    await expect(built).rejects.toThrow(DatasetError);
    await expect(built).rejects.toThrow("train.csv:3:4: question: sudoku4: 1 characters, expected 16");
    expect(existsSync(join(out, "data"))).toBe(false);
    await expect(buildSudoku({ from: join(out, "none"), out })).rejects.toThrow("train.csv: cannot read: no such file");
    await expect(buildSudoku({ from, out, augment: -1 })).rejects.toThrow(ConfigError);
  });
});

describe("what a builder reports about the puzzles", () => {
  const solution = "1234341221434321";
  const header = "source,question,answer,rating\n";
  const unique = "12.434.221434321";
  const write = (name: string, questions: string[]): string => {
    const csv = join(out, "csv");
    mkdirSync(csv, { recursive: true });
    const rows = questions.map((question, at) => `me,${question},${solution},${at}.5\n`);
    writeFileSync(join(csv, `${name}.csv`), header + rows.join(""));
    return csv;
  };

  it("puzzles of both files, several solutions and empty boards are noted with their first line", async () => {
    write("train", [unique, ".".repeat(16), "1...............", "1234341221434.21"]);
    const csv = write("test", ["1234341221434.21"]);
    const { notes } = await buildSudoku({ from: csv, out });
    const train = join(csv, "train.csv");
    expect(notes).toEqual([
      `${train}: puzzles that are in the test file too: 1 (the first in line 5)`,
      `${train}: puzzles with an empty board: 1 (the first in line 3)`,
      `${train}: puzzles with several solutions: 2 (the first in line 3)`,
    ]);
  });

  it("a smallest difficulty may be a fraction, and needs ratings", async () => {
    write("train", [unique, unique, unique]);
    const csv = write("test", [unique, unique, unique]);
    const { splits } = await buildSudoku({ from: csv, out, minDifficulty: 1.25 });
    expect(splits.map(({ groups }) => groups)).toEqual([2, 2]);
    await expect(buildSudoku({ from: csv, out, minDifficulty: 9 })).rejects.toThrow(
      "train.csv: no puzzles (of this difficulty)",
    );
    writeFileSync(join(csv, "train.csv"), `puzzle,solution\n${unique},${solution}\n`);
    await expect(buildSudoku({ from: csv, out, minDifficulty: 1 })).rejects.toThrow(
      "train.csv:2: no ratings, expected them for a smallest difficulty",
    );
  });

  it("lists of puzzles without answers build the same data set as a CSV file", async () => {
    const csv = write("train", [unique]);
    write("test", [unique]);
    await buildSudoku({ from: csv, out });
    const expected = readSplit(out, "train");
    const lists = join(out, "lists");
    mkdirSync(lists);
    for (const name of ["train.sdm", "test.txt"]) writeFileSync(join(lists, name), `# a comment\n${unique}\n`);
    await buildSudoku({ from: lists, out: join(out, "from-lists") });
    expect(readSplit(join(out, "from-lists"), "train")).toEqual(expected);
  });
});

describe("a build that does not end", () => {
  const csv = join(fixtures, "sudoku/csv");
  const arc = {
    prefix: join(fixtures, "arc/json/arc-agi"),
    subsets: ["training", "evaluation"],
    testSet: "evaluation",
  };

  it.each([
    ["Sudoku", (onProgress: () => Promise<void>) => buildSudoku({ from: csv, out, augment: 2000, onProgress })],
    ["maze", (onProgress: () => Promise<void>) => buildMaze({ from: join(fixtures, "maze/csv"), out, onProgress })],
    ["ARC", (onProgress: () => Promise<void>) => buildArcFiles({ ...arc, out, augment: 1, onProgress })],
  ])("a build that its progress callback stops leaves no file (%s)", async (_, build) => {
    for (const stopAt of [1, 3, 6]) {
      let calls = 0;
      const stopping = async (): Promise<void> => {
        if (++calls === stopAt) throw new Error("stopped");
      };
      await expect(build(stopping)).rejects.toThrow("stopped");
      const left = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      expect(left.map(({ name }) => name)).toEqual([]);
    }
  });

  const { bavail, bsize } = statfsSync(tmpdir());
  it.skipIf(bavail * bsize > 290e9)(
    "a data set that is larger than the free space of the disk is refused",
    async () => {
      await expect(buildSudoku({ from: csv, out, augment: 300_000_000, subsample: 6 })).rejects.toThrow(
        /^augment 300000000: about 292 GB of examples, \S+ has [\d.e+]+ GB free$/,
      );
    },
  );

  it("a data set that cannot fit is refused with the name of the option", async () => {
    await expect(buildSudoku({ from: csv, out, augment: 99_999_999_999 })).rejects.toThrow(
      /^augment 99999999999: \d+ examples, expected at most 2147483647/,
    );
    await expect(buildArcFiles({ ...arc, out, augment: 99_999_999_999 })).rejects.toThrow(
      "augment 99999999999, expected at most 2903039",
    );
    expect(() => sudokuTask(9).generate({ train: 99_999_999_999, test: 0, seed: 1 })).toThrow(
      "sudoku9: train 99999999999 + test 0 puzzles, expected at most 16777215",
    );
  });
});

it("a broken test.csv leaves both splits of an existing data set unchanged", async () => {
  const header = "source,question,answer,rating\n";
  const rows = ["12.4............,1234341221434321", ".234............,1234341221434321"].map((row) => `me,${row},0\n`);
  const csv = join(out, "csv");
  mkdirSync(csv);
  for (const name of ["train", "test"]) writeFileSync(join(csv, `${name}.csv`), header + rows[0]);
  await buildSudoku({ from: csv, out });
  const before = readSplit(out, "train").inputs;
  writeFileSync(join(csv, "train.csv"), header + rows[1]);
  writeFileSync(join(csv, "test.csv"), `${header}me,1,2,0\n`);
  await expect(buildSudoku({ from: csv, out })).rejects.toThrow("test.csv:2:4: question: sudoku4: 1 characters");
  expect(readSplit(out, "train").inputs).toEqual(before);
  expect(readdirSync(join(out, "train")).filter((name) => name.includes("tmp"))).toEqual([]);
});

describe("mazes", () => {
  const from = join(fixtures, "maze/csv");

  it("mazes with all eight images equal the files of the official builder byte for byte", async () => {
    await buildMaze({ from, out, augment: 8 });
    expectSameFiles(join(fixtures, "maze/npy"));
  });

  it("without augmentation, every group is one maze", async () => {
    await buildMaze({ from, out });
    const train = readSplit(out, "train");
    const official = readSplit(join(fixtures, "maze/npy"), "train");
    expect([...train.groupIndices]).toEqual([0, 1, 2, 3]);
    for (let maze = 0; maze < 3; maze++) {
      expect(row(train.labels, maze, 49)).toEqual(row(official.labels, 8 * maze, 49));
      expect(mazeKey(row(train.inputs, maze, 49), 7)).toBe(mazeKey(row(official.inputs, 8 * maze + 5, 49), 7));
    }
    await expect(buildMaze({ from, out, augment: 3 })).rejects.toThrow("augment 3, expected 0 or 8 for mazes");
  });
});

describe("ARC", () => {
  const options = {
    prefix: join(fixtures, "arc/json/arc-agi"),
    subsets: ["training", "evaluation"],
    testSet: "evaluation",
  };

  /** The examples of every puzzle by its name. */
  function byName(split: PuzzleSplit, names: readonly string[]): Map<string, string[]> {
    return new Map(
      [...split.puzzleIdentifiers].map((id, puzzle) => {
        const [from, to] = [split.puzzleIndices[puzzle]!, split.puzzleIndices[puzzle + 1]!];
        const examples = Array.from({ length: to - from }, (_, index) =>
          [split.inputs, split.labels].map((all) => row(all, from + index, 900).join()).join("|"),
        );
        return [names[id]!, examples];
      }),
    );
  }

  it("without augmentation, the test split equals the official one up to order and identifiers", async () => {
    await buildArcFiles({ ...options, out, augment: 0 });
    const official = join(fixtures, "arc/npy_noaug");
    const [ours, theirs] = [out, official].map((dir) => byName(readSplit(dir, "test"), readIdentifiers(dir)));
    expect(new Map([...ours!].sort())).toEqual(new Map([...theirs!].sort()));
    for (const file of ["test/dataset.json", "train/dataset.json"]) {
      expect(readFileSync(join(out, file), "utf8")).toBe(readFileSync(join(official, file), "utf8"));
    }
    expect([...readIdentifiers(out)].sort()).toEqual([...readIdentifiers(official)].sort());
    const parsed = (dir: string) => JSON.parse(readFileSync(join(dir, "test_puzzles.json"), "utf8"));
    expect(parsed(out)).toEqual(parsed(official));
  });

  it("without augmentation, the train split has the official examples at other places of the canvas", async () => {
    await buildArcFiles({ ...options, out, augment: 0 });
    const official = join(fixtures, "arc/npy_noaug");
    const content = (dir: string) => {
      const split = readSplit(dir, "train");
      const names = readIdentifiers(dir);
      return new Map(
        [...split.puzzleIdentifiers]
          .map((id, puzzle) => [names[id]!, gridsOf(split, puzzle).map(({ key }) => key)] as const)
          .sort(),
      );
    };
    expect(content(out)).toEqual(content(official));
  });

  it.each(["ours", "theirs"])("augmented puzzles are different images of their task: %s", async (whose) => {
    const dir = whose === "ours" ? out : join(fixtures, "arc/npy");
    if (whose === "ours") await buildArcFiles({ ...options, out, augment: 6 });
    const names = readIdentifiers(dir);
    const tests = readTestPuzzles(dir)!;
    const subsets = options.subsets.map((name) => loadArcSubset(options.prefix, name));
    const tasks = new Map(subsets.flatMap(({ tasks }) => [...tasks]));
    expect(names).toHaveLength(1 + 12 * 7);
    for (const split of ["train", "test"] as const) {
      const data = readSplit(dir, split);
      expect(data.metadata.groupCount).toBe(split === "train" ? 12 : 6);
      for (let group = 0; group + 1 < data.groupIndices.length; group++) {
        const [from, to] = [data.groupIndices[group]!, data.groupIndices[group + 1]!];
        expect(to - from).toBe(7);
        const images = new Set<string>();
        const groupNames = new Set<string>();
        for (let puzzle = from; puzzle < to; puzzle++) {
          const { name, augmentation } = parseAugmentedName(names[data.puzzleIdentifiers[puzzle]!]!);
          groupNames.add(name);
          expect(augmentation === undefined).toBe(puzzle === from);
          const task = tasks.get(name)!;
          const pairs: readonly ArcPair[] = tests.has(name) ? task.get(split)! : [...task.values()].flat();
          const grids = gridsOf(data, puzzle);
          images.add(grids.map(({ key }) => key).join(" "));
          // Turned back, every example is the pair of the task.
          const back = grids.map(({ input, output }) =>
            [input, output].map((grid) => gridKey(augmentation ? restoreGrid(augmentation, grid) : grid)).join("|"),
          );
          expect(back).toEqual(pairs.map(({ input, output }) => `${gridKey(input)}|${gridKey(output!)}`));
          const still = grids.filter(({ top, left }) => top === 0 && left === 0).length;
          expect(still).toBeGreaterThanOrEqual(split === "test" ? grids.length : 1);
        }
        expect(images.size).toBe(7);
        expect(groupNames.size).toBe(1);
      }
    }
  });

  it("files with one task each are read too", () => {
    const { tasks } = loadArcSubset(options.prefix, "training");
    const folder = join(out, "data/training/concept");
    mkdirSync(folder, { recursive: true });
    const json = JSON.parse(readFileSync(`${options.prefix}_training_challenges.json`, "utf8"));
    const solutions = JSON.parse(readFileSync(`${options.prefix}_training_solutions.json`, "utf8"));
    for (const [name, task] of Object.entries<{ test: object[] }>(json)) {
      const test = task.test.map((pair, index) => ({ ...pair, output: solutions[name][index] }));
      writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...task, test }));
    }
    expect(new Map([...loadArcSubset(join(out, "data"), "training").tasks].sort())).toEqual(new Map([...tasks].sort()));
  });

  it("a missing subset is named", async () => {
    await expect(buildArcFiles({ ...options, out, testSet: "evaluation2" })).rejects.toThrow(
      new ConfigError("test set evaluation2, expected one of the subsets training, evaluation"),
    );
    await expect(buildArcFiles({ ...options, out, subsets: ["evaluation", "none"] })).rejects.toThrow(
      "_none_challenges.json nor a folder",
    );
  });

  it("a task without pairs, or with the name of an augmented copy, is refused with its file", async () => {
    const folder = join(out, "json/one");
    mkdirSync(folder, { recursive: true });
    const [prefix, pair] = [join(out, "json"), { input: [[1, 2]], output: [[2, 1]] }];
    const build = (name: string) =>
      buildArcFiles({ prefix, subsets: [name], testSet: name, out: join(out, "set"), augment: 0 });
    writeFileSync(join(folder, "empty.json"), '{"train":[],"test":[]}');
    await expect(build("one")).rejects.toThrow(
      `${join(folder, "empty.json")}: task "empty": no pairs for the train split, expected at least one`,
    );
    const challenges = `${prefix}_all_challenges.json`;
    writeFileSync(challenges, JSON.stringify({ untested: { train: [pair], test: [] } }));
    await expect(build("all")).rejects.toThrow(`${challenges}: task "untested": no pairs for the test split`);
    writeFileSync(challenges, JSON.stringify({ "copy|||t0|||0123456789": { train: [pair], test: [pair] } }));
    await expect(build("all")).rejects.toThrow(`${challenges}: task "copy|||t0|||0123456789": got the name of`);
  });

  it("test tasks that occur in another subset are reported", async () => {
    const folder = join(out, "json");
    mkdirSync(folder);
    const pair = { input: [[1, 2]], output: [[2, 1]] };
    const write = (name: string, tasks: string[]) =>
      writeFileSync(
        join(folder, `x_${name}_challenges.json`),
        JSON.stringify(Object.fromEntries(tasks.map((task) => [task, { train: [pair], test: [pair] }]))),
      );
    write("a", ["one", "two"]);
    write("b", ["two", "three"]);
    const report = await buildArcFiles({
      prefix: join(folder, "x"),
      subsets: ["a", "b"],
      testSet: "b",
      out,
      augment: 0,
    });
    expect(report.notes).toEqual(['task "two" of the test set is in a too: its test pairs are trained on']);
  });

  it("unknown answers are reported, stored without labels and not trained on", async () => {
    const folder = join(out, "json");
    mkdirSync(folder);
    const pair = { input: [[1, 2]], output: [[2, 1]] };
    for (const [name, task] of [
      ["a", "one"],
      ["b", "two"],
    ]) {
      const json = { [task!]: { train: [pair], test: [{ input: [[3]] }, pair] } };
      writeFileSync(join(folder, `x_${name}_challenges.json`), JSON.stringify(json));
    }
    const prefix = join(folder, "x");
    const { notes } = await buildArcFiles({ prefix, subsets: ["a", "b"], testSet: "b", out, augment: 0 });
    expect(notes).toEqual([
      "a: the answers of 1 of 2 test pairs are unknown; they are not trained on",
      "b: the answers of 1 of 2 test pairs are unknown; they cannot be scored",
    ]);
    const test = readSplit(out, "test");
    expect([...row(test.labels, 0, 900)].every((label) => label === test.metadata.ignoreLabel)).toBe(true);
    expect([...row(test.labels, 1, 900)].some((label) => label !== 0)).toBe(true);
    expect(readSplit(out, "train").inputs.length).toBe(900 * 3);
    const unknown = [...readTestPuzzles(out)!.values()].flatMap((task) =>
      task.get("test")!.map(({ output }) => !output),
    );
    expect(unknown).toEqual([true, false]);
  });

  it("a smaller canvas holds the tasks whose grids fit, and the others are reported", async () => {
    const folder = join(out, "json");
    mkdirSync(folder);
    const pair = (side: number) => ({ input: [new Array(side).fill(1)], output: [[2]] });
    const task = (train: number, test: number) => ({ train: [pair(train), pair(1)], test: [pair(test)] });
    const json = { fits: task(4, 4), wideTest: task(4, 5), wideTrain: task(5, 4) };
    writeFileSync(join(folder, "x_a_challenges.json"), JSON.stringify(json));
    const options = { prefix: join(folder, "x"), subsets: ["a"], testSet: "a", out, augment: 0 };
    const { notes } = await buildArcFiles({ ...options, side: 4 });
    expect(notes).toEqual(["a: 2 tasks were left out because a grid does not fit 4x4"]);
    expect(readIdentifiers(out)).toEqual(["<blank>", "fits"]);
    expect([...readTestPuzzles(out)!.keys()]).toEqual(["fits"]);
    expect([...readSplit(out, "test").inputs]).toEqual([3, 3, 3, 3, 1, 1, 1, 1, ...new Array(8).fill(0)]);
    expect(readSplit(out, "train").metadata).toMatchObject({ sequenceLength: 16, vocabularySize: 12 });
    expect(readDataTask(out)).toEqual({ name: "arc", side: 4 });

    await expect(buildArcFiles({ ...options, side: 3 })).rejects.toThrow(
      "the test set a has no tasks whose grids fit 3x3, expected at least one",
    );
    await expect(buildArcFiles({ ...options, side: 31 })).rejects.toThrow(
      "side 31, expected a whole number from 1 to 30",
    );
    // The published canvas replaces the smaller one in the same folder.
    expect((await buildArcFiles(options)).notes).toEqual([]);
    expect(readDataTask(out)).toEqual({ name: "arc" });
  });

  it("a data set of Sudokus takes the place of one on a smaller canvas", async () => {
    const arc = { prefix: join(fixtures, "arc/json/arc-agi"), subsets: ["training"], testSet: "training", augment: 0 };
    await buildArcFiles({ ...arc, out });
    expect(existsSync(join(out, "task.json"))).toBe(false); // as in the official data sets
    await buildArcFiles({ ...arc, side: 29, out });
    expect(readDataTask(out)).toEqual({ name: "arc", side: 29 });
    await buildSudoku({ from: join(fixtures, "sudoku/csv"), out });
    expect(readDataTask(out)).toEqual({ name: "sudoku9" });
    expect(existsSync(join(out, "test_puzzles.json"))).toBe(false);
  });

  it("hidden files, which macOS adds to archives, are skipped", () => {
    const folder = join(out, "data/training");
    mkdirSync(folder, { recursive: true });
    const pair = { input: [[1, 2]], output: [[2, 1]] };
    writeFileSync(join(folder, "one.json"), JSON.stringify({ train: [pair], test: [pair] }));
    writeFileSync(join(folder, "._one.json"), Uint8Array.of(0, 5, 22, 7));
    expect([...loadArcSubset(join(out, "data"), "training").tasks.keys()]).toEqual(["one"]);
  });

  it("tasks with too few different augmentations are reported", async () => {
    const folder = join(out, "json");
    mkdirSync(folder);
    const black = { input: [[0]], output: [[0]] };
    writeFileSync(join(folder, "x_a_challenges.json"), JSON.stringify({ dull: { train: [black], test: [black] } }));
    const report = await buildArcFiles({ prefix: join(folder, "x"), subsets: ["a"], testSet: "a", out, augment: 3 });
    expect(report.notes).toEqual(["task dull: found only 0 different augmentations of 3"]);
  });
});

function row(tokens: Uint8Array | Int32Array, example: number, length: number): Uint8Array | Int32Array {
  return tokens.slice(example * length, (example + 1) * length);
}

/** The grids of a puzzle's examples, wherever they lie on the canvas. */
function gridsOf(split: PuzzleSplit, puzzle: number) {
  const [from, to] = [split.puzzleIndices[puzzle]!, split.puzzleIndices[puzzle + 1]!];
  return Array.from({ length: to - from }, (_, index) => {
    const [input, output] = [split.inputs, split.labels].map((all) => row(all, from + index, 900));
    const first = input!.findIndex((token) => token >= 2);
    const [top, left] = [Math.floor(first / 30), first % 30];
    const grids = [input!, output!].map((tokens) =>
      cropTokens(Int32Array.from(tokens.keys(), (at) => shifted(tokens, at, top, left))),
    );
    const key = grids.map(gridKey).join("|");
    return { input: grids[0]!, output: grids[1]!, top, left, key };
  });
}

function shifted(tokens: ArrayLike<number>, at: number, top: number, left: number): number {
  const [rowAt, columnAt] = [Math.floor(at / 30) + top, (at % 30) + left];
  return rowAt < 30 && columnAt < 30 ? tokens[rowAt * 30 + columnAt]! : 0;
}
