// Scores ARC predictions on disk: the names and test tasks of a data set, and four .npy files with one row per prediction.
import { join } from "node:path";
import { FileSet, readBytes } from "../../formats/index.node.ts";
import {
  DatasetError,
  decodeText,
  npyToInt32,
  parseNpy,
  pythonFloat,
  pythonJson,
  serializeNpy,
} from "../../formats/index.ts";
import { readIdentifiers, readTestPuzzles } from "../official-layout/layout.node.ts";
import { DATASET_JSON, parseMetadata } from "../official-layout/layout.ts";
import { NpyRowWriter } from "../official-layout/npy-row-writer.node.ts";
import { ARC_LENGTH } from "./grid.ts";
import { type ArcScoreOptions, type ArcScores, ArcVotes, OFFICIAL_KS } from "./vote.ts";

/** Predictions of test examples, one row each. Rows with the blank identifier are padding. */
export interface ArcPredictions {
  /** [N, L] tokens of the questions */
  readonly inputs: Int32Array | Uint8Array;
  /** [N, L] predicted tokens */
  readonly preds: Int32Array | Uint8Array;
  /** [N] */
  readonly puzzleIdentifiers: Int32Array;
  /** [N] */
  readonly qHaltLogits: Float32Array | Float64Array;
}

export interface ArcScoreFiles {
  /** Data set folder (identifiers.json, test_puzzles.json, test/dataset.json). */
  readonly data: string;
  /** The predictions of one or more evaluations, which vote together. */
  readonly predictions: readonly ArcPredictions[];
  readonly ks?: readonly number[] | undefined;
  /** Number of grids per test pair in the submission. Default 2. */
  readonly attempts?: number | undefined;
}

/**
 * Scores predictions. The official code lets the predictions of all evaluations of a run vote together: pass those of every
 * evaluation to do the same.
 * @throws DatasetError if a file is broken or the predictions belong to another data set; FileError
 */
export function scoreArc({ data, predictions, ks = OFFICIAL_KS, attempts = 2 }: ArcScoreFiles): ArcScores {
  const names = readArcNames(data);
  const { sequenceLength } = names;
  const votes = new ArcVotes(names);
  for (const { inputs, preds, puzzleIdentifiers, qHaltLogits } of predictions) {
    for (const { length } of [inputs, preds]) {
      if (length === puzzleIdentifiers.length * sequenceLength) continue;
      const expected = `${puzzleIdentifiers.length} times ${sequenceLength}`;
      throw new DatasetError(`predictions of ${length} tokens, expected ${expected} as in ${data}`);
    }
    puzzleIdentifiers.forEach((identifier, at) => {
      const row = (all: Int32Array | Uint8Array) => all.subarray(at * sequenceLength, (at + 1) * sequenceLength);
      votes.add(identifier, row(inputs), row(preds), qHaltLogits[at]!);
    });
  }
  return votes.result(ks, attempts);
}

/** Reads the names and test tasks of a data set. @throws DatasetError if it is not an ARC data set; FileError */
export function readArcNames(data: string): ArcScoreOptions & { readonly sequenceLength: number } {
  const testPuzzles = readTestPuzzles(data);
  if (testPuzzles === undefined) {
    throw new DatasetError("no test_puzzles.json, expected an ARC data set", { file: data });
  }
  const json = join(data, "test", DATASET_JSON);
  const { blankIdentifier, sequenceLength } = parseMetadata(decodeText(readBytes(json), json), json);
  return { identifiers: readIdentifiers(data), blankIdentifier, sequenceLength, testPuzzles };
}

/**
 * Reads inputs.npy, preds.npy, puzzle_identifiers.npy and q_halt_logits.npy.
 * @param sequenceLength  L, the number of cells of the canvas
 * @throws DatasetError if their shapes do not match; FileError
 */
export function readArcPredictions(dir: string, sequenceLength: number = ARC_LENGTH): ArcPredictions {
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
    expectShape(array, [count, sequenceLength]);
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

/** Writes the same four files, prediction by prediction. The methods throw FileError. */
export class ArcPredictionWriter {
  readonly #files = new FileSet();
  readonly #dir: string;
  readonly #sequenceLength: number;
  readonly #inputs: NpyRowWriter;
  readonly #preds: NpyRowWriter;
  readonly #identifiers: number[] = [];
  readonly #q: number[] = [];

  /** @param sequenceLength  L, the number of cells of the canvas */
  constructor(dir: string, sequenceLength: number) {
    this.#dir = dir;
    this.#sequenceLength = sequenceLength;
    this.#inputs = new NpyRowWriter(this.#files.open(join(dir, "inputs.npy")));
    this.#preds = new NpyRowWriter(this.#files.open(join(dir, "preds.npy")));
  }

  /** @param input [L] @param prediction [L] */
  add(identifier: number, input: ArrayLike<number>, prediction: ArrayLike<number>, qHaltLogit: number): void {
    this.#inputs.write(Uint8Array.from(input));
    this.#preds.write(Uint8Array.from(prediction));
    this.#identifiers.push(identifier);
    this.#q.push(qHaltLogit);
  }

  finish(): void {
    this.#inputs.end(this.#sequenceLength);
    this.#preds.end(this.#sequenceLength);
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

/** Writes scores.json and submission.json. @throws FileError */
export function writeArcScores(dir: string, { scores, submission }: ArcScores): void {
  const lines = Object.entries(scores).map(([name, score]) => ` "${name}": ${pythonFloat(score)}`);
  const files = new FileSet();
  files.write(join(dir, "scores.json"), lines.length === 0 ? "{}\n" : `{\n${lines.join(",\n")}\n}\n`);
  files.write(join(dir, "submission.json"), pythonJson(submission));
  files.finish();
}
