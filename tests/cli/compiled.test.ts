// The `trm` command in a clone: compiled files if they are up to date, else the sources.
import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import { projectRoot } from "../source.ts";

const clone = mkdtempSync(join(tmpdir(), "trm-compiled-"));
afterAll(() => rmSync(clone, { recursive: true, force: true }));
const { hashOfSources } = (await import(pathToFileURL(join(projectRoot, "bin/hash-of-sources.mjs")).href)) as {
  hashOfSources(folder: string): string;
};
const run = (): string => execFileSync(process.execPath, [join(clone, "bin/trm.mjs")], { encoding: "utf8" }).trim();

it("trm runs dist/ if it was compiled from the present sources or there are none, and the sources otherwise", () => {
  for (const folder of ["src/cli", "dist/cli"]) mkdirSync(join(clone, folder), { recursive: true });
  cpSync(join(projectRoot, "bin"), join(clone, "bin"), { recursive: true });
  writeFileSync(join(clone, "package.json"), '{ "type": "module" }');
  symlinkSync(join(projectRoot, "node_modules"), join(clone, "node_modules"));
  const source = join(clone, "src/cli/main.ts");
  writeFileSync(source, 'console.log("sources" satisfies string);');
  writeFileSync(join(clone, "dist/cli/main.js"), 'console.log("compiled");');
  expect(run()).toBe("sources");
  writeFileSync(join(clone, "dist/sources.sha256"), hashOfSources(join(clone, "src")));
  expect(run()).toBe("compiled");
  symlinkSync("nobody@nowhere.1", join(clone, "src/.#main.ts")); // the lock of an editor
  expect(run()).toBe("compiled");
  appendFileSync(source, "\n");
  expect(run()).toBe("sources");
  rmSync(join(clone, "node_modules"));
  expect(run).toThrow(`trm: ${clone}/ is not built, or its packages are not installed: run npm ci there`);
  rmSync(join(clone, "src"), { recursive: true });
  expect(run()).toBe("compiled");
});
