// Strips: the layout in which the left operand of a product is read fastest.
//
//   strip[k][i] = A[first + i, k]   for the rows of one tile (tileHeight)
//
// Strips are contiguous, so the strip that begins with row `first` is at 4 · first · depth bytes. Blocks of rows (blockHeight) are
// divided into the same tiles as the whole matrix, so a block uses the same strips. The inner loop reads one contiguous stream
// instead of six rows, and advances one address instead of six: the start and end of a tile cost 11 cycles instead of 28 at depth 81
// (of 486 in total), and 14 instead of 46 at depth 128 (of 768).
import { transpose } from "./panels";
import { tileHeight } from "./tile";

/** Packs A [rows, depth], with rows `step` bytes apart, into strips. */
export function packStrips(strips: usize, a: usize, step: usize, rows: i32, depth: i32): void {
  for (let left = rows; left > 0; ) {
    const height = tileHeight(left);
    transpose(strips, <usize>height << 2, a, step, height, depth);
    left -= height;
    a += <usize>height * step;
    strips += <usize>(height * depth) << 2;
  }
}

/** The same for A stored transposed, with columns `step` bytes apart. */
function packTransposedStrips(strips: usize, a: usize, step: usize, rows: i32, depth: i32): void {
  for (let left = rows; left > 0; ) {
    const height = tileHeight(left);
    for (let k = 0; k < depth; k++) {
      memory.copy(strips, a + <usize>k * step, <usize>height << 2);
      strips += <usize>height << 2;
    }
    left -= height;
    a += <usize>height << 2;
  }
}

/** Parameters of `strips`. */
@unmanaged
export class Strips {
  /** A [rows, depth], or [depth, rows] if transposed. */
  source: usize;
  strips: usize;
  rows: i32;
  depth: i32;
  transposed: u32;
}

/** The only item is the whole matrix. */
export function strips(parameters: usize): void {
  const p = changetype<Strips>(parameters);
  if (p.transposed) packTransposedStrips(p.strips, p.source, <usize>p.rows << 2, p.rows, p.depth);
  else packStrips(p.strips, p.source, <usize>p.depth << 2, p.rows, p.depth);
}
