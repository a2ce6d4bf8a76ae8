// Building the kernels with scripts/build-wasm.mjs, with and without its compiler, and the work of helping threads.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { buildNames } from "./wasm-backends.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));

describe("`prepare`, in a copy of the project", () => {
  const inCopy = (withCompiler: boolean): { output: string; built: boolean } => {
    const copy = mkdtempSync(join(tmpdir(), "trm-build-wasm-"));
    try {
      const backend = "src/tensor/backends/wasm";
      cpSync(join(project, "scripts/build-wasm.mjs"), join(copy, "scripts/build-wasm.mjs"), { recursive: true });
      cpSync(join(project, backend, "assembly"), join(copy, backend, "assembly"), { recursive: true });
      if (withCompiler) {
        mkdirSync(join(copy, "node_modules"));
        for (const name of ["assemblyscript", "binaryen", "long"]) {
          symlinkSync(join(project, "node_modules", name), join(copy, "node_modules", name));
        }
      }
      const output = execFileSync(process.execPath, ["scripts/build-wasm.mjs"], { cwd: copy, encoding: "utf8" });
      return { output, built: existsSync(join(copy, backend, "generated/binary.ts")) };
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  };

  it("prepare builds the kernels with the compiler", () => {
    expect(inCopy(true)).toEqual({ output: "", built: true });
  });

  it("prepare succeeds with one line of output without the compiler", () => {
    expect(inCopy(false)).toEqual({
      output: "build-wasm: assemblyscript is not installed, nothing built\n",
      built: false,
    });
  });
});

// Results do not show this, because the calling thread computes all items that are left. The test runs in a separate process, because
// V8 compiles differently under the test runner, where a build whose helping threads never woke up once passed.
it.each(buildNames)("helping threads take part: %s", (build) => {
  const program = fileURLToPath(new URL("helpers-take-part.ts", import.meta.url));
  const output = execFileSync(process.execPath, ["--import", "tsx", program, build], {
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(Number(output)).toBeGreaterThan(0);
});
