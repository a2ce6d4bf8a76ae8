// The probe by which the page chooses the build of the kernels that it loads.
import { expect, it } from "vitest";
import { relaxedProbe } from "../../explorer/build/one-kernel-build.ts";
import { supportedBuilds } from "../../src/tensor/backends/wasm/module.ts";

it("the probe is accepted exactly where the relaxed build runs", () => {
  const builds = supportedBuilds(); // Node 20 needs a flag, which this sets
  expect(WebAssembly.validate(Uint8Array.from(relaxedProbe))).toBe(builds.includes("relaxed"));
});

it("the probe needs relaxed SIMD: with the plain swizzle in its place every engine with SIMD accepts it", () => {
  const end = relaxedProbe.lastIndexOf(10); // the code section
  const plain = [...relaxedProbe.slice(0, end), 10, 14, 1, 12, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 14, 11];
  expect(relaxedProbe.slice(end)).toEqual([10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11]);
  expect(WebAssembly.validate(Uint8Array.from(plain))).toBe(true);
});
