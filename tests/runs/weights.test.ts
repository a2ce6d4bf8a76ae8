/** Loaders of weights refuse NaN and infinity. */
import { expect, it } from "vitest";
import { parseSafetensors, serializePt, serializeSafetensors, type WritableTensor } from "../../src/formats/index.ts";
import { packCheckpoint, parseSide, restoreTraining, sideFile } from "../../src/runs/checkpoint.ts";
import { parseWeights } from "../../src/runs/exchange/weights-file.ts";
import { modelFrom } from "../../src/runs/model-files.ts";
import { exportWeights, importWeights } from "../../src/runs/weights.ts";
import { Random } from "../../src/tensor/index.ts";
import { Model } from "../../src/trm/index.ts";
import { aboutCheckpoint, tinyConfig, tinyTraining } from "./tiny-run.ts";

const config = tinyConfig({ puzzleEmbeddingSize: 8, puzzleSlots: 1 });
const model = new Model(config.model, new Random(1));
const names = [...(await exportWeights(model)).keys()];

async function spoiled(name: string, value: number): Promise<Map<string, WritableTensor>> {
  const tensors = await exportWeights(model);
  const { shape, data } = tensors.get(name)!;
  const changed = Float32Array.from(data as Float32Array);
  changed[changed.length - 1] = value;
  return tensors.set(name, { shape, data: changed });
}

it.each(names)("importing weights refuses NaN and infinity in %s and leaves the model unchanged", async (name) => {
  const before = await exportWeights(model);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const tensors = await spoiled(name, value);
    const message = new RegExp(`^w: tensor "${name}" contains ${value} \\(number (\\d+) of \\1\\), expected finite`);
    expect(() => importWeights(model, parseSafetensors(serializeSafetensors(tensors)), "w")).toThrow(message);
    expect(() => importWeights(model, parseWeights(serializePt(tensors), "w"), "w")).toThrow(message);
  }
  expect(await exportWeights(model)).toEqual(before);
});

it("loading a model or a training from a checkpoint refuses NaN in weights, average and moments", async () => {
  const training = tinyTraining(config);
  const files = await packCheckpoint(training, aboutCheckpoint);
  const side = parseSide(files.get(sideFile)!, sideFile);
  const name = "inner.lm_head.weight";
  const bytes = serializeSafetensors(await spoiled(name, Number.NaN));
  expect(() => modelFrom(side, bytes, "w")).toThrow(`w: tensor "${name}" contains NaN`);
  for (const file of ["weights.safetensors", "ema.safetensors"]) {
    expect(() => restoreTraining(training, side, new Map(files).set(file, bytes), "c")).toThrow(
      `c/${file}: tensor "${name}" contains NaN`,
    );
  }
  const { tensors } = parseSafetensors(files.get("training.safetensors")!);
  const moment = [...tensors.keys()].find((key) => key.startsWith("optimizer/"))!;
  (tensors.get(moment)!.data as Float32Array)[0] = Number.NaN;
  const moments = serializeSafetensors(tensors as ReadonlyMap<string, WritableTensor>);
  expect(() => restoreTraining(training, side, new Map(files).set("training.safetensors", moments), "c")).toThrow(
    `c/training.safetensors: tensor "${moment}" contains NaN`,
  );
  training.dispose();
});
