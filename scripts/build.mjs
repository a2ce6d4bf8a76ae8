// Builds the package into dist: the kernels, the JavaScript with its declarations, and the file of the wide kernels. npm runs this script
// as `prepack`, so that `npm pack` in a clean clone and an installation from git give a complete package.
import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const wide = "tensor/backends/wasm/generated/wide.wasm";

const node = (...args) => execFileSync(process.execPath, args, { cwd: fileURLToPath(root), stdio: "inherit" });

node("scripts/build-wasm.mjs");
rmSync(new URL("dist", root), { recursive: true, force: true }); // otherwise files that no longer exist would be packed
node("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json");
copyFileSync(new URL(`src/${wide}`, root), new URL(`dist/${wide}`, root));
