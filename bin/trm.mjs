#!/usr/bin/env node
// The `trm` command. The package holds compiled files in dist/. A clone has the sources too, which run through tsx if dist/ was not compiled
// from them; that takes a second longer.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { hashOfSources } from "./hash-of-sources.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const [sources, compiled, compiledFrom] = ["src", "dist/cli/main.js", "dist/sources.sha256"].map((path) =>
  join(root, path),
);

const isCompiled =
  !existsSync(sources) || (existsSync(compiledFrom) && readFileSync(compiledFrom, "utf8") === hashOfSources(sources));

try {
  if (!isCompiled) (await import("tsx/esm/api")).register();
  await import(pathToFileURL(isCompiled ? compiled : join(sources, "cli/main.ts")).href);
} catch (error) {
  if (error?.code !== "ERR_MODULE_NOT_FOUND" || !existsSync(sources)) throw error;
  console.error(`trm: ${root} is not built, or its packages are not installed: run npm ci there`);
  process.exitCode = 1;
}
