// Shared by the tests of the WebAssembly backend: backends of every build and number of threads, and a comparison.
import { afterAll, expect } from "vitest";
import { WasmBackend } from "../../src/tensor/backends/wasm/backend.ts";
import type { Build } from "../../src/tensor/backends/wasm/module.ts";
import { canJoinVectors } from "../../src/tensor/backends/wasm/platform.node.ts";
import * as t from "../../src/tensor/index.ts";
import { ReferenceBackend, type Shape, sizeOf, type Tensor } from "../../src/tensor/index.ts";
import { valuesOf } from "./naive.ts";

export const reference = new ReferenceBackend();
export const one = new WasmBackend({ threads: 1 });
export const two = new WasmBackend({ threads: 2 });
export const three = new WasmBackend({ threads: 3 });
export const unshared = new WasmBackend({ shared: false });
/** The wide build is included where it runs: Node 24 on x64. `npm run test:wide` runs these tests there. */
export const buildNames: readonly Build[] = ["plain", "relaxed", ...(canJoinVectors() ? (["wide"] as const) : [])];
export const builds = buildNames.map((build) => new WasmBackend({ build, threads: 2 }));
afterAll(() => {
  for (const backend of [one, two, three, unshared, ...builds]) backend.dispose();
});

export const normal = (seed: number, shape: Shape, scale = 1): Float32Array => {
  const random = new t.Random(seed);
  return Float32Array.from({ length: sizeOf(shape) }, () => random.normal() * scale);
};
export const on = (backend: t.Backend, shape: Shape, values: ArrayLike<number>): Tensor =>
  t.tensor(values, { shape, backend });
export const blank = (backend: t.Backend, shape: Shape): Tensor => t.empty(shape, "float32", backend);

/** Expects equal numbers up to `tolerance` times the larger of `scale` and the largest expected number. */
export function expectClose(actual: Tensor, wanted: ArrayLike<number>, tolerance: number, scale = 0): void {
  const values = valuesOf(actual);
  expect(values.length).toBe(wanted.length);
  const largest = Array.from(wanted).reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), scale);
  values.forEach((value, i) => {
    const want = wanted[i]!;
    if (!Number.isFinite(want)) expect(value).toBe(want);
    else if (!(Math.abs(value - want) <= tolerance * largest)) expect({ i, value }).toEqual({ i, value: want });
  });
}
