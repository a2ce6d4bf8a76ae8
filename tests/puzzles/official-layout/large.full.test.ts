// Data sets of many gigabytes: one needs no more memory than a small one, because its examples stay on disk.
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, expect, it } from "vitest";
import { npyHeader } from "../../../src/formats/npy.ts";
import { openSplit } from "../../../src/puzzles/official-layout/layout.node.ts";
import { encodeIndex, formatMetadata, splitMetadata } from "../../../src/puzzles/official-layout/layout.ts";
import { SplitBatches } from "../../../src/puzzles/official-layout/split-batches.ts";
import { SplitBuilder } from "../../../src/puzzles/official-layout/split-builder.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-large-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Windows has no sparse files by default, and the data set would fill the disk.
it.skipIf(process.platform === "win32")("a data set of 10 GB is trained on in some MB of memory", () => {
  const [examples, length, perPuzzle, puzzlesPerGroup] = [5_600_000, 900, 4, 1000];
  const puzzles = examples / perPuzzle;
  const train = join(folder, "train");
  mkdirSync(train);
  for (const name of ["inputs", "labels"]) {
    // A sparse file: its zeros occupy no space on the disk.
    const file = openSync(join(train, `all__${name}.npy`), "w");
    const header = npyHeader("|u1", [examples, length]);
    writeSync(file, header);
    ftruncateSync(file, header.length + examples * length);
    closeSync(file);
  }
  const index = {
    puzzleIdentifiers: new Int32Array(puzzles),
    puzzleIndices: Int32Array.from({ length: puzzles + 1 }, (_, at) => at * perPuzzle),
    groupIndices: Int32Array.from({ length: puzzles / puzzlesPerGroup + 1 }, (_, at) => at * puzzlesPerGroup),
  };
  for (const [name, bytes] of encodeIndex(index)) writeFileSync(join(train, name), bytes);
  const counts = { exampleCount: examples, puzzleCount: puzzles, groupCount: puzzles / puzzlesPerGroup };
  const metadata = splitMetadata(counts, { vocabularySize: 12, sequenceLength: length, identifierCount: 1 });
  writeFileSync(join(train, "dataset.json"), formatMetadata(metadata));

  const before = memory();
  const source = openSplit(folder, "train");
  const batches = new SplitBatches(source, { seed: 1 });
  for (let step = 0; step < 50; step++) batches.next(64);
  const early = memory();
  for (let step = 0; step < 500; step++) batches.next(64);
  const late = memory();
  source.close();
  expect(early - before).toBeLessThan(30e6);
  expect(late - early).toBeLessThan(20e6); // the index, whose pages hold 12 MB in all, and some noise
});

it("the index of a data set may have more puzzles than an array has elements", () => {
  const builder = new SplitBuilder({ write: () => {} });
  const [image, puzzles] = [new Uint8Array(1), 120_000_000];
  for (let puzzle = 0; puzzle < puzzles; puzzle++) {
    builder.addExample(image, image);
    builder.endPuzzle(0);
  }
  builder.endGroup();
  const { puzzleIdentifiers, puzzleIndices, groupIndices } = builder.index();
  expect([puzzleIdentifiers.length, puzzleIndices.at(-1), groupIndices.at(-1)]).toEqual([puzzles, puzzles, puzzles]);
});

/** Memory in use after a garbage collection, in bytes. */
function memory(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
