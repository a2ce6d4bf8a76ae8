/** A small data set in the official layout in which every puzzle has its own id. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseNpy, serializeNpy } from "../../src/formats/index.ts";
import { encodeSplit, sudokuTask, toSplit } from "../../src/puzzles/index.ts";

/** Number of puzzle ids, including the blank one. */
export const idCount = 9;

/** Writes 8 training and 4 test puzzles of 4x4 Sudoku. */
export function writeNumberedSet(folder: string): void {
  const task = sudokuTask(4);
  const { train, test } = task.generate({ train: idCount - 1, test: 4, seed: 1 });
  for (const [name, examples] of Object.entries({ train, test })) {
    const split = toSplit(examples, task);
    const puzzleIdentifiers = Int32Array.from({ length: examples.count }, (_, i) => i + 1);
    const metadata = { ...split.metadata, identifierCount: idCount };
    mkdirSync(join(folder, name), { recursive: true });
    for (const [file, bytes] of encodeSplit({ ...split, puzzleIdentifiers, metadata })) {
      writeFileSync(join(folder, name, file), bytes);
    }
  }
  const names = Array.from({ length: idCount }, (_, i) => (i === 0 ? "<blank>" : `puzzle${i}`));
  writeFileSync(join(folder, "identifiers.json"), JSON.stringify(names));
}

/** Changes the set as a second build could: the same puzzles with other ids. */
export function renumber(folder: string): void {
  const file = join(folder, "identifiers.json");
  const [blank, ...names] = JSON.parse(readFileSync(file, "utf8")) as string[];
  writeFileSync(file, JSON.stringify([blank, ...names.reverse()]));
  for (const split of ["train", "test"]) {
    const column = join(folder, split, "all__puzzle_identifiers.npy");
    const ids = Int32Array.from(parseNpy(readFileSync(column)).data as Int32Array, (id) =>
      id === 0 ? 0 : idCount - id,
    );
    writeFileSync(column, serializeNpy(ids, [ids.length]));
  }
}
