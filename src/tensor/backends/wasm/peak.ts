// The peak of this machine for the benchmark: the bare tile loop of the matrix product, without memory traffic.
import type { WasmBackend } from "./backend.ts";

const depth = 256;
const tilesPerItem = 256;

export interface Peak {
  readonly threads: number;
  /** All threads together. */
  readonly gigaflops: number;
}

/**
 * The fastest of several short runs of the tile loop on all of the backend's threads. Make a backend of one thread for the peak of one
 * thread.
 *
 * @param seconds  how long to measure
 */
export function measurePeak({ runtime }: WasmBackend, seconds = 0.5): Peak {
  const { threads, build, panelColumns } = runtime;
  const rows = build === "plain" ? 5 : 6; // TILE_ROWS of assembly/tile.ts
  const items = 8 * threads;
  const flops = 2 * rows * panelColumns * depth * tilesPerItem * items;
  const once = (): number => {
    const start = performance.now();
    runtime.run("peak", {
      items,
      scratch: 4 * (6 * panelColumns + 6 * depth + depth * panelColumns),
      cost: flops / 8,
      parameters: [depth, tilesPerItem],
    });
    runtime.finish();
    return performance.now() - start;
  };
  const end = performance.now() + seconds * 1000;
  let fastest = Number.POSITIVE_INFINITY;
  while (performance.now() < end) fastest = Math.min(fastest, once());
  return { threads, gigaflops: flops / fastest / 1e6 };
}
