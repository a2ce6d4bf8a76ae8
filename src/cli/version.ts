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

/** The command line of the program: the same in a clone and in a project that has installed the package. */
export const invocation = "npx trm";
