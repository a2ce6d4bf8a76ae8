// Configuration files in the official form, as text.
import { parse, stringify } from "yaml";
import { shortened } from "../../formats/index.ts";
import { ConfigError } from "../../trm/index.ts";
import { isRecord, type Settings } from "./records.ts";

/** YAML that Python readers understand as well: they read 1e-7 as a string and 1.0e-7 as a number. */
export function formatOfficialConfig(config: Settings, comment: string): string {
  const text = stringify(config, { lineWidth: 0, aliasDuplicateObjects: false });
  const lines = comment.split("\n").map((line) => `# ${line}\n`);
  return lines.join("") + text.replace(/(: |- )(-?\d)e([+-]?\d+)$/gm, "$1$2.0e$3");
}

/** Parses YAML, and therefore JSON as well. @throws ConfigError */
export function parseOfficialConfig(text: string, where: string): Settings {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100, logLevel: "error" });
  } catch (error) {
    throw new ConfigError(`${where}: ${shortened((error as Error).message.split("\n")[0]!, 160)}`);
  }
  if (!isRecord(value)) throw new ConfigError(`${where}: expected a mapping of keys to values`);
  return value;
}
