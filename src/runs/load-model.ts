// A trained model from bytes, with the task and the configuration that belong to it. A page gets the bytes from an upload or from
// fetch; load-run.node.ts reads them from a folder.
import * as z from "zod/mini";
import { CheckpointError, serializeSafetensors } from "../formats/index.ts";
import { choiceOf, taskChoiceSchema, taskOf } from "../puzzles/index.ts";
import { ArgumentError, expectFunction, expectInstance, expectObject, showValue } from "../tensor/index.ts";
import { type Config, type CreateModel, flattenConfig, Model, misfitOf, parseConfig, type Task } from "../trm/index.ts";
import { checkpointFormat, modelFrom, parseAs, parseJson } from "./model-files.ts";
import { exportWeights } from "./weights.ts";

/** The two files of a model. A checkpoint folder of a run holds such files under other names. */
export interface ModelFiles {
  /** config.json of a model, or checkpoint.json of a run: the JSON, as text or as bytes */
  readonly config: string | Uint8Array | ArrayBuffer;
  /** model.safetensors, or weights.safetensors or ema.safetensors of a run */
  readonly weights: Uint8Array | ArrayBuffer;
}

/** A model with its task and its settings. */
export interface LoadedModel {
  /** Release it with `model.dispose()`. */
  readonly model: Model;
  readonly task: Task;
  readonly config: Config;
  /** Training steps that the model has made; null if the files do not say so. */
  readonly step: number | null;
}

/** Names of the files of a model in a folder. */
export const modelConfigFile = "config.json";
export const modelWeightsFile = "model.safetensors";

const modelFormat = "trm-ts model";

/** The part of config.json and of checkpoint.json that a model needs. */
const modelSchema = z.object({
  format: z.enum([modelFormat, checkpointFormat]),
  version: z.literal(1),
  task: taskChoiceSchema,
  step: z.optional(z.number().check(z.int(), z.minimum(0))),
  config: z.record(z.string(), z.unknown()),
});

/** Options of `loadModel`. */
export interface LoadModelOptions {
  /** The task of the model. Default: the one that the files name. */
  readonly task?: Task | undefined;
  /** Creates a model of your own, as in the hooks of its training. Default: `new Model(...)`. */
  readonly createModel?: CreateModel | undefined;
  /** The folder of the files, which errors then name. */
  readonly folder?: string | undefined;
}

/**
 * A model from its files.
 *
 * @throws CheckpointError, ConfigError if a file is broken, or the files do not belong together
 */
export function loadModel(files: ModelFiles, options: LoadModelOptions = {}): LoadedModel {
  expectObject("loadModel", "the files", files, ["config", "weights"]);
  if (typeof files.config !== "string") expectBytes("config", files.config);
  expectBytes("weights", files.weights);
  expectObject("loadModel", "the options", options);
  const { task, createModel, folder } = options;
  if (task !== undefined) expectObject("loadModel", "the task", task, ["name", "sequenceLength", "vocabularySize"]);
  if (createModel !== undefined) expectFunction("loadModel", "createModel", createModel);
  const pathOf = (file: string): string => (folder === undefined ? file : `${folder}/${file}`);
  const [configPath, weightsPath] = [pathOf(modelConfigFile), pathOf(modelWeightsFile)];
  const about = parseAs(modelSchema, parseJson(bytesOf(files.config), configPath), configPath);
  const { step = null } = about;
  const config = parseConfig(about.config, configPath);
  const known = task ?? taskOf(about.task);
  const weights = bytesOf(files.weights);
  const model = fittedModel({ config, task: known, createModel }, weights, weightsPath);
  return { model, task: known, config, step };
}

/** A model with the weights of a file, which must fit its task. @throws CheckpointError */
export function fittedModel(
  { config, task, createModel }: Pick<LoadedModel, "config" | "task"> & Pick<LoadModelOptions, "createModel">,
  weights: Uint8Array,
  where: string,
): Model {
  expectTaskFits(task, config, where);
  return modelFrom({ config }, weights, where, createModel);
}

/** @param where  what names the task or stores the model. @throws CheckpointError if their sizes differ */
export function expectTaskFits(task: Task, { model }: Config, where: string): void {
  const misfit = misfitOf(task, model);
  if (misfit !== undefined) throw new CheckpointError(`${where}: ${misfit}`);
}

/** The files from which `loadModel` restores a model: config.json and model.safetensors. */
export async function packModel(loaded: LoadedModel): Promise<{ config: string; weights: Uint8Array }> {
  expectObject("packModel", "the model with its task", loaded, ["model", "task", "config", "step"]);
  const { model, task, config, step } = loaded;
  expectInstance("packModel", "the model", model, Model);
  expectObject("packModel", "the task", task, ["name", "sequenceLength", "vocabularySize"]);
  expectObject("packModel", "the configuration", config, ["model", "training"]);
  const about = {
    format: modelFormat,
    version: 1,
    task: choiceOf(task),
    ...(step !== null && { step }),
    config: flattenConfig(config),
  } satisfies z.input<typeof modelSchema>;
  return { config: `${JSON.stringify(about, null, 2)}\n`, weights: serializeSafetensors(await exportWeights(model)) };
}

function expectBytes(name: "config" | "weights", data: unknown): void {
  if (data instanceof Uint8Array || data instanceof ArrayBuffer) return;
  const expected = name === "config" ? "a string, a Uint8Array or an ArrayBuffer" : "a Uint8Array or an ArrayBuffer";
  throw new ArgumentError(`loadModel: got ${showValue(data)} as ${name}, expected ${expected}`);
}

function bytesOf(data: string | Uint8Array | ArrayBuffer): Uint8Array {
  if (typeof data === "string") return new TextEncoder().encode(data);
  return data instanceof Uint8Array ? data : new Uint8Array(data);
}
