/** Input of `trm import`: weights, their average, the configuration and the puzzles, from files of the official code. */
import { existsSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { readBytes } from "../../formats/index.node.ts";
import { DatasetError, quoted, type SafetensorsFile } from "../../formats/index.ts";
import { readDataMetadata } from "../../puzzles/index.node.ts";
import {
  DATASET_JSON,
  decodeSplit,
  type PuzzleSplit,
  type TaskChoice,
  taskChoiceSchema,
  toExamples,
} from "../../puzzles/index.ts";
import { type Config, ConfigError, type Examples, officialPuzzleTable, type Task } from "../../trm/index.ts";
import { type DataFingerprint, fingerprintSchema } from "../data-fingerprint.ts";
import { examplesPerEpoch } from "../epochs.ts";
import type { RunSets } from "../run-sets.ts";
import { parseOfficialConfig } from "./config-file.ts";
import { exportedAverage, exportedConfig } from "./export.node.ts";
import { fromOfficialConfig, sectionOf } from "./official-config.ts";
import type { Settings } from "./records.ts";
import { parseWeights, type WeightsFile } from "./weights-file.ts";

/** @throws CheckpointError, FileError */
export const readWeights = (path: string): WeightsFile => parseWeights(readBytes(path), path);

/** Path of the averaged weights next to a file of weights, under the name that the export gives them. */
export function averageBeside(weights: string): string | undefined {
  const path = join(dirname(weights), exportedAverage);
  return path !== weights && existsSync(path) ? path : undefined;
}

/** A configuration file whose settings have not been validated yet. */
export interface ConfigFile {
  readonly path: string;
  readonly settings: Settings;
  /** Task of the exported run, without its module; undefined for a file that is not part of an export. */
  readonly task: TaskChoice | undefined;
  /** Module of that task. It is not imported, because a configuration must not name a program to run. */
  readonly module: string | undefined;
  /** Augmentation of the exported run; false for a file that is not part of an export. */
  readonly augment: boolean;
  /** Data set of the exported run; undefined for a file that is not part of an export, or for generated puzzles. */
  readonly data: DataFingerprint | undefined;
}

/** Reads the given configuration file, or else the one next to the weights. @throws ConfigError */
export function readOfficialConfig(given: string | undefined, weights: string): ConfigFile {
  const beside = [exportedConfig, "all_config.yaml"].map((name) => join(dirname(weights), name));
  const path = given ?? beside.find((each) => existsSync(each));
  if (path === undefined) {
    throw new ConfigError(
      `${weights}: no --config was given, and the folder contains no ${exportedConfig} or all_config.yaml`,
    );
  }
  const settings = parseOfficialConfig(new TextDecoder().decode(readBytes(path)), path);
  const { task, augment, data } = sectionOf(settings);
  const choice = task === undefined ? undefined : taskChoiceSchema.safeParse(task);
  if (choice && !choice.success) {
    throw new ConfigError(`${path}: trm_ts.task: got ${quoted(task, 160)}, expected a task of trm-ts`);
  }
  const { module, ...named } = choice?.data ?? {};
  return {
    path,
    settings,
    task: choice && (named as TaskChoice),
    module,
    augment: augment === true,
    data: fingerprintSchema.safeParse(data).data,
  };
}

/**
 * The configuration for a task. Sizes that the official code reads from its data come from the task and the weights.
 *
 * @param data  folder of the training data, which determines the number of steps of an epoch
 */
export function configFor(
  { path, settings }: ConfigFile,
  task: Task,
  weights: SafetensorsFile,
  data: string | undefined,
): Config {
  const { vocabularySize, sequenceLength } = task;
  const table = weights.tensors.get(officialPuzzleTable);
  const known = { vocabularySize, sequenceLength, puzzleIds: table?.shape[0] ?? 1 };
  const examples = data === undefined ? undefined : examplesPerEpoch(readDataMetadata(data));
  const config = fromOfficialConfig(settings, path, known, examples);
  for (const key of ["vocabularySize", "sequenceLength"] as const) {
    if (config.model[key] !== task[key]) {
      throw new ConfigError(`${path}: ${key}: got ${config.model[key]}, ${task.name} has ${task[key]}`);
    }
  }
  return config;
}

/** Folder of the data set that a configuration names, if it exists. */
export function dataOf({ path, settings }: ConfigFile): string | undefined {
  const first: unknown = Array.isArray(settings.data_paths) ? settings.data_paths[0] : settings.data_path;
  if (typeof first !== "string") return undefined;
  const folder = isAbsolute(first) ? first : join(dirname(path), first);
  return existsSync(join(folder, "train")) ? folder : undefined;
}

/** Whether `trm export` wrote a data set: only an exported one has a folder "watch". */
export const isExported = (folder: string): boolean => existsSync(join(folder, "watch", DATASET_JSON));

/**
 * Reads the puzzles of an exported data set, without augmented copies.
 *
 * @throws DatasetError for a broken data set or one of another task
 */
export function readRunSets(folder: string, task: Task): RunSets {
  const read = (name: string): Examples => {
    const where = join(folder, name);
    const split: PuzzleSplit = decodeSplit((file) => readBytes(join(where, file)), where);
    const { sequenceLength, vocabularySize } = split.metadata;
    if (sequenceLength !== task.sequenceLength || vocabularySize !== task.vocabularySize) {
      throw new DatasetError(
        `${sequenceLength} cells and ${vocabularySize} tokens, expected ${task.sequenceLength} and ${task.vocabularySize} for ${task.name}`,
        { file: where },
      );
    }
    return toExamples(split);
  };
  return { train: read("train"), watch: read("watch"), unseen: read("test") };
}
