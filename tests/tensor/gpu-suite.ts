// The gpu suite under vitest, for the modes that run without a GPU. tests/gpu runs it on headless GL, WebGL2 and WebGPU.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGpuBackend, type GpuBackend, type GpuMode } from "../../src/tensor/backends/gpu/index.ts";
import { ReferenceBackend, setRootBackend } from "../../src/tensor/index.ts";
import { allCases } from "../gpu/suite/all.ts";
import { runCase } from "../gpu/suite/case.ts";

/** @param only  runs the quick cases or the long cases */
export function runGpuSuite(mode: GpuMode, kernelClass: string, only: "quick" | "long", examplesEach: number): void {
  describe(`gpu backend, mode ${mode}`, () => {
    let backend: GpuBackend;
    beforeAll(async () => {
      backend = await createGpuBackend({ mode });
    });
    afterAll(() => {
      setRootBackend(new ReferenceBackend());
      backend.dispose();
    });

    it(`the backend runs kernels of class ${kernelClass}`, () => {
      expect([backend.mode, backend.kernelClass]).toEqual([mode, kernelClass]);
      expect(backend.build).toContain(`gpu.js ${mode}, ${kernelClass}`);
    });

    for (const one of allCases(examplesEach)) {
      if ((only === "long") === (one.isLong ?? false)) it(one.name, () => runCase(one, backend));
    }
  });
}
