// The tile loop of the matrix product without memory traffic: the measured peak of this machine, for the benchmark.
import type { WasmBackend } from "./backend.ts";

const depth = 256;
const tilesPerItem = 256;

export interface TileLoop {
  /** Floating-point operations of one run. */
  readonly flops: number;
  run(): void;
}

/** A few milliseconds of the tile loop on all threads of the backend. A backend with one thread measures the peak of one thread. */
export function tileLoop({ runtime }: WasmBackend): TileLoop {
  const { threads, build, panelColumns } = runtime;
  const rows = build === "plain" ? 5 : 6; // TILE_ROWS of assembly/tile.ts
  const items = 8 * threads;
  const flops = 2 * rows * panelColumns * depth * tilesPerItem * items;
  return {
    flops,
    run() {
      runtime.run("peak", {
        items,
        scratch: 4 * (6 * panelColumns + 6 * depth + depth * panelColumns),
        cost: flops / 8,
        fields: { depth, tiles: tilesPerItem },
      });
      runtime.finish();
    },
  };
}
