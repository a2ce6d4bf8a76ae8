// The text of a configuration in the official form.
import { parse, stringify } from "yaml";
import { shortened } from "../../formats/index.ts";
import { ConfigError } from "../../trm/index.ts";
import { isRecord, type Settings } from "./records.ts";

/** YAML that Python's readers understand too: they take 1e-7 for text, and 1.0e-7 for a number. */
export function formatOfficialConfig(config: Settings, comment: string): string {
  const text = stringify(config, { lineWidth: 0, aliasDuplicateObjects: false });
  const lines = comment.split("\n").map((line) => `# ${line}\n`);
  return lines.join("") + text.replace(/(: |- )(-?\d)e([+-]?\d+)$/gm, "$1$2.0e$3");
}

/** YAML or JSON, which is YAML too. @throws ConfigError */
export function parseOfficialConfig(text: string, where: string): Settings {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw new ConfigError(`${where}: ${shortened((error as Error).message.split("\n")[0]!, 160)}`);
  }
  if (!isRecord(value)) throw new ConfigError(`${where}: expected keys and values`);
  return value;
}
