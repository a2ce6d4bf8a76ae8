// A hash of all sources, by which `trm` in a clone knows whether dist/ was compiled from them.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** @param {string} folder */
export function hashOfSources(folder) {
  const hash = createHash("sha256");
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map(({ parentPath, name }) => join(parentPath, name));
  for (const path of paths.sort()) hash.update(`${relative(folder, path)}\n`).update(readFileSync(path));
  return hash.digest("hex");
}
