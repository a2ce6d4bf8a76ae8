// The measured peak: GFLOP/s of the backend's bare tile loop, the limit that a step is held against.
import { measurePeak } from "../src/tensor/backends/wasm/peak.ts";
import { type Backend, Random, scope, tensor, WasmBackend, zeros } from "../src/tensor/index.ts";

export interface OwnPeak {
  readonly how: string;
  readonly gflops: number;
}

/** @param seconds  how long to measure; the fastest of many short runs counts */
export function ownPeak(backend: Backend, seconds = 0.5): OwnPeak {
  return backend instanceof WasmBackend
    ? { how: "The bare tile loop on operands in the cache.", gflops: measurePeak(backend, seconds).gigaflops }
    : { how: "A product of 1536 x 256 x 64, the best of many.", gflops: productGflops(backend, seconds) };
}

/** For a backend without a bare tile loop: a product that fits the caches, weights packed once. */
function productGflops(backend: Backend, seconds: number): number {
  const [rows, depth, columns] = [1536, 256, 64];
  return scope(() => {
    const random = new Random(0);
    const matrix = (height: number, width: number) =>
      tensor(
        Float32Array.from({ length: height * width }, () => random.normal()),
        { shape: [height, width], backend },
      );
    const [a, b, out] = [matrix(rows, depth), matrix(columns, depth), zeros([rows, columns], "float32", backend)];
    let best = Number.POSITIVE_INFINITY;
    for (const end = performance.now() + 1000 * seconds; performance.now() < end; ) {
      const start = performance.now();
      for (let i = 0; i < 10; i++) backend.kernels.matmul(out, a, b, false, true);
      best = Math.min(best, (performance.now() - start) / 10);
    }
    return (2 * rows * depth * columns) / best / 1e6;
  });
}
