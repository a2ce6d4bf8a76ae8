// The measured peak: GFLOP/s of the backend's bare tile loop, the upper limit for a step.
import { tileLoop } from "../src/tensor/backends/wasm/peak.ts";
import { type Backend, Random, scope, tensor, WasmBackend, zeros } from "../src/tensor/index.ts";
import type { PeakRates } from "./shared/program.ts";
import { minimum } from "./shared/statistics.ts";

export interface OwnPeak extends PeakRates {
  readonly how: string;
}

/** @param seconds  duration of the measurement */
export function ownPeak(backend: Backend, seconds = 0.5): OwnPeak {
  return scope(() => {
    const { how, flops, run } = backend instanceof WasmBackend ? bareLoop(backend) : product(backend);
    const times: number[] = [];
    let total = 0;
    for (; total < seconds * 1000; total += times.at(-1)!) {
      const start = performance.now();
      run();
      times.push(performance.now() - start);
    }
    const rate = (ms: number): number => flops / ms / 1e6;
    return { how, best: rate(minimum(times)), sustained: rate(total / times.length) };
  });
}

const bareLoop = (backend: WasmBackend) => ({
  how: "The bare tile loop on operands in the cache.",
  ...tileLoop(backend),
});

/** For a backend without a bare tile loop: a product whose operands fit in the caches. */
function product(backend: Backend) {
  const [rows, depth, columns] = [1536, 256, 64];
  const random = new Random(0);
  const matrix = (height: number, width: number) =>
    tensor(
      Float32Array.from({ length: height * width }, () => random.normal()),
      { shape: [height, width], backend },
    );
  const [a, b, out] = [matrix(rows, depth), matrix(columns, depth), zeros([rows, columns], "float32", backend)];
  const times = 10;
  return {
    how: "A product of 1536 x 256 x 64.",
    flops: 2 * times * rows * depth * columns,
    run() {
      for (let i = 0; i < times; i++) backend.kernels.matmul(out, a, b, false, true);
    },
  };
}
