// Writes the API reference, pages of all exports with their parameters, fields and methods, into api-reference/. Run: npm run docs:api.
// TypeDoc is installed in this folder on the first run, with a TypeScript of its own: it does not support TypeScript 7 yet.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const run = (program, args, cwd) => execFileSync(program, args, { cwd, stdio: "inherit" });

if (!existsSync(`${folder}node_modules/typedoc`)) run("npm", ["ci", "--no-audit", "--no-fund"], folder);

const entries = Object.values(manifest.exports).flatMap((target) =>
  typeof target === "string" ? [] : [target.default.replace("./dist/", "src/").replace(/\.js$/, ".ts")],
);
run(
  process.execPath,
  [
    `${folder}node_modules/typedoc/bin/typedoc`,
    ...["--options", `${folder}typedoc.json`],
    ...["--name", `trm-ts ${manifest.version}`],
    ...entries.flatMap((entry) => ["--entryPoints", entry]),
    ...process.argv.slice(2),
  ],
  root,
);
