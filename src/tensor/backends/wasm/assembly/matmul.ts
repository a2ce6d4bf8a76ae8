// Batched matrix products C = A · B with B in panels. Items are blocks of rows of C, over all matrices of the batch, so that one thread
// computes every sum in one order.
import { PANEL, PANEL_BYTES, panelColumns, panelCount } from "./layout";
import { copyColumns, transpose } from "./panels";
import { SPARE_BYTES } from "./product";
import { multiplyTile, tileHeight } from "./tile";

@unmanaged
export class Matmul {
  a: usize;
  /** Bytes between the rows of A as stored. */
  stepA: usize;
  /** 1: A [rows, depth]; 0: stored transposed, [depth, rows]. */
  rowMajor: u32;
  panels: usize;
  c: usize;
  /** 1: C is stored transposed, [columns, rows]. */
  transposed: u32;
  rows: i32;
  columns: i32;
  depth: i32;
  /** The sum is divided into chunks of this depth, whose panels stay in the cache while they are used by all rows of an item. */
  chunk: i32;
  /** Bytes in A between chunks. */
  chunkStep: usize;
  blockRows: i32;
  /** Address of three offsets in bytes per matrix of the batch: of A, the panels and C. 0 for a single matrix. */
  offsets: usize;
}

/** Scratch: one tile; for a transposed result also [blockRows][columns rounded up to whole panels]. */
export function matmul(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<Matmul>(parameters);
  const rowMajor = p.rowMajor != 0;
  const transposed = p.transposed != 0;
  const blocks = (p.rows + p.blockRows - 1) / p.blockRows;
  const stepC = <usize>p.columns << 2;
  const block = scratch + SPARE_BYTES;
  const stepBlock: usize = transposed ? <usize>panelCount(p.columns) * PANEL_BYTES : stepC;
  for (let item = start; item < end; item++) {
    const offsets = p.offsets + <usize>(item / blocks) * 12;
    const a = p.a + (p.offsets ? load<usize>(offsets) : 0);
    const panels = p.panels + (p.offsets ? load<usize>(offsets, 4) : 0);
    const c = p.c + (p.offsets ? load<usize>(offsets, 8) : 0);
    const first = (item % blocks) * p.blockRows;
    const rows = min(p.blockRows, p.rows - first);
    const to = transposed ? block : c + <usize>first * stepC;
    const firstA = a + <usize>first * (rowMajor ? p.stepA : 4);
    multiplyBlock(p, firstA, panels, to, stepBlock, rows, scratch);
    if (transposed) transpose(c + (<usize>first << 2), <usize>p.rows << 2, block, stepBlock, rows, p.columns);
  }
}

/** One block of rows of C, by chunks and within a chunk by tiles of rows, so that these rows of A stay in the first-level cache. */
function multiplyBlock(
  p: Matmul,
  a: usize,
  panels: usize,
  c: usize,
  stepC: usize,
  rows: i32,
  spare: usize,
): void {
  const rowMajor = p.rowMajor != 0;
  const rowStepA: usize = rowMajor ? p.stepA : 4;
  const columns = p.columns, depth = p.depth;
  const panelStep = <usize>depth * PANEL_BYTES;
  if (depth == 0) clear(c, stepC, rows, columns);
  for (let k = 0; k < depth; k += p.chunk) {
    const chunk = min(p.chunk, depth - k);
    let stripA = a, stripC = c;
    for (let left = rows; left > 0; ) {
      const height = tileHeight(left);
      let panel = panels + <usize>k * PANEL_BYTES;
      for (let j = 0; j < panelCount(columns); j++) {
        const to = stripC + <usize>j * PANEL_BYTES;
        const width = panelColumns(columns, j);
        if (width == PANEL) {
          multiplyTile(rowMajor, height, PANEL, stripA, p.stepA, panel, chunk, to, stepC, k ? to : 0, stepC);
        } else {
          if (k) copyColumns(spare, PANEL_BYTES, to, stepC, height, width);
          multiplyTile(rowMajor, height, width, stripA, p.stepA, panel, chunk, spare, PANEL_BYTES, k ? spare : 0, PANEL_BYTES);
          copyColumns(to, stepC, spare, PANEL_BYTES, height, width);
        }
        panel += panelStep;
      }
      left -= height;
      stripA += <usize>height * rowStepA;
      stripC += <usize>height * stepC;
    }
    a += p.chunkStep;
  }
}

function clear(c: usize, stepC: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++) memory.fill(c + <usize>i * stepC, 0, <usize>columns << 2);
}
