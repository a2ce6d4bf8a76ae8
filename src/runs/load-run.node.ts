// Loads the model of a run, or of a folder with config.json and model.safetensors, for prediction and evaluation.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readBytes } from "../formats/index.node.ts";
import { CheckpointError, quoted } from "../formats/index.ts";
import { resolveTask } from "../puzzles/index.node.ts";
import { choiceOf, type TaskChoice } from "../puzzles/index.ts";
import { ArgumentError, expectObject, expectString, showValue } from "../tensor/index.ts";
import { averageFile, type CheckpointSide, evaluatedFile, weightsFile } from "./checkpoint.ts";
import { type CheckpointChoice, checkpointChoices, readCheckpoint } from "./checkpoint-folder.node.ts";
import type { DataFingerprint } from "./data-fingerprint.ts";
import {
  fittedModel,
  type LoadedModel,
  type LoadModelOptions,
  loadModel,
  modelConfigFile,
  modelWeightsFile,
} from "./load-model.ts";

/** A choice, or the name or path of a checkpoint folder. */
export type CheckpointPlace = CheckpointChoice | (string & {});

/** Options of `loadRun`. */
export interface LoadRunOptions extends Omit<LoadModelOptions, "folder"> {
  /** Which checkpoint of a run: the last one (default), the best one, or the name or path of its folder. */
  readonly checkpoint?: CheckpointPlace | undefined;
  /**
   * The moving average of the weights, or the weights of the last step. Default: the average if the run has one. A folder with
   * config.json and model.safetensors holds a single set of weights, which cannot be chosen.
   */
  readonly weights?: "averaged" | "raw" | undefined;
  /** Path of the module that defines the task, if the run names none or the module has been moved. */
  readonly taskModule?: string | undefined;
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

/** Whether a folder holds a model with its configuration, as `weights/sudoku6` does, instead of a run. */
export const isModelFolder = (folder: string): boolean =>
  existsSync(join(folder, modelWeightsFile)) && existsSync(join(folder, modelConfigFile));

/**
 * Loads a model with its task and its configuration.
 *
 * @param folder  a run folder, a checkpoint folder, or a folder with config.json and model.safetensors
 * @throws CheckpointError, FileError, ConfigError
 */
export async function loadRun(folder: string, options: LoadRunOptions = {}): Promise<LoadedRun> {
  expectString("loadRun", "the folder", folder);
  expectObject("loadRun", "the options", options);
  const { checkpoint = "last", weights } = options;
  expectString("loadRun", "checkpoint", checkpoint);
  if (weights !== undefined && weights !== "raw" && weights !== "averaged") {
    throw new ArgumentError(`loadRun: got ${showValue(weights)} as weights, expected "raw" or "averaged"`);
  }
  if (isModelFolder(folder)) {
    expectOnlyWeights(folder, checkpoint, weights);
    const files = {
      config: readBytes(join(folder, modelConfigFile)),
      weights: readBytes(join(folder, modelWeightsFile)),
    };
    const stored = loadModel(files, { ...options, folder });
    const own = options.taskModule && (await resolveTask(choiceOf(stored.task), options.taskModule));
    const loaded = own ? { ...stored, task: own.task } : stored;
    return { ...loaded, path: folder, choice: choiceOf(loaded.task), data: undefined };
  }
  const { path: place, choice } = placeOfCheckpoint(folder, checkpoint);
  const needed = (read: CheckpointSide): string[] => {
    if (weights === "averaged" && evaluatedFile(read) !== averageFile) {
      throw new CheckpointError(`${folder}: has no averaged weights (emaRate 0), expected weights "raw"`);
    }
    return [weights === "raw" ? weightsFile : evaluatedFile(read)];
  };
  const { side, files, path } = readCheckpoint(
    place,
    needed,
    choice,
    "--checkpoint best or last, or the path of its folder",
  );
  const { config, step, data } = side;
  const [[name, bytes]] = [...files] as [[string, Uint8Array]];
  const task = options.task ?? (await resolveTask(side.task, options.taskModule)).task;
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

/** The best and the last weights of a folder with a model are its only ones. @throws CheckpointError for any other choice */
function expectOnlyWeights(folder: string, checkpoint: CheckpointPlace, weights: LoadRunOptions["weights"]): void {
  const problem = !checkpointChoices.some((choice) => choice === checkpoint)
    ? `got the checkpoint ${quoted(checkpoint)}, expected "best" or "last"`
    : weights !== undefined
      ? `expected a run or a checkpoint to choose the ${weights} ones`
      : undefined;
  if (problem !== undefined) throw new CheckpointError(`${folder}: holds a single set of weights, ${problem}`);
}

/** The folder in which a checkpoint is looked for, and which one of it. */
export function placeOfCheckpoint(
  folder: string,
  checkpoint: CheckpointPlace,
): { path: string; choice: CheckpointChoice } {
  const choice = checkpointChoices.find((one) => one === checkpoint);
  if (choice !== undefined) return { path: folder, choice };
  const inside = join(folder, checkpoint);
  return { path: existsSync(inside) ? inside : checkpoint, choice: "last" };
}
