// The measured peak: GFLOP/s of the backend's bare tile loop, the limit that a step is held against.
import { measurePeak } from "../src/tensor/backends/wasm/peak.ts";
import { type Backend, Random, scope, tensor, WasmBackend, zeros } from "../src/tensor/index.ts";

/** GFLOP/s in many short runs. */
export interface PeakRates {
  /** Of the fastest run. */
  readonly best: number;
  /** Over all runs. */
  readonly sustained: number;
}

export interface OwnPeak extends PeakRates {
  readonly how: string;
}

/** @param seconds  how long to measure */
export function ownPeak(backend: Backend, seconds = 0.5): OwnPeak {
  return backend instanceof WasmBackend
    ? { how: "The bare tile loop on operands in the cache.", ...measurePeak(backend, seconds) }
    : { how: "A product of 1536 x 256 x 64.", ...productPeak(backend, seconds) };
}

/** For a backend without a bare tile loop: a product that fits the caches, weights packed once. */
function productPeak(backend: Backend, seconds: number): PeakRates {
  const [rows, depth, columns] = [1536, 256, 64];
  return scope(() => {
    const random = new Random(0);
    const matrix = (height: number, width: number) =>
      tensor(
        Float32Array.from({ length: height * width }, () => random.normal()),
        { shape: [height, width], backend },
      );
    const [a, b, out] = [matrix(rows, depth), matrix(columns, depth), zeros([rows, columns], "float32", backend)];
    const times: number[] = [];
    let total = 0;
    for (; total < seconds * 1000; total += times.at(-1)!) {
      const start = performance.now();
      for (let i = 0; i < 10; i++) backend.kernels.matmul(out, a, b, false, true);
      times.push(performance.now() - start);
    }
    const flops = 20 * rows * depth * columns;
    return { best: flops / Math.min(...times) / 1e6, sustained: (times.length * flops) / total / 1e6 };
  });
}
