/** Fingerprints of data sets: they change with every part of the data, and a run refuses another data set. */
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import {
  evaluationFingerprint,
  fingerprintOfFolder,
  fingerprintOfSets,
  verifyData,
} from "../../src/runs/data-fingerprint.node.ts";
import { parityFolder } from "./exchange/parity-cases.ts";
import { tinySets } from "./tiny-run.ts";

const root = mkdtempSync(join(tmpdir(), "trm-fingerprint-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const official = join(parityFolder, "datasets", "arc", "npy");
const expected = fingerprintOfFolder(official);

describe("the fingerprint of a data set", () => {
  let folder = "";
  let number = 0;
  beforeEach(() => {
    folder = join(root, `data${number++}`);
    cpSync(official, folder, { recursive: true });
  });
  const changeByte = (name: string): void => {
    const bytes = readFileSync(join(folder, name));
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(join(folder, name), bytes);
  };
  const check = (): string | undefined =>
    verifyData({ path: folder, actual: fingerprintOfFolder(folder), expected, run: "runs/arc" });

  it("does not depend on the place of the data set", () => {
    expect(check()).toBeUndefined();
    renameSync(folder, `${folder}-moved`);
    folder = `${folder}-moved`;
    expect(check()).toBeUndefined();
  });

  it.each(["inputs", "labels", "puzzle_identifiers", "puzzle_indices", "group_indices"])(
    "changes with the %s of either split",
    (field) => {
      changeByte(`train/all__${field}.npy`);
      expect(check).toThrow(`${folder}: is not the data set of runs/arc: the training puzzles differ`);
      changeByte(`train/all__${field}.npy`);
      changeByte(`test/all__${field}.npy`);
      expect(check).toThrow(`${folder}: is not the data set of runs/arc: the test puzzles differ`);
      const actual = evaluationFingerprint(folder);
      expect(() => verifyData({ path: folder, actual, expected, run: "r" })).toThrow("the test puzzles differ");
    },
  );

  it("changes with the order of the names of the puzzle ids", () => {
    const file = join(folder, "identifiers.json");
    const names = JSON.parse(readFileSync(file, "utf8")) as string[];
    writeFileSync(file, JSON.stringify([names[0], names[2], names[1], ...names.slice(3)]));
    expect(check).toThrow("the names of the puzzle ids differ");
    // A run folder contains the expected names.
    expect(() => verifyData({ path: folder, actual: fingerprintOfFolder(folder), expected, run: official })).toThrow(
      `(id 1 is ${JSON.stringify(names[2])}, expected ${JSON.stringify(names[1])})`,
    );
  });

  it("is not required: a run without one is accepted with a note", () => {
    const note = verifyData({ path: folder, actual: expected, expected: undefined, run: "runs/old" });
    expect(note).toBe(`${folder}: the data set cannot be verified, because runs/old stores no fingerprint of it`);
  });
});

it("the fingerprint of puzzles in memory changes with every puzzle", () => {
  const sets = tinySets();
  const before = fingerprintOfSets(sets);
  expect(fingerprintOfSets(tinySets())).toEqual(before);
  sets.train.labels[0]! ^= 1;
  expect(fingerprintOfSets(sets)).toMatchObject({ test: before.test, identifiers: before.identifiers });
  expect(fingerprintOfSets(sets).train).not.toBe(before.train);
  sets.unseen.inputs[0]! ^= 1;
  expect(fingerprintOfSets(sets).test).not.toBe(before.test);
});
