#!/usr/bin/env node
// The `trm` command. The package holds compiled files in dist/; a clone has the sources, which run through tsx.
import { existsSync } from "node:fs";

const sources = new URL("../src/cli/main.ts", import.meta.url);

if (existsSync(sources)) {
  const { register } = await import("tsx/esm/api");
  register();
  await import(sources.href);
} else {
  await import("../dist/cli/main.js");
}
