// The configuration of a new run: preset, then the file, then --set, each over the ones before.
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { parse as parseYaml } from "yaml";
import { settingsOfOfficial } from "../runs/index.ts";
import { type Config, ConfigError, ownSettings, parseConfig, type Task } from "../trm/index.ts";
import { UsageError } from "./explain.ts";

export type Settings = Readonly<Record<string, unknown>>;

/** Where settings come from, the weakest first. */
export interface SettingSource {
  /** For error messages. */
  readonly where: string;
  readonly settings: Settings;
}

/** @throws ConfigError naming the source and the key */
export function mergeSettings(sources: readonly SettingSource[], task: Task): Config {
  const merged: Record<string, unknown> = {};
  const from = new Map<string, string>();
  for (const { where, settings } of sources) {
    for (const [key, value] of Object.entries(ownSettings(settings, where))) {
      merged[key] = value;
      from.set(key, where);
    }
  }
  const { sequenceLength, vocabularySize } = task;
  for (const [key, value] of Object.entries({ sequenceLength, vocabularySize })) {
    if (key in merged && merged[key] !== value) {
      throw new ConfigError(`${from.get(key)}: ${key}: got ${JSON.stringify(merged[key])}, ${task.name} has ${value}`);
    }
  }
  try {
    return parseConfig({ ...merged, sequenceLength, vocabularySize }, unknownSource);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const key = error.message.slice(unknownSource.length).match(/^: (\w+):/)?.[1] ?? "";
    throw new ConfigError(error.message.replace(unknownSource, from.get(key) ?? unknownSource));
  }
}

/** Stands for the source while the whole is checked. */
const unknownSource = "settings";

/** `--set key=value ...`; values are read as JSON, and what is not JSON as text. @throws UsageError */
export function parseSet(assignments: readonly string[]): SettingSource {
  const settings: Record<string, unknown> = {};
  for (const assignment of assignments) {
    const at = assignment.indexOf("=");
    if (at < 1) throw new UsageError(`--set ${assignment}: expected key=value`);
    settings[assignment.slice(0, at).trim()] = parseValue(assignment.slice(at + 1).trim());
  }
  return { where: "--set", settings };
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * A configuration file: JSON or YAML, our names or the official ones. A file of the official code, which nests the model's
 * settings in `arch`, is read as `trm import` reads it.
 *
 * @throws ConfigError
 */
export function readConfigFile(path: string): SettingSource {
  const text = readFileSync(path, "utf8");
  let value: unknown;
  try {
    value = extname(path).toLowerCase() === ".json" ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    throw new ConfigError(`${path}: ${(error as Error).message.split("\n")[0]}`);
  }
  if (value === null || value === undefined) return { where: path, settings: {} };
  if (!isRecord(value)) throw new ConfigError(`${path}: expected keys and values`);
  return { where: path, settings: isRecord(value.arch) ? settingsOfOfficial(value, path) : value };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
