// Runs the cases one after another and logs the results.
import { createGpuBackend, type GpuMode } from "../../../src/tensor/backends/gpu/index.ts";
import { allCases } from "./all.ts";
import { runCase } from "./case.ts";

export interface Report {
  readonly mode: string;
  readonly kernelClass: string;
  readonly build: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** @param only  runs the cases whose name contains this text; all cases by default */
export async function runSuite(mode: GpuMode, log: (line: string) => void, only = ""): Promise<Report> {
  // More contexts than a page may have at once: each must be closed before the next one is created.
  for (let i = 0; i < 20; i++) (await createGpuBackend({ mode })).dispose();
  const backend = await createGpuBackend({ mode });
  log(backend.build);
  let [passed, failed, skipped] = [0, 0, 0];
  for (const one of allCases(4)) {
    if (!one.name.includes(only)) {
      skipped++;
      continue;
    }
    const start = performance.now();
    try {
      await runCase(one, backend);
      passed++;
      log(`  ok      ${one.name} (${Math.round(performance.now() - start)} ms)`);
    } catch (error) {
      failed++;
      log(`  FAILED  ${one.name}\n          ${(error as Error).stack}`);
    }
  }
  const { kernelClass, build } = backend;
  log(`  ${JSON.stringify(backend.statistics())}`);
  backend.dispose();
  return { mode, kernelClass, build, passed, failed, skipped };
}

/** The summary of a mode: `webgl2 WebGL2Kernel 70 passed, 0 failed, 0 skipped`. */
export const closingLine = ({ mode, kernelClass, passed, failed, skipped }: Report): string =>
  `${mode} ${kernelClass} ${passed} passed, ${failed} failed, ${skipped} skipped`;
