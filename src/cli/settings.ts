// The configuration of a new run: the preset, then the configuration file, then --set. Later sources override earlier ones.
import { extname } from "node:path";
import { parse as parseYaml } from "yaml";
import { readBytes } from "../formats/index.node.ts";
import { decodeText, duplicateKey, quoted } from "../formats/index.ts";
import type { InitialWeights } from "../runs/index.node.ts";
import { isOfficialForm, type Preset, readOfficialSettings, stepsOfEpochs } from "../runs/index.ts";
import {
  type Config,
  ConfigError,
  configKeys,
  flattenConfig,
  modelKeys,
  ownSettings,
  parseConfig,
  type Task,
} from "../trm/index.ts";
import { UsageError } from "./explain.ts";
import { oneLine } from "./format.ts";

export interface SettingSource {
  /** Names the source in error messages. */
  readonly where: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Length of the training, which becomes totalSteps. */
  readonly epochs?: number | undefined;
  /** An official file determines all settings, or those of the model, so that a preset must not change them. */
  readonly determines?: "all" | "model";
  /** Settings that the source derives from others, which later sources may have changed. */
  readonly derive?: (settings: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
}

/**
 * @param sources  later sources override earlier ones
 * @param examplesPerEpoch  size of the training set, which converts epochs to steps
 * @throws ConfigError naming the source and the key
 */
export function mergeSettings(sources: readonly SettingSource[], task: Task, examplesPerEpoch?: number): Config {
  const { settings: merged, from, epochs } = merge(sources);
  const { sequenceLength, vocabularySize, columns } = task;
  const ofTask = { sequenceLength, vocabularySize, ...(merged.positions === "rotary2d" && { columns }) };
  for (const [key, value] of Object.entries(ofTask)) {
    if (key in merged && merged[key] !== value) {
      throw new ConfigError(`${from.get(key)}: ${key}: got ${quoted(merged[key], 160)}, ${task.name} has ${value}`);
    }
  }
  const sourceOf = (key: string): string => from.get(key) ?? "settings";
  if (merged.positions === "rotary2d" && task.rows === 1) {
    throw new ConfigError(
      `${sourceOf("positions")}: positions: got "rotary2d", ${task.name} has a single row of cells`,
    );
  }
  const config = parseConfig({ ...merged, ...ofTask }, "settings", sourceOf);
  if (epochs === undefined || examplesPerEpoch === undefined) return config;
  const totalSteps = stepsOfEpochs(epochs, examplesPerEpoch, config.training.batchSize);
  return { ...config, training: { ...config.training, totalSteps } };
}

interface Merged {
  readonly settings: Readonly<Record<string, unknown>>;
  /** The source of every key. */
  readonly from: ReadonlyMap<string, string>;
  /** Undefined if the number of steps is a setting. */
  readonly epochs: number | undefined;
}

function merge(sources: readonly SettingSource[]): Merged {
  const merged: Record<string, unknown> = {};
  const from = new Map<string, string>();
  let epochs: number | undefined;
  for (const source of sources) {
    for (const [key, value] of Object.entries(ownSettings(source.settings, source.where))) {
      merged[key] = value;
      from.set(key, source.where);
      if (key === "totalSteps") epochs = undefined;
    }
    if (source.epochs === undefined) continue;
    epochs = source.epochs;
    from.set("totalSteps", source.where);
  }
  for (const { where, derive } of sources) {
    for (const [key, value] of Object.entries(derive?.(merged) ?? {})) if (from.get(key) === where) merged[key] = value;
  }
  return { settings: merged, from, epochs };
}

/** Settings that follow from the task. */
const settingsOfTask: readonly string[] = ["sequenceLength", "vocabularySize", "columns"];

/** The model settings of weights to start from, except for those that follow from the task. */
export function modelSettings(where: string, { config }: InitialWeights): SettingSource {
  const settings = Object.entries(config.model).filter(([key]) => !settingsOfTask.includes(key));
  return { where, settings: Object.fromEntries(settings), determines: "model" };
}

/** One line per source with the settings that it determines in the merged configuration, and one with the defaults. */
export function sourcesText(sources: readonly SettingSource[], config: Config): string[] {
  const { from, epochs } = merge(sources);
  const settings = Object.entries(flattenConfig(config)).filter(([, value]) => value !== undefined);
  const lineOf = (name: string, isIts: (key: string) => boolean): string => {
    const its = settings
      .filter(([key]) => !settingsOfTask.includes(key) && isIts(key))
      .map(([key, value]) => {
        const planned =
          key === "totalSteps" && epochs !== undefined ? ` (${epochs.toLocaleString("en-US")} epochs)` : "";
        return `${key} ${value}${planned}`;
      });
    return its.length === 0 ? "" : `${name}: ${its.join(", ")}`;
  };
  const names = [...new Set(sources.map(({ where }) => where))];
  return [
    ...names.map((name) => lineOf(name, (key) => from.get(key) === name)),
    lineOf("default", (key) => !from.has(key)),
  ].filter((line) => line !== "");
}

/** The part of a preset that applies before other sources: nothing, or only settings of training, if a file determines the rest. */
export function presetSources(name: string, preset: Preset, sources: readonly SettingSource[]): SettingSource[] {
  const determined = sources.find(({ determines }) => determines !== undefined)?.determines;
  if (determined === "all") return [];
  const settings = Object.fromEntries(
    Object.entries(preset.settings).filter(([key]) => determined === undefined || !modelKeys.includes(key)),
  );
  return [{ where: `preset ${name}`, settings, epochs: preset.epochs }];
}

/** Reads `--set key=value ...`. A value that is not JSON is taken as text. @throws UsageError */
export function parseSet(assignments: readonly string[]): SettingSource {
  const settings = assignments.map((assignment): [key: string, value: unknown] => {
    const at = assignment.indexOf("=");
    if (at < 1) throw new UsageError(`--set ${assignment}: expected key=value`);
    return [assignment.slice(0, at).trim(), parseValue(assignment.slice(at + 1).trim())];
  });
  return { where: "--set", settings: Object.fromEntries(settings) };
}

/** Common short names of settings. */
const shortNames: Readonly<Record<string, string>> = { lr: "learningRate", wd: "weightDecay", bs: "batchSize" };

/** The setting that an option such as "lr" or "batch-size" means; undefined if there is none. */
export function settingFor(option: string): string | undefined {
  const plain = option.replaceAll("-", "").toLowerCase();
  return (
    shortNames[plain] ??
    configKeys.find((key) => key === option) ??
    configKeys.find((key) => key.toLowerCase() === plain)
  );
}

/** Settings that a resumed training can change: all of the training that no file of a checkpoint and no earlier step depends on. */
const changeable = [
  "learningRate",
  "warmupSteps",
  "minRatio",
  "totalSteps",
  "weightDecay",
  "beta1",
  "beta2",
  "puzzleLearningRate",
  "puzzleWeightDecay",
  "emaWarmup",
  "depthCurriculum",
  "haltingLossWeight",
  "explorationProbability",
  "nSup",
];

/** A configuration with some changed settings, for a training that is resumed. @throws ConfigError */
export function changedConfig(config: Config, { where, settings }: SettingSource): Config {
  const changed = ownSettings(settings, where);
  for (const key of Object.keys(changed)) {
    if (changeable.includes(key)) continue;
    throw new ConfigError(`${where}: ${key} is fixed when a run starts; --resume can change ${changeable.join(", ")}`);
  }
  return parseConfig({ ...flattenConfig(config), ...changed }, where);
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Reads a configuration file: JSON or YAML, with our names or the official ones. A file in the official form is read as by
 * `trm import`: a complete configuration determines all settings, an arch file alone those of the model.
 *
 * @throws ConfigError
 */
export function readConfigFile(path: string): SettingSource {
  const text = decodeText(readBytes(path), path);
  const isJson = extname(path).toLowerCase() === ".json";
  let value: unknown;
  try {
    value = isJson ? JSON.parse(text) : parseYaml(text, { logLevel: "error" });
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: string };
    if (code === "MULTIPLE_DOCS") throw new ConfigError(`${path}: contains several YAML documents, expected one`);
    throw new ConfigError(`${path}: ${isJson ? oneLine(message) : message.split("\n")[0]}`); // YAML's message goes on with a picture
  }
  const twice = isJson ? duplicateKey(text) : undefined; // YAML refuses such a key itself
  if (twice !== undefined) throw new ConfigError(`${path}: contains ${quoted(twice)} twice`);
  if (value === null || value === undefined) return { where: path, settings: {} };
  if (!isRecord(value)) throw new ConfigError(`${path}: expected keys and values`);
  if (!isOfficialForm(value)) return { where: path, settings: value };
  const { settings, epochs, isComplete, derive } = readOfficialSettings(value, path);
  return { where: path, settings, epochs, derive, determines: isComplete ? "all" : "model" };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
