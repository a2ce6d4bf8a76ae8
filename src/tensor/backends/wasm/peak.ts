// The peak of this machine for the benchmark: the bare tile loop of the matrix product, without memory traffic.
import type { WasmBackend } from "./backend.ts";

const depth = 256;
const tilesPerItem = 256;

export interface Peak {
  readonly threads: number;
  /** GFLOP/s of all threads together, in the fastest of the runs. */
  readonly best: number;
  /** And over all of them: where neighbours share the processor, what it gave over that time. */
  readonly sustained: number;
}

/**
 * Short runs of the tile loop, one after the other, on all of the backend's threads. Make a backend of one thread for the peak of one thread.
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
  const times: number[] = [];
  let total = 0;
  for (; total < seconds * 1000; total += times.at(-1)!) times.push(once());
  return { threads, best: flops / Math.min(...times) / 1e6, sustained: (times.length * flops) / total / 1e6 };
}
