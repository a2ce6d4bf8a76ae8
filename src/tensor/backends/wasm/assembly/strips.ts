// Strips: the layout in which the left operand of a product is read fastest.
//
//   strip[k][i] = A[first + i, k]   for the rows of one tile (tileHeight)
//
// Strips follow one another, so the strip that begins with row `first` lies 4 · first · depth bytes on. Blocks of rows (blockHeight)
// are split into the same tiles as the whole matrix, so a block finds its strips there too. The inner loop walks
// through one contiguous stream instead of six rows, with one address to move instead of six: a tile of depth 81 loses 11 cycles
// instead of 28 to its start and end (of 486), one of depth 128 14 instead of 46 (of 768).
import { transpose } from "./panels";
import { tileHeight } from "./tile";

/** Strips of A [rows, depth], whose rows lie `step` bytes apart. */
export function packStrips(strips: usize, a: usize, step: usize, rows: i32, depth: i32): void {
  for (let left = rows; left > 0; ) {
    const height = tileHeight(left);
    transpose(strips, <usize>height << 2, a, step, height, depth);
    left -= height;
    a += <usize>height * step;
    strips += <usize>(height * depth) << 2;
  }
}

/** The same from A stored transposed, whose columns lie `step` bytes apart. */
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

/** The one item is the whole matrix. */
export function strips(parameters: usize): void {
  const p = changetype<Strips>(parameters);
  if (p.transposed) packTransposedStrips(p.strips, p.source, <usize>p.rows << 2, p.rows, p.depth);
  else packStrips(p.strips, p.source, <usize>p.depth << 2, p.rows, p.depth);
}
