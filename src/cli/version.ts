// Which trm-ts this is, and how its user calls it.
import { readFileSync } from "node:fs";
import { z } from "zod";

const packageFile = new URL("../../package.json", import.meta.url);
const { name, version: installed } = z
  .object({ name: z.string(), version: z.string() })
  .parse(JSON.parse(readFileSync(packageFile, "utf8")));

export const version = installed;

/** "trm-ts 0.1.0": goes into checkpoints. */
export const madeBy = `${name} ${version}`;

/** What to type before a command's name: from the sources, or from the installed package. */
export const invocation = import.meta.url.endsWith(".ts") ? "npx tsx src/cli/main.ts" : "npx trm";
