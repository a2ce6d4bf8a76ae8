// The measured peak: GFLOP/s of the backend's bare tile loop, the limit that a step is held against. A program, because the kernels
// differ with the Node that runs them: `tsx bench/peak.ts --threads 2` prints one line of JSON.
import { parseArgs } from "node:util";
import { measurePeak as tilePeak } from "../src/tensor/backends/wasm/peak.ts";
import { type Backend, Random, scope, tensor, WasmBackend, zeros } from "../src/tensor/index.ts";
import { loadBenchBackend } from "./backend.ts";
import { nameOf } from "./ours.ts";

export interface PeakResult {
  /** Our program as it introduces itself, with the build of its kernels. */
  readonly peer: string;
  readonly how: string;
  readonly gflops: number;
  readonly threads: number;
}

async function measurePeak(name: string | undefined, threads: number): Promise<PeakResult> {
  const { backend, threads: used } = await loadBenchBackend(name, threads);
  try {
    const common = { peer: nameOf(backend), threads: used };
    return backend instanceof WasmBackend
      ? { ...common, how: "The bare tile loop on operands in the cache.", gflops: tilePeak(backend).gigaflops }
      : { ...common, how: "A product of 1536 x 256 x 64, the best of many.", gflops: productGflops(backend) };
  } finally {
    backend.dispose();
  }
}

/** For a backend without a bare tile loop: a product that fits the caches, weights packed once. */
function productGflops(backend: Backend): number {
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
    for (const end = performance.now() + 500; performance.now() < end; ) {
      const start = performance.now();
      for (let i = 0; i < 10; i++) backend.kernels.matmul(out, a, b, false, true);
      best = Math.min(best, (performance.now() - start) / 10);
    }
    return (2 * rows * depth * columns) / best / 1e6;
  });
}

const { values } = parseArgs({ options: { threads: { type: "string", default: "1" }, backend: { type: "string" } } });
console.log(JSON.stringify(await measurePeak(values.backend, Number(values.threads))));
