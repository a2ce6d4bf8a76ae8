// What the files of a trained model and those of a checkpoint have in common: JSON with settings, and weights that become a model.
// A page that only solves puzzles needs this module but not the training that checkpoint.ts saves and restores.
import type * as z from "zod/mini";
import { CheckpointError, parseSafetensors } from "../formats/index.ts";
import { expectInstance, Random } from "../tensor/index.ts";
import { type Config, type CreateModel, fullLength, inEnglish, issueText, Model, weightCount } from "../trm/index.ts";
import { importWeights } from "./weights.ts";

/** The field `format` of a checkpoint's JSON file. */
export const checkpointFormat = "trm-ts checkpoint";

/** Parses JSON from bytes. @param where  name of the file for errors. @throws CheckpointError */
export function parseJson(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new CheckpointError(`${where}: not JSON in UTF-8 (truncated?)`);
  }
}

/** The value that a schema reads from JSON. @throws CheckpointError that names the field which is wrong */
export function parseAs<S extends z.ZodMiniType>(schema: S, value: unknown, where: string): z.output<S> {
  const parsed = schema.safeParse(value, inEnglish);
  if (parsed.success) return parsed.data;
  throw new CheckpointError(`${where}: ${issueText(parsed.error)}`);
}

/** Numbers that every model may hold besides its weights: tables of positions, initial latents, lists of updates. */
const mostBeside = 2 ** 22;

/**
 * An untrusted configuration must not make a model allocate more than the size of its weights.
 *
 * @throws CheckpointError
 */
export function expectEnoughBytes({ model }: Config, bytes: Uint8Array, where: string): void {
  const bytesPerWeight = 2; // of the smallest floating-point type
  const count = weightCount(model);
  if (!(bytesPerWeight * count <= bytes.length)) {
    throw new CheckpointError(`${where}: ${bytes.length} bytes, too few for the ${count} weights of the configuration`);
  }
  const { positions, recursion, n, hiddenSize, heads } = model;
  const tables = positions.startsWith("rotary") ? (2 * fullLength(model) * hiddenSize) / heads : 0;
  const updates = recursion === "multiZ" ? n * hiddenSize : n;
  if (tables + updates <= mostBeside + bytes.length) return;
  throw new CheckpointError(
    `${where}: ${bytes.length} bytes, too few for the ${fullLength(model)} positions and n = ${n} of the configuration`,
  );
}

/** Creates a model with the weights of a file. @param createModel  creates a model of your own. @throws CheckpointError */
export function modelFrom(
  { config }: { readonly config: Config },
  bytes: Uint8Array,
  where: string,
  createModel?: CreateModel,
): Model {
  const file = parseSafetensors(bytes, where);
  if (!createModel) expectEnoughBytes(config, bytes, where);
  const random = new Random(0);
  const model = createModel ? createModel(config.model, random) : new Model(config.model, random);
  expectInstance("createModel", "the result", model, Model);
  try {
    importWeights(model, file, where);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}
