// The official layout in memory and on disk.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileSet } from "../../../src/formats/files.node.ts";
import { DatasetError } from "../../../src/formats/index.ts";
import { serializeNpy } from "../../../src/formats/npy.ts";
import { pythonFloat, pythonJson } from "../../../src/formats/python-json.ts";
import {
  openSplit,
  readIdentifiers,
  readSplit,
  readTestPuzzles,
  SplitWriter,
  writeNames,
} from "../../../src/puzzles/official-layout/layout.node.ts";
import {
  DATASET_JSON,
  decodeSplit,
  encodeSplit,
  formatMetadata,
  type PuzzleSplit,
  parseIdentifiers,
  parseMetadata,
} from "../../../src/puzzles/official-layout/layout.ts";
import { memorySource, SplitBatches } from "../../../src/puzzles/official-layout/split-batches.ts";
import { GrowingColumn, SplitBuilder } from "../../../src/puzzles/official-layout/split-builder.ts";
import { evaluationBatches } from "../../../src/trm/index.ts";
import { splits } from "./splits.ts";

const fixtures = fileURLToPath(new URL("../../fixtures/parity/datasets/", import.meta.url));
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "trm-layout-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function decode(files: ReadonlyMap<string, Uint8Array>): PuzzleSplit {
  return decodeSplit((name) => files.get(name)!, "train");
}

describe("in memory", () => {
  it("an encoded split is decoded to the same split", () => {
    fc.assert(
      fc.property(splits, (split) => {
        expect(decode(encodeSplit(split))).toEqual(split);
      }),
    );
  });

  it("official splits are read, and their dataset.json is written again byte for byte", () => {
    for (const set of ["sudoku/npy", "maze/npy", "arc/npy", "arc/npy_noaug"]) {
      for (const split of ["train", "test"] as const) {
        const { metadata } = readSplit(join(fixtures, set), split);
        expect(formatMetadata(metadata)).toBe(readFileSync(join(fixtures, set, split, DATASET_JSON), "utf8"));
      }
    }
  });

  it("damaged files are refused with a DatasetError of one line, or still match", () => {
    const damaged = fc.tuple(
      splits,
      fc.nat(5),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      fc.nat(9),
    );
    fc.assert(
      fc.property(damaged, ([split, which, changes, cut]) => {
        const files = encodeSplit(split);
        const name = [...files.keys()][which]!;
        const bytes = files.get(name)!.slice();
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        files.set(name, bytes.subarray(0, bytes.length - (cut > 4 ? 0 : cut)));
        try {
          expect(decode(files).inputs.length).toBeLessThanOrEqual(split.inputs.length);
        } catch (error) {
          expect(error).toBeInstanceOf(DatasetError);
          expect(String(error)).toMatch(/^DatasetError: train[^\p{Cc}]*$/u);
        }
      }),
      { numRuns: 500 },
    );
  });

  const sample = fc.sample(splits, { seed: 5, numRuns: 1 })[0]!;
  it.each([
    ["puzzle_indices", Int32Array.of(1, 2), "all__puzzle_indices.npy: 1 at 0, expected 0"],
    ["puzzle_indices", Int32Array.of(0, 2, 2), "all__puzzle_indices.npy: 2 at 2, expected at least 3"],
    ["puzzle_indices", Int32Array.of(0, 1), "expected"],
    ["group_indices", Int32Array.of(0), "all__group_indices.npy: the column ends at 0, expected"],
    ["group_indices", new Int32Array(0), "all__group_indices.npy: the column is empty, expected at least the number 0"],
    ["puzzle_identifiers", Int32Array.of(0), "all__puzzle_identifiers.npy: 1 puzzles, expected"],
    ["inputs", Uint8Array.of(1), "all__inputs.npy: shape [1], expected [examples,"],
  ] as const)("a file %s that does not match is refused: %j", (field, data, message) => {
    const files = encodeSplit(sample).set(`all__${field}.npy`, serializeNpy(data, [data.length]));
    expect(() => decode(files)).toThrow(DatasetError);
    expect(() => decode(files)).toThrow(message);
  });

  it("tokens and identifiers out of range are named", () => {
    const tokens = sample.inputs.slice().fill(sample.metadata.vocabularySize, 1, 2);
    expect(() => decode(encodeSplit({ ...sample, inputs: tokens }))).toThrow(
      /all__inputs\.npy: token \d+ in example 0, expected 0 to/,
    );
    const ids = sample.puzzleIdentifiers.slice().fill(99, 0, 1);
    expect(() => decode(encodeSplit({ ...sample, puzzleIdentifiers: ids }))).toThrow(
      "identifier 99 of puzzle 0, expected 0 to",
    );
  });

  it.each([
    ["", "d.json: not JSON: "],
    ["[]", "d.json: contents: "],
    [formatMetadata(sample.metadata).replace("seq_len", "seq"), "d.json: seq_len: "],
    [formatMetadata(sample.metadata).replace(`"seq_len": `, `"seq_len": -`), "d.json: seq_len: "],
    [formatMetadata(sample.metadata).replace('["all"]', '["a", "b"]'), 'd.json: sets ["a","b"], expected ["all"]'],
  ])("dataset.json with the text %j is refused", (text, message) => {
    expect(() => parseMetadata(text, "d.json")).toThrow(DatasetError);
    expect(() => parseMetadata(text, "d.json")).toThrow(message);
  });

  it("the label that is ignored is no token of an input", () => {
    const metadata = { ...sample.metadata, ignoreLabel: 99 };
    const [inputs, labels] = [sample.inputs, sample.labels].map((tokens) => Int32Array.from(tokens).fill(99, 0, 1));
    expect(() => decode(encodeSplit({ ...sample, metadata, labels: labels! }))).not.toThrow();
    expect(() => decode(encodeSplit({ ...sample, metadata, inputs: inputs! }))).toThrow("token 99");
  });

  it("identifiers.json must be an array of names", () => {
    expect(parseIdentifiers('["<blank>", "a"]')).toEqual(["<blank>", "a"]);
    for (const text of ["{}", "[1]", "["]) expect(() => parseIdentifiers(text)).toThrow(DatasetError);
  });

  it("JSON is written as Python writes it", () => {
    expect(pythonJson({ a: [1, null, true, 'é\u2028"\n'], b: new Map([["c", 0.5]]) })).toBe(
      '{"a": [1, null, true, "\\u00e9\\u2028\\"\\n"], "b": {"c": 0.5}}',
    );
    expect([pythonFloat(1), pythonFloat(3.5833333333333335)]).toEqual(["1.0", "3.5833333333333335"]);
  });
});

it("a growing column holds the numbers that were added to it, one by one or many at once", () => {
  const parts = fc.array(fc.oneof(fc.nat(255), fc.array(fc.nat(255), { maxLength: 5000 })), { maxLength: 20 });
  fc.assert(
    fc.property(parts, (added) => {
      for (const column of [new GrowingColumn(Int32Array), new GrowingColumn(Uint8Array)]) {
        for (const part of added) {
          if (typeof part === "number") column.push(part);
          else column.append(part);
        }
        expect(Array.from(column.numbers)).toEqual(added.flat());
        expect(column.length).toBe(added.flat().length);
      }
    }),
    { numRuns: 50 },
  );
});

describe("on disk", () => {
  function write(split: PuzzleSplit, name: string): string {
    const out = join(dir, name);
    mkdirSync(join(out, "train"), { recursive: true });
    for (const [file, bytes] of encodeSplit(split)) writeFileSync(join(out, "train", file), bytes);
    return out;
  }

  it("a split on disk gives the same batches as in memory, for training and evaluation", () => {
    fc.assert(
      fc.property(splits, fc.nat(), (split, seed) => {
        const source = openSplit(write(split, "streamed"), "train");
        const memory = memorySource(split);
        expect([...evaluationBatches(source, 3)]).toEqual([...evaluationBatches(memory, 3)]);
        const [streamed, held] = [source, memory].map((each) => new SplitBatches(each, { seed }));
        for (let step = 0; step < 4; step++) expect(streamed!.next(1)).toEqual(held!.next(1));
        source.close();
      }),
      { numRuns: 40 },
    );
  });

  it("official data sets are read from disk", () => {
    for (const set of ["sudoku/npy", "maze/npy", "arc/npy"]) {
      for (const split of ["train", "test"] as const) {
        const source = openSplit(join(fixtures, set), split);
        expect([...evaluationBatches(source, 4)]).toEqual([
          ...evaluationBatches(memorySource(readSplit(join(fixtures, set), split)), 4),
        ]);
        source.close();
      }
    }
  });

  it("wide integers are read, as the official builder writes them for augmented Sudokus", () => {
    const split = fc.sample(splits, { seed: 1, numRuns: 1 })[0]!;
    const out = write(split, "wide");
    const { sequenceLength } = split.metadata;
    const shape = [split.inputs.length / sequenceLength, sequenceLength];
    const wide = BigInt64Array.from(split.inputs, (token) => BigInt(token));
    writeFileSync(join(out, "train/all__inputs.npy"), serializeNpy(wide, shape));
    const source = openSplit(out, "train");
    expect([...evaluationBatches(source, 2)]).toEqual([...evaluationBatches(memorySource(split), 2)]);
    source.close();
  });

  it("a long index is read in pages", () => {
    const puzzles = 5000;
    const ends = Int32Array.from({ length: puzzles + 1 }, (_, at) => at);
    const tokens = Uint8Array.from({ length: puzzles }, (_, at) => at % 7);
    const { metadata } = fc.sample(splits, { seed: 1, numRuns: 1 })[0]!;
    const split: PuzzleSplit = {
      metadata: {
        ...metadata,
        sequenceLength: 1,
        vocabularySize: 7,
        identifierCount: 3,
        groupCount: 1,
        puzzleCount: puzzles,
      },
      inputs: tokens,
      labels: tokens,
      puzzleIdentifiers: ends.slice(1).map((end) => end % 3),
      puzzleIndices: ends,
      groupIndices: Int32Array.of(0, puzzles),
    };
    const source = openSplit(write(split, "long"), "train");
    for (const at of [0, 1023, 1024, 4999]) {
      expect([source.puzzleIndices.at(at), source.puzzleIdentifiers.at(at)]).toEqual([at, (at + 1) % 3]);
    }
    expect(source.puzzleIndices.at(puzzles + 1)).toBeUndefined();
    source.close();
  });

  it("damaged files are refused when they are opened or read", () => {
    const split = fc.sample(splits, { seed: 2, numRuns: 1 })[0]!;
    const cases: [string, (bytes: Uint8Array) => Uint8Array, string][] = [
      ["all__inputs.npy", (bytes) => bytes.subarray(0, -1), "bytes of data, expected"],
      ["all__labels.npy", (bytes) => bytes.subarray(0, 20), "exceeds the file (truncated?)"],
      ["all__puzzle_indices.npy", () => serializeNpy(Int32Array.of(0, 1), [1, 2]), "2 axes, expected one"],
      ["all__puzzle_identifiers.npy", () => serializeNpy(new Int32Array(99), [99]), "99 puzzles, expected"],
      ["all__group_indices.npy", () => serializeNpy(Int32Array.of(0, 99), [2]), "ends at 99, expected"],
      [DATASET_JSON, () => new Uint8Array([0xff]), "not UTF-8 text"],
    ];
    for (const [name, damage, message] of cases) {
      const out = write(split, "damaged");
      const path = join(out, "train", name);
      writeFileSync(path, damage(readFileSync(path)));
      expect(() => openSplit(out, "train"), name).toThrow(message);
      expect(() => openSplit(out, "train"), name).toThrow(DatasetError);
      rmSync(path);
      expect(() => openSplit(out, "train"), name).toThrow(/cannot read: no such file/);
    }
    const out = write({ ...split, inputs: split.inputs.map(() => 200) }, "tokens");
    const source = openSplit(out, "train");
    expect(() => [...evaluationBatches(source, 1)]).toThrow("all__inputs.npy: token 200 in example 0, expected 0 to");
    source.close();
  });

  it("a split without examples is refused when it is read", () => {
    const { metadata } = fc.sample(splits, { seed: 1, numRuns: 1 })[0]!;
    const none = new Uint8Array(0);
    const empty: PuzzleSplit = {
      metadata: { ...metadata, groupCount: 0, puzzleCount: 0 },
      inputs: none,
      labels: none,
      puzzleIdentifiers: new Int32Array(0),
      puzzleIndices: Int32Array.of(0),
      groupIndices: Int32Array.of(0),
    };
    const out = write(empty, "empty");
    const message = `${join(out, "train")}: the split has no examples, expected at least one`;
    expect(() => openSplit(out, "train")).toThrow(message);
    expect(() => readSplit(out, "train")).toThrow(message);
  });

  it("SplitWriter writes the files of encodeSplit, and none has its name before all are complete", () => {
    fc.assert(
      fc.property(splits, (split) => {
        const out = join(dir, "written");
        rmSync(out, { recursive: true, force: true });
        const files = new FileSet();
        const writer = new SplitWriter(files, out, "train");
        const builder = new SplitBuilder(writer);
        const { sequenceLength: length } = split.metadata;
        const rowOf = (all: PuzzleSplit["inputs"], at: number) =>
          Uint8Array.from(all.subarray(at * length, (at + 1) * length));
        for (let group = 0; group + 1 < split.groupIndices.length; group++) {
          for (let puzzle = split.groupIndices[group]!; puzzle < split.groupIndices[group + 1]!; puzzle++) {
            for (let at = split.puzzleIndices[puzzle]!; at < split.puzzleIndices[puzzle + 1]!; at++) {
              builder.addExample(rowOf(split.inputs, at), rowOf(split.labels, at));
            }
            builder.endPuzzle(split.puzzleIdentifiers[puzzle]!);
          }
          builder.endGroup();
        }
        expect(readdirSync(join(out, "train")).filter((name) => !name.includes(".tmp-"))).toEqual([]);
        writer.end(builder, split.metadata);
        expect(readdirSync(join(out, "train")).filter((name) => !name.includes(".tmp-"))).toEqual([]);
        files.finish();
        for (const [name, bytes] of encodeSplit(split)) {
          expect(Buffer.compare(readFileSync(join(out, "train", name)), bytes), name).toBe(0);
        }
        expect(readdirSync(join(out, "train"))).toHaveLength(6);
      }),
      { numRuns: 20 },
    );
  });

  it("names are written and read; a data set without ARC tasks has no test puzzles", () => {
    const files = new FileSet();
    writeNames(files, join(dir, "names"), ["<blank>", "a|||t1|||0123456789"]);
    files.finish();
    expect(readIdentifiers(join(dir, "names"))).toEqual(["<blank>", "a|||t1|||0123456789"]);
    expect(readTestPuzzles(join(dir, "names"))).toBeUndefined();
    expect(readTestPuzzles(join(fixtures, "arc/npy"))?.size).toBe(6);
  });

  it("a write error is one line with the path and leaves no file", () => {
    writeFileSync(join(dir, "file"), "");
    const files = new FileSet();
    files.write(join(dir, "refused/first"), "1");
    expect(() => new SplitWriter(files, join(dir, "file"), "train")).toThrow(
      /file\/train: cannot write: a part of the path is a file/,
    );
    expect(existsSync(join(dir, "refused"))).toBe(false);
  });

  it("if one file of a set cannot be completed, all existing files keep their content", () => {
    const out = join(dir, "together");
    mkdirSync(out);
    writeFileSync(join(out, "first"), "old");
    const files = new FileSet();
    files.write(join(out, "first"), "new");
    const second = files.open(join(out, "second"));
    second.write(Uint8Array.of(2));
    second.complete();
    expect(() => files.finish()).toThrow(/second: cannot write: .*/); // its flush fails, as on a full disk
    expect(readdirSync(out)).toEqual(["first"]);
    expect(readFileSync(join(out, "first"), "utf8")).toBe("old");
  });
});
