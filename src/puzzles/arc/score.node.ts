/** Scores ARC predictions on disk: the data set's names and test tasks, and four .npy files with one row per prediction. */
import { join } from "node:path";
import { FileSet, readBytes, writeOutput } from "../../formats/index.node.ts";
import { DatasetError, decodeText, npyToInt32, parseNpy, pythonFloat, serializeNpy } from "../../formats/index.ts";
import { ARC_LENGTH, type ArcScoreOptions, type ArcScores, ArcVotes, formatSubmission, OFFICIAL_KS } from "../arc.ts";
import { readIdentifiers, readTestPuzzles } from "../official-layout/layout.node.ts";
import { DATASET_JSON, parseMetadata } from "../official-layout/layout.ts";
import { NpyRowWriter } from "../official-layout/npy-row-writer.node.ts";

/** Predictions of test examples: one row each, padding rows with the blank identifier allowed. */
export interface ArcPredictions {
  /** [N, 900] the questions as tokens */
  readonly inputs: Int32Array | Uint8Array;
  /** [N, 900] the predicted tokens */
  readonly preds: Int32Array | Uint8Array;
  /** [N] */
  readonly puzzleIdentifiers: Int32Array;
  /** [N] */
  readonly qHaltLogits: Float32Array | Float64Array;
}

export interface ArcScoreFiles {
  /** Data set folder (identifiers.json, test_puzzles.json, test/dataset.json). */
  readonly data: string;
  readonly predictions: ArcPredictions;
  readonly ks?: readonly number[] | undefined;
  /** Grids per test pair in the submission. Default 2. */
  readonly attempts?: number | undefined;
}

/** @throws DatasetError if a file is missing or broken, or the predictions are not for this data set. */
export function scoreArc({ data, predictions, ks = OFFICIAL_KS, attempts = 2 }: ArcScoreFiles): ArcScores {
  const votes = new ArcVotes(readArcNames(data));
  const { inputs, preds, puzzleIdentifiers, qHaltLogits } = predictions;
  puzzleIdentifiers.forEach((identifier, at) => {
    const row = (all: Int32Array | Uint8Array) => all.subarray(at * ARC_LENGTH, (at + 1) * ARC_LENGTH);
    votes.add(identifier, row(inputs), row(preds), qHaltLogits[at]!);
  });
  return votes.result(ks, attempts);
}

/** What voting needs to know of an ARC data set. @throws DatasetError if it is no such set. */
export function readArcNames(data: string): ArcScoreOptions {
  const testPuzzles = readTestPuzzles(data);
  if (testPuzzles === undefined)
    throw new DatasetError("no test_puzzles.json, expected an ARC data set", { file: data });
  const json = join(data, "test", DATASET_JSON);
  const { blankIdentifier } = parseMetadata(decodeText(readBytes(json), json), json);
  return { identifiers: readIdentifiers(data), blankIdentifier, testPuzzles };
}

/** inputs.npy, preds.npy, puzzle_identifiers.npy, q_halt_logits.npy. @throws DatasetError if they do not fit together. */
export function readArcPredictions(dir: string): ArcPredictions {
  const read = (name: string) => {
    const file = join(dir, `${name}.npy`);
    return { file, ...parseNpy(readBytes(file), file) };
  };
  const identifiers = read("puzzle_identifiers");
  const count = identifiers.shape[0];
  const expectShape = ({ file, shape }: { file: string; shape: readonly number[] }, expected: readonly unknown[]) => {
    if (shape.join() === expected.join()) return;
    throw new DatasetError(`shape [${shape.join(", ")}], expected [${expected.join(", ")}]`, { file });
  };
  expectShape(identifiers, [count ?? "predictions"]);
  const tokens = (name: string) => {
    const array = read(name);
    expectShape(array, [count, ARC_LENGTH]);
    return array.data instanceof Uint8Array ? array.data : npyToInt32(array, array.file);
  };
  const q = read("q_halt_logits");
  expectShape(q, [count]);
  if (!(q.data instanceof Float32Array || q.data instanceof Float64Array)) {
    throw new DatasetError(`dtype ${q.dtype}, expected floats`, { file: q.file });
  }
  return {
    inputs: tokens("inputs"),
    preds: tokens("preds"),
    puzzleIdentifiers: npyToInt32(identifiers, identifiers.file),
    qHaltLogits: q.data,
  };
}

/** Writes the same four files, prediction by prediction. @throws DatasetError */
export class ArcPredictionWriter {
  readonly #files = new FileSet();
  readonly #dir: string;
  readonly #inputs: NpyRowWriter;
  readonly #preds: NpyRowWriter;
  readonly #identifiers: number[] = [];
  readonly #q: number[] = [];

  constructor(dir: string) {
    this.#dir = dir;
    this.#inputs = new NpyRowWriter(this.#files.open(join(dir, "inputs.npy")));
    this.#preds = new NpyRowWriter(this.#files.open(join(dir, "preds.npy")));
  }

  /** @param input [900] @param prediction [900] */
  add(identifier: number, input: ArrayLike<number>, prediction: ArrayLike<number>, qHaltLogit: number): void {
    this.#inputs.write(Uint8Array.from(input));
    this.#preds.write(Uint8Array.from(prediction));
    this.#identifiers.push(identifier);
    this.#q.push(qHaltLogit);
  }

  finish(): void {
    this.#inputs.end(ARC_LENGTH);
    this.#preds.end(ARC_LENGTH);
    const count = this.#identifiers.length;
    const column = (name: string, numbers: Int32Array | Float32Array) =>
      this.#files.write(join(this.#dir, `${name}.npy`), serializeNpy(numbers, [count]));
    column("puzzle_identifiers", Int32Array.from(this.#identifiers));
    column("q_halt_logits", Float32Array.from(this.#q));
    this.#files.finish();
  }

  abandon(): void {
    this.#files.abandon();
  }
}

/** scores.json and submission.json. @throws DatasetError */
export function writeArcScores(dir: string, { scores, submission }: ArcScores): void {
  const lines = Object.entries(scores).map(([name, score]) => ` "${name}": ${pythonFloat(score)}`);
  writeOutput(join(dir, "scores.json"), `{\n${lines.join(",\n")}\n}\n`);
  writeOutput(join(dir, "submission.json"), formatSubmission(submission));
}
