// The configuration of a new run: the preset, then the configuration file, then --set. Later sources override earlier ones.
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { parse as parseYaml } from "yaml";
import { isOfficialForm, readOfficialSettings } from "../runs/index.ts";
import { type Config, ConfigError, ownSettings, parseConfig, type Task } from "../trm/index.ts";
import { UsageError } from "./explain.ts";

export interface SettingSource {
  /** Names the source in error messages. */
  readonly where: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * @param sources  later sources override earlier ones
 * @throws ConfigError naming the source and the key
 */
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
  const sourceOf = (key: string): string => from.get(key) ?? "settings";
  return parseConfig({ ...merged, sequenceLength, vocabularySize }, "settings", sourceOf);
}

/** Reads `--set key=value ...`. A value that is not JSON is taken as text. @throws UsageError */
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
 * Reads a configuration file: JSON or YAML, with our names or the official ones. A file of the official code, which nests the
 * settings of the model in `arch`, is read as by `trm import`.
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
  return { where: path, settings: isOfficialForm(value) ? readOfficialSettings(value, path).settings : value };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
