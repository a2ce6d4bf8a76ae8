// Weights of a model to and from safetensors, under the official code's names.

import {
  CheckpointError,
  quoted,
  type SafetensorsEntry,
  type SafetensorsFile,
  toFloat32,
  type WritableTensor,
} from "../formats/index.ts";
import {
  assign,
  expectInstance,
  expectObject,
  type Shape,
  sameShape,
  showShape,
  type Tensor,
} from "../tensor/index.ts";
import { Model, officialPuzzleTable, officialStateName, officialWeightName } from "../trm/index.ts";

/** The tensors of a model that a checkpoint stores, by official name: parameters, initial states, puzzle table. */
export function* officialTensors(model: Model): Iterable<[name: string, tensor: Tensor]> {
  const onlyY = model.config.recursion === "direct";
  for (const [name, { value }] of model.namedParameters()) yield [officialWeightName(name, onlyY), value];
  for (const [latent, vector] of model.initial) yield [officialStateName(latent).initial, vector];
  if (model.puzzleEmbedding) yield [officialPuzzleTable, model.puzzleEmbedding.table];
}

/** The weights of a model under the official names, ready to be written to a file. */
export async function exportWeights(model: Model): Promise<Map<string, WritableTensor>> {
  expectInstance("exportWeights", "the model", model, Model);
  const result = new Map<string, WritableTensor>();
  for (const [name, tensor] of officialTensors(model)) {
    result.set(name, { shape: tensor.shape, data: (await tensor.data()) as Float32Array });
  }
  return result;
}

/**
 * Sets every tensor of the model from a file. The whole file is validated before the model is changed.
 *
 * @throws CheckpointError that names a tensor which is missing or unknown, has another shape, or contains NaN or infinity
 */
export function importWeights(model: Model, file: SafetensorsFile, where: string): void {
  expectInstance("importWeights", "the model", model, Model);
  expectObject("importWeights", "the file", file, ["tensors"]);
  for (const { tensor, values } of weightsFrom(model, file, where)) assign(tensor, values);
}

/** A tensor of a model, and the numbers that a file has for it. */
interface TensorValues {
  readonly tensor: Tensor;
  readonly values: Float32Array;
}

/** Every tensor of the model with its numbers in a file. The model is not changed. @throws CheckpointError as importWeights */
export function weightsFrom(model: Model, file: SafetensorsFile, where: string): TensorValues[] {
  const known = new Map(officialTensors(model));
  const unknown = [...file.tensors.keys()].find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new CheckpointError(
      `${where}: unknown tensor ${quoted(unknown, 80)}, expected only those of the model (a model of your own is loaded with createModel)`,
    );
  }
  return [...known].map(([name, tensor]) => ({
    tensor,
    values: finiteFloats(name, entryOf(file, name, tensor.shape, where), where),
  }));
}

/** A tensor of a file. @throws CheckpointError if the file has none of this name and shape */
export function entryOf(file: SafetensorsFile, name: string, shape: Shape, where: string): SafetensorsEntry {
  const entry = file.tensors.get(name);
  if (!entry) throw new CheckpointError(`${where}: no tensor "${name}", expected one of shape ${showShape(shape)}`);
  if (sameShape(entry.shape, shape)) return entry;
  throw new CheckpointError(
    `${where}: tensor "${name}" has shape ${showShape(entry.shape)}, expected ${showShape(shape)}`,
  );
}

/** The numbers of a tensor from a file. @throws CheckpointError if one of them is NaN or infinite */
export function finiteFloats(name: string, entry: SafetensorsEntry, where: string): Float32Array {
  const values = toFloat32(name, entry);
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return values;
  throw new CheckpointError(
    `${where}: tensor ${quoted(name, 80)} contains ${values[at]} (number ${at + 1} of ${values.length}), expected finite numbers`,
  );
}
