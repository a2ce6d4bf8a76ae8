// ARC predictions on disk are scored as the official evaluator scores them.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DatasetError } from "../../../src/formats/index.ts";
import { serializeNpy } from "../../../src/formats/npy.ts";
import {
  ArcPredictionWriter,
  readArcPredictions,
  scoreArc,
  writeArcScores,
} from "../../../src/puzzles/arc/score.node.ts";

const arc = fileURLToPath(new URL("../../fixtures/parity/datasets/arc/", import.meta.url));
const data = join(arc, "npy");
const evaluator = join(arc, "evaluator");
let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), "trm-arc-"));
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

it("the predictions of the official evaluator get its scores and its files", () => {
  writeArcScores(out, scoreArc({ data, predictions: [readArcPredictions(evaluator)], ks: [1, 2, 5, 10] }));
  const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
  expect(json(join(out, "scores.json"))).toEqual(json(join(evaluator, "expected.json")));
  expect(readFileSync(join(out, "submission.json"), "utf8")).toBe(
    readFileSync(join(evaluator, "submission.json"), "utf8"),
  );
});

it("predictions are written and read back", () => {
  const predictions = readArcPredictions(evaluator);
  const { inputs, preds, puzzleIdentifiers, qHaltLogits } = predictions;
  const writer = new ArcPredictionWriter(out, 900);
  puzzleIdentifiers.forEach((id, at) => {
    const [from, to] = [900 * at, 900 * at + 900];
    writer.add(id, inputs.subarray(from, to), preds.subarray(from, to), qHaltLogits[at]!);
  });
  writer.finish();
  expect(readArcPredictions(out)).toEqual(predictions);
  for (const name of ["inputs", "preds", "puzzle_identifiers", "q_halt_logits"]) {
    const [ours, theirs] = [out, evaluator].map((dir) => readFileSync(join(dir, `${name}.npy`)));
    expect(Buffer.compare(ours!, theirs!)).toBe(0);
  }
});

it.each([
  ["preds", new Uint8Array(899 * 49), [49, 899], "preds.npy: shape [49, 899], expected [49, 900]"],
  ["q_halt_logits", new Float32Array(3), [3], "q_halt_logits.npy: shape [3], expected [49]"],
  ["q_halt_logits", new Int32Array(49), [49], "q_halt_logits.npy: dtype <i4, expected floats"],
  ["puzzle_identifiers", new Int32Array(4), [2, 2], "puzzle_identifiers.npy: shape [2, 2], expected [2]"],
] as const)("a file %s of another shape or type is refused", (name, array, shape, message) => {
  cpSync(evaluator, out, { recursive: true });
  writeFileSync(join(out, `${name}.npy`), serializeNpy(array, shape));
  expect(() => readArcPredictions(out)).toThrow(DatasetError);
  expect(() => readArcPredictions(out)).toThrow(message);
});

it("predictions on a canvas of another side are refused", () => {
  const predictions = readArcPredictions(evaluator);
  expect(() => readArcPredictions(evaluator, 144)).toThrow("inputs.npy: shape [49, 900], expected [49, 144]");
  const cut = { ...predictions, preds: predictions.preds.subarray(0, 49 * 144) };
  expect(() => scoreArc({ data, predictions: [cut] })).toThrow(
    `predictions of 7056 tokens, expected 49 times 900 as in ${data}`,
  );
});

it("a data set of another kind and predictions of another data set are refused", () => {
  const predictions = readArcPredictions(evaluator);
  expect(() => scoreArc({ data: out, predictions: [predictions] })).toThrow(
    "no test_puzzles.json, expected an ARC data set",
  );
  expect(() => scoreArc({ data: join(arc, "npy_noaug"), predictions: [predictions] })).toThrow(
    /puzzle identifier \d+, expected 0 to 12/,
  );
});
