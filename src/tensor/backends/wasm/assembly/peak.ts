// The tile loop on operands that stay in the first-level cache: the peak of this core, for the benchmark.
import { PANEL, PANEL_BYTES } from "./layout";
import { multiplyTile, TILE_ROWS } from "./tile";

@unmanaged
export class Peak {
  depth: i32;
  /** Tiles per item. */
  tiles: i32;
}

/** Scratch: C [6][PANEL], a strip of A [depth][6], B [depth][PANEL]. */
export function peak(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<Peak>(parameters);
  const a = scratch + 6 * PANEL_BYTES;
  const b = a + (<usize>(6 * p.depth) << 2);
  const last = b + <usize>p.depth * PANEL_BYTES;
  for (let at = a; at < last; at += 4) store<f32>(at, 1);
  for (let item = start; item < end; item++) {
    for (let i = 0; i < p.tiles; i++) multiplyTile(false, TILE_ROWS, PANEL, a, 4 * TILE_ROWS, b, p.depth, scratch, PANEL_BYTES, 0, 0);
  }
}
