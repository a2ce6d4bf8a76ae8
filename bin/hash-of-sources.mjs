// A hash of all sources, by which `trm` in a clone knows whether dist/ was compiled from them.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

/** @param {URL} folder with a slash at its end */
export function hashOfSources(folder) {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder, { recursive: true }).sort()) {
    if (name.endsWith(".ts")) hash.update(`${name}\n`).update(readFileSync(new URL(name, folder)));
  }
  return hash.digest("hex");
}
