// rmsNorm of h + r as a separate kernel, over the last axis or the one before it (norm.ts has the mathematics). Items are rows, or
// panels of columns of one puzzle.
import { normPanel, normPanelBackward, normRow, normRowBackward } from "./norm";
import { PANEL, PANEL_BYTES, panelColumns, panelCount } from "./layout";
import { packPanel, storePanel } from "./panels";

@unmanaged
export class ResidualNorm {
  h: usize;
  /** 0 if there is no r. */
  r: usize;
  y: usize;
  inverse: usize;
  length: i32;
  width: i32;
  epsilon: f32;
}

/** y = rmsNorm(h + r) over rows of `width` elements. */
export function residualNormRows(parameters: usize, start: i32, end: i32): void {
  const p = changetype<ResidualNorm>(parameters);
  const width = p.width;
  for (let item = start; item < end; item++) {
    const at = (<usize>item * <usize>width) << 2;
    let s = p.h + at;
    if (p.r) {
      addRow(p.y + at, s, p.r + at, width);
      s = p.y + at;
    }
    store<f32>(p.inverse + (<usize>item << 2), normRow(p.y + at, s, width, p.epsilon));
  }
}

function addRow(to: usize, a: usize, b: usize, width: i32): void {
  let at: usize = 0;
  for (const end = <usize>(width & ~3) << 2; at < end; at += 16) {
    v128.store(to + at, f32x4.add(v128.load(a + at), v128.load(b + at)));
  }
  for (const end = <usize>width << 2; at < end; at += 4) store<f32>(to + at, load<f32>(a + at) + load<f32>(b + at));
}

/** y = rmsNorm(h + r) over the sequence. Scratch: the values of r (64 bytes), two panels [length][PANEL]. */
export function residualNormColumns(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<ResidualNorm>(parameters);
  const length = p.length, width = p.width;
  const step = <usize>width << 2;
  const panel = scratch + 64;
  const other = panel + <usize>length * PANEL_BYTES;
  for (let item = start; item < end; item++) {
    const puzzle = item / panelCount(width), j = item % panelCount(width);
    const columns = panelColumns(width, j);
    const at = <usize>(puzzle * length) * step + <usize>j * PANEL_BYTES;
    packPanel(panel, p.h + at, step, length, columns);
    if (p.r) {
      packPanel(other, p.r + at, step, length, columns);
      addRow(panel, panel, other, length * PANEL);
    }
    normPanel(panel, length, p.epsilon, scratch);
    storePanel(p.y + at, step, panel, length, columns);
    storePanel(p.inverse + <usize>puzzle * step + <usize>j * PANEL_BYTES, step, scratch, 1, columns);
  }
}

@unmanaged
export class ResidualNormBackward {
  ds: usize;
  y: usize;
  inverse: usize;
  dy: usize;
  length: i32;
  width: i32;
}

export function residualNormRowsBackward(parameters: usize, start: i32, end: i32): void {
  const p = changetype<ResidualNormBackward>(parameters);
  for (let item = start; item < end; item++) {
    const at = (<usize>item * <usize>p.width) << 2;
    normRowBackward(p.ds + at, p.y + at, p.dy + at, load<f32>(p.inverse + (<usize>item << 2)), p.width);
  }
}

/** Scratch as in the forward pass. */
export function residualNormColumnsBackward(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<ResidualNormBackward>(parameters);
  const length = p.length, width = p.width;
  const step = <usize>width << 2;
  const dy = scratch + 64;
  const y = dy + <usize>length * PANEL_BYTES;
  for (let item = start; item < end; item++) {
    const puzzle = item / panelCount(width), j = item % panelCount(width);
    const columns = panelColumns(width, j);
    const at = <usize>(puzzle * length) * step + <usize>j * PANEL_BYTES;
    packPanel(dy, p.dy + at, step, length, columns);
    packPanel(y, p.y + at, step, length, columns);
    packPanel(scratch, p.inverse + <usize>puzzle * step + <usize>j * PANEL_BYTES, step, 1, columns);
    normPanelBackward(dy, y, length, scratch);
    storePanel(p.ds + at, step, dy, length, columns);
  }
}
