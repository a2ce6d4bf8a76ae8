// The measured peak, which is the upper limit for a step.
import { expect, it } from "vitest";
import { ownPeak } from "../../bench/own-peak.ts";
import { ReferenceBackend, WasmBackend } from "../../src/tensor/index.ts";

const plausible = ({ best, sustained }: { best: number; sustained: number }, threads: number): void => {
  expect(sustained).toBeGreaterThan(0.05);
  expect(sustained).toBeLessThanOrEqual(best);
  expect(best).toBeLessThan(1000 * threads);
};

it("the measured peak is plausible for one and two threads, and for a backend without a tile loop", () => {
  for (const threads of [1, 2]) {
    const backend = new WasmBackend({ threads });
    const peak = ownPeak(backend, 0.05);
    plausible(peak, threads);
    expect(peak.how).toContain("tile loop");
    backend.dispose();
  }
  plausible(ownPeak(new ReferenceBackend(), 0.05), 1);
});
