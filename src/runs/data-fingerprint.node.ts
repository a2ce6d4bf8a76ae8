// Computes the fingerprint of a data set on the disk, and of puzzles in memory.
import { createHash, type Hash } from "node:crypto";
import { closeSync, existsSync, fstatSync } from "node:fs";
import { join } from "node:path";
import { openFile, readAt } from "../formats/index.node.ts";
import { CheckpointError, quoted } from "../formats/index.ts";
import { hasTestSplit, readIdentifiers } from "../puzzles/index.node.ts";
import {
  DATASET_JSON,
  IDENTIFIERS_JSON,
  identifierNames,
  type SplitField,
  type SplitName,
  splitFile,
} from "../puzzles/index.ts";
import type { Examples } from "../trm/index.ts";
import { type DataFingerprint, differenceOfData } from "./data-fingerprint.ts";
import type { RunSets } from "./run-sets.ts";

/** The fingerprint of a data set in the official layout. @throws FileError, DatasetError */
export const fingerprintOfFolder = (folder: string): DataFingerprint => ({
  train: hashOfSplit(folder, "train"),
  ...evaluationFingerprint(folder),
});

/** The parts of the fingerprint that an evaluation depends on. @throws FileError, DatasetError */
export function evaluationFingerprint(folder: string): Omit<DataFingerprint, "train"> {
  const names = readIdentifierNames(folder);
  return {
    test: hasTestSplit(folder) ? hashOfSplit(folder, "test") : null,
    identifiers: names && hashOfNames(names),
  };
}

/** The fingerprint of puzzles in memory, which all have the blank id. */
export const fingerprintOfSets = ({ train, watch, unseen }: RunSets): DataFingerprint => ({
  train: hashOfExamples([train]),
  test: hashOfExamples([watch, unseen]),
  identifiers: hashOfNames(identifierNames),
});

export interface DataCheck {
  /** Path of the puzzles, for errors. */
  readonly path: string;
  readonly actual: Partial<DataFingerprint>;
  /** The fingerprint in the run or its checkpoint. */
  readonly expected: DataFingerprint | undefined;
  readonly run: string;
}

/**
 * Checks that puzzles belong to the data set of a run. Returns a note for the user if the run stores no fingerprint.
 *
 * @throws CheckpointError for another data set
 */
export function verifyData({ path, actual, expected, run }: DataCheck): string | undefined {
  if (!expected) return `${path}: the data set cannot be verified, because ${run} stores no fingerprint of it`;
  const difference = differenceOfData(actual, expected);
  if (difference === undefined) return undefined;
  throw new CheckpointError(`${path}: is not the data set of ${run}: ${difference} differ${differentName(path, run)}`);
}

/** The first name of a puzzle id that differs from the names in a run folder. */
function differentName(path: string, run: string): string {
  const [actual, expected] = [readIdentifierNames(path), readIdentifierNames(run)];
  const id = expected?.findIndex((name, i) => name !== actual?.[i]) ?? -1;
  if (!actual || !expected || id < 0) return "";
  return ` (id ${id} is ${quoted(actual[id])}, expected ${quoted(expected[id])})`;
}

/** Names of the puzzle ids; null for a data set without names. @throws FileError, DatasetError */
export const readIdentifierNames = (folder: string): string[] | null =>
  existsSync(join(folder, IDENTIFIERS_JSON)) ? readIdentifiers(folder) : null;

const hashOfNames = (names: readonly string[]): string =>
  createHash("sha256").update(JSON.stringify(names)).digest("hex");

function hashOfExamples(sets: readonly Examples[]): string {
  const hash = createHash("sha256");
  for (const { count, length, inputs, labels } of sets) {
    hash.update(`${count} ${length}\n`).update(inputs).update(labels);
  }
  return hash.digest("hex");
}

const fields: readonly SplitField[] = ["inputs", "labels", "puzzle_identifiers", "puzzle_indices", "group_indices"];

function hashOfSplit(folder: string, split: SplitName): string {
  const hash = createHash("sha256");
  for (const name of [DATASET_JSON, ...fields.map(splitFile)]) addFile(hash, join(folder, split, name));
  return hash.digest("hex");
}

/** Hashes a file piece by piece, because it may be larger than the memory. */
function addFile(hash: Hash, path: string): void {
  const pieceSize = 2 ** 20;
  const file = openFile(path);
  try {
    const { size } = fstatSync(file);
    for (let at = 0; at < size; at += pieceSize) {
      const piece = new Uint8Array(Math.min(pieceSize, size - at));
      readAt(file, piece, at, path);
      hash.update(piece);
    }
  } finally {
    closeSync(file);
  }
}
