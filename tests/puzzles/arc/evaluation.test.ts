// The evaluation of an ARC data set: its predictions do not depend on the size of the batches.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { buildArcFiles, evaluateArc } from "../../../src/puzzles/index.node.ts";
import { taskOf } from "../../../src/puzzles/index.ts";
import { Random } from "../../../src/tensor/index.ts";
import { Model, parseConfig } from "../../../src/trm/index.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-arc-evaluation-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const prefix = fileURLToPath(new URL("../../fixtures/parity/datasets/arc/json/arc-agi", import.meta.url));

it("a model with random starts and path noise has the same predictions with batches of any size", async () => {
  const data = join(folder, "data");
  await buildArcFiles({ prefix, subsets: ["training"], testSet: "training", side: 12, augment: 3, out: data });
  const { vocabularySize, sequenceLength } = taskOf({ name: "arc", side: 12 });
  const size = { vocabularySize, sequenceLength, hiddenSize: 8, heads: 1, widthMultiple: 8, layers: 1, T: 1, n: 1 };
  const { model: settings } = parseConfig({ ...size, mixer: "attention", randomStarts: true, pathNoiseBeta: 0.1 });
  const model = new Model(settings, new Random(1));
  const predictionsOf = async (batchSize: number): Promise<string[]> => {
    const out = join(folder, `batches-of-${batchSize}`);
    const { predictions } = await evaluateArc(model, { data, out, nSup: 2, batchSize });
    expect(predictions).toBeGreaterThan(batchSize);
    return readdirSync(out)
      .sort()
      .map((name) => `${name} ${readFileSync(join(out, name), "hex")}`);
  };
  const all = await predictionsOf(3);
  expect(all.length).toBeGreaterThan(1);
  expect((await predictionsOf(2)).every((file, i) => file === all[i])).toBe(true);
  model.dispose();
});
