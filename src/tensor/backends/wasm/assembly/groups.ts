// Gradients of weights in groups of puzzles.
//
// Each group of puzzles (or of rows) adds up its own gradients [dGate; dUp; dDown^T], [3I, columns], while their operands are in the
// second-level cache. `sumGroups` then adds the groups. The number of groups follows from the shapes and never from the number of
// threads, so every sum has one fixed order.
import { transpose } from "./panels";
import { storePair } from "./vector";

@unmanaged
export class SumGroups {
  /** [groups][3I] rows of `step` bytes. */
  partial: usize;
  step: usize;
  groups: i32;
  /** dGateUp [2I, columns], dDown [columns, I] */
  gateUp: usize;
  down: usize;
  inner: i32;
  columns: i32;
}

/** Rows per item; ../swiglu.ts has the same number. */
// @ts-ignore: decorator
@inline
const BLOCK_ROWS: i32 = 16;

/** Items are blocks of rows of each of the three parts. Scratch: one block. */
export function sumGroups(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SumGroups>(parameters);
  const inner = p.inner, groups = p.groups, step = p.step;
  const groupBytes = <usize>(3 * inner) * step;
  const rowBytes = <usize>p.columns << 2;
  const blocks = (inner + BLOCK_ROWS - 1) / BLOCK_ROWS;
  for (let item = start; item < end; item++) {
    const part = item / blocks, first = (item % blocks) * BLOCK_ROWS;
    const rows = min(BLOCK_ROWS, inner - first);
    const from = p.partial + <usize>(part * inner + first) * step;
    const bytes = <usize>rows * step;
    for (let at: usize = 0; at < bytes; at += 32) {
      let left = v128.load(from + at), right = v128.load(from + at, 16);
      for (let g = 1; g < groups; g++) {
        const other = from + <usize>g * groupBytes + at;
        left = f32x4.add(left, v128.load(other));
        right = f32x4.add(right, v128.load(other, 16));
      }
      storePair(scratch + at, left, right);
    }
    if (part == 2) transpose(p.down + (<usize>first << 2), <usize>inner << 2, scratch, step, rows, p.columns);
    else {
      const to = p.gateUp + <usize>(part * inner + first) * rowBytes;
      for (let i = 0; i < rows; i++) memory.copy(to + <usize>i * rowBytes, scratch + <usize>i * step, rowBytes);
    }
  }
}
