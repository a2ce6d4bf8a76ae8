#!/usr/bin/env node
// The `trm` command. The package holds compiled files in dist/. A clone has the sources too, which run through tsx if dist/ was not compiled
// from them; that takes a second longer.
import { existsSync, readFileSync } from "node:fs";
import { hashOfSources } from "./hash-of-sources.mjs";

const sources = new URL("../src/", import.meta.url);
const compiledFrom = new URL("../dist/sources.sha256", import.meta.url);

const isCompiled =
  !existsSync(sources) || (existsSync(compiledFrom) && readFileSync(compiledFrom, "utf8") === hashOfSources(sources));

if (isCompiled) {
  await import("../dist/cli/main.js");
} else {
  const { register } = await import("tsx/esm/api");
  register();
  await import(new URL("cli/main.ts", sources).href);
}
