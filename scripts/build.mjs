// Builds the package into dist: the kernels, the JavaScript with its declarations, the file of the wide kernels, and the hash of the
// sources, by which bin/trm.mjs knows that dist is up to date. npm runs this script as `prepack`, so that `npm pack` in a clean clone gives
// a complete package, and as `prepare`, the only script that it runs for an installation from git. With --optional nothing is built if the
// compilers are not installed (npm ci --omit=dev).
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hashOfSources } from "../bin/hash-of-sources.mjs";

const root = new URL("../", import.meta.url);
const wide = "tensor/backends/wasm/generated/wide.wasm";

const node = (...args) => execFileSync(process.execPath, args, { cwd: fileURLToPath(root), stdio: "inherit" });

const compiler = "node_modules/typescript/bin/tsc";
node("scripts/build-wasm.mjs");
if (process.argv.includes("--optional") && !existsSync(new URL(compiler, root))) process.exit(0);
rmSync(new URL("dist", root), { recursive: true, force: true }); // otherwise files that no longer exist would be packed
node(compiler, "-p", "tsconfig.build.json");
copyFileSync(new URL(`src/${wide}`, root), new URL(`dist/${wide}`, root));
writeFileSync(new URL("dist/sources.sha256", root), hashOfSources(fileURLToPath(new URL("src", root))));
