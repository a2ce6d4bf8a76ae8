// Loads the model of a run, or of a folder with config.json and model.safetensors, for prediction and evaluation.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readBytes } from "../formats/index.node.ts";
import { CheckpointError } from "../formats/index.ts";
import { choiceOf, type TaskChoice, taskOf } from "../puzzles/index.ts";
import { averageFile, type CheckpointSide, evaluatedFile, weightsFile } from "./checkpoint.ts";
import { checkpointChoices, readCheckpoint } from "./checkpoint-folder.node.ts";
import type { DataFingerprint } from "./data-fingerprint.ts";
import {
  fittedModel,
  type LoadedModel,
  type LoadModelOptions,
  loadModel,
  modelConfigFile,
  modelWeightsFile,
} from "./load-model.ts";

/** Options of `loadRun`. */
export interface LoadRunOptions extends LoadModelOptions {
  /** Which checkpoint of a run: the last one (default), the best one, or the name or path of its folder. */
  readonly checkpoint?: "last" | "best" | (string & {}) | undefined;
  /** The moving average of the weights, or the weights of the last step. Default: the average if the run has one. */
  readonly weights?: "averaged" | "raw" | undefined;
}

/** A loaded run. */
export interface LoadedRun extends LoadedModel {
  /** Path of the folder that holds the weights. */
  readonly path: string;
  /** The task as the run stores it. */
  readonly choice: TaskChoice;
  /** The data set that the model was trained on; undefined if it is not recorded. */
  readonly data: DataFingerprint | undefined;
}

/**
 * Loads a model with its task and its configuration.
 *
 * @param folder  a run folder, a checkpoint folder, or a folder with config.json and model.safetensors
 * @throws CheckpointError, FileError, ConfigError
 */
export async function loadRun(folder: string, options: LoadRunOptions = {}): Promise<LoadedRun> {
  const { checkpoint = "last", weights } = options;
  if (existsSync(join(folder, modelWeightsFile)) && existsSync(join(folder, modelConfigFile))) {
    const files = {
      config: readBytes(join(folder, modelConfigFile)),
      weights: readBytes(join(folder, modelWeightsFile)),
    };
    const loaded = loadModel(files, options);
    return { ...loaded, path: folder, choice: choiceOf(loaded.task), data: undefined };
  }
  const choice = checkpointChoices.find((one) => one === checkpoint);
  const inside = join(folder, checkpoint);
  const named = existsSync(inside) ? inside : checkpoint;
  const needed = (read: CheckpointSide): string[] => {
    if (weights === "averaged" && evaluatedFile(read) !== averageFile) {
      throw new CheckpointError(`${folder}: has no averaged weights (emaRate 0), expected weights "raw"`);
    }
    return [weights === "raw" ? weightsFile : evaluatedFile(read)];
  };
  const { side, files, path } = readCheckpoint(choice === undefined ? named : folder, needed, choice);
  const { config, step, data } = side;
  const [[name, bytes]] = [...files] as [[string, Uint8Array]];
  const task = options.task ?? taskOf(side.task);
  return {
    model: fittedModel({ config, task, createModel: options.createModel }, bytes, join(path, name)),
    task,
    config,
    step,
    path,
    choice: side.task,
    data,
  };
}
