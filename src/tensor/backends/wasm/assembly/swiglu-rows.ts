// Half a block of the network along the last axis, for h [rows, width] and inner width I:
//
//   u = [gate; up] = h · gateUpᵀ      [rows, 2I]
//   s = silu(gate) · up               [rows, I]
//   y = rmsNorm(h + s · downᵀ)        [rows, width]
//
// A block of rows goes through all of it at once, so that u and s never leave the cache; the items that threads share out
// are blocks of rows. The weights come as panels (panels.ts): gate and up each of gateUpᵀ, down of downᵀ.
import { gatePanel, gatePanelBackward } from "./gate";
import { normRow, normRowBackward } from "./norm";
import { packPanel, panelColumns, panelCount } from "./panels";
import { multiplyPanel, SPARE_BYTES } from "./product";

@unmanaged
export class SwigluRows {
  h: usize;
  y: usize;
  gatePanels: usize;
  upPanels: usize;
  downPanels: usize;
  /** Stored for the backward pass: u [rows, 2I] and 1 / rms [rows]; both 0 if there will be none. */
  u: usize;
  inverse: usize;
  rows: i32;
  width: i32;
  inner: i32;
  blockRows: i32;
  epsilon: f32;
}

/** Scratch: one tile, gate and up of one panel [blockRows][8 + 8], s [blockRows][I rounded up to 8]. */
export function swigluRows(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluRows>(parameters);
  const width = p.width, inner = p.inner, blockRows = p.blockRows;
  const stepH = <usize>width << 2;
  const panels = panelCount(inner);
  const stepS = <usize>panels << 5;
  const gateUp = scratch + SPARE_BYTES;
  const s = gateUp + (<usize>blockRows << 6);
  for (let item = start; item < end; item++) {
    const first = item * blockRows;
    const rows = min(blockRows, p.rows - first);
    const h = p.h + <usize>first * stepH;
    const y = p.y + <usize>first * stepH;
    // u is written where it will be kept, or only as one panel of gate beside one of up.
    const stepU: usize = p.u ? <usize>inner << 3 : 64;
    for (let j = 0; j < panels; j++) {
      const columns = panelColumns(inner, j);
      const offset = (<usize>j << 5) * <usize>width;
      const gate = p.u ? p.u + <usize>first * stepU + (<usize>j << 5) : gateUp;
      const up = p.u ? gate + (<usize>inner << 2) : gateUp + 32;
      multiplyPanel(true, rows, columns, width, h, stepH, p.gatePanels + offset, gate, stepU, 0, 0, scratch);
      multiplyPanel(true, rows, columns, width, h, stepH, p.upPanels + offset, up, stepU, 0, 0, scratch);
      gatePanel(s + (<usize>j << 5), stepS, gate, up, stepU, rows);
    }
    for (let j = 0; j < panelCount(width); j++) {
      const panel = p.downPanels + (<usize>j << 5) * <usize>inner;
      const at = <usize>j << 5;
      multiplyPanel(true, rows, panelColumns(width, j), inner, s, stepS, panel, y + at, stepH, h + at, stepH, scratch);
    }
    for (let i = 0; i < rows; i++) {
      const row = y + <usize>i * stepH;
      const inverse = normRow(row, row, width, p.epsilon);
      if (p.inverse) store<f32>(p.inverse + (<usize>(first + i) << 2), inverse);
    }
  }
}

@unmanaged
export class SwigluRowsBackward {
  dy: usize;
  y: usize;
  h: usize;
  u: usize;
  inverse: usize;
  /** Panels of down [width, I]. */
  downPanels: usize;
  /** Panels of the two halves of gateUp, each [I, width]. */
  gatePanels: usize;
  upPanels: usize;
  dh: usize;
  /** For the gradients of the weights: [dgate | dup | s] with row step `stepWide`, each part I rounded up to 8 wide. */
  wide: usize;
  stepWide: usize;
  /** For the same: the panels of h and of the gradient before the norm, each [panels][rows][8]. */
  hPanels: usize;
  dsumPanels: usize;
  rows: i32;
  width: i32;
  inner: i32;
  blockRows: i32;
}

/** Scratch: one tile, the gradient before the norm [blockRows][width], ds of one panel [blockRows][8]. */
export function swigluRowsBackward(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluRowsBackward>(parameters);
  const width = p.width, inner = p.inner, blockRows = p.blockRows, stepWide = p.stepWide;
  const stepH = <usize>width << 2;
  const stepU = <usize>inner << 3;
  const panels = panelCount(inner);
  const part = <usize>panels << 5;
  const dsum = scratch + SPARE_BYTES;
  const ds = dsum + <usize>blockRows * stepH;
  for (let item = start; item < end; item++) {
    const first = item * blockRows;
    const rows = min(blockRows, p.rows - first);
    const wide = p.wide + <usize>first * stepWide;
    for (let i = 0; i < rows; i++) {
      const at = <usize>(first + i) * stepH;
      const inverse = load<f32>(p.inverse + (<usize>(first + i) << 2));
      normRowBackward(dsum + <usize>i * stepH, p.y + at, p.dy + at, inverse, width);
    }
    for (let j = 0; j < panels; j++) {
      const panel = p.downPanels + (<usize>j << 5) * <usize>width;
      multiplyPanel(true, rows, 8, width, dsum, stepH, panel, ds, 32, 0, 0, scratch);
      const gate = p.u + <usize>first * stepU + (<usize>j << 5);
      gatePanelBackward(wide + (<usize>j << 5), stepWide, part, 0, 0, gate, gate + (<usize>inner << 2), stepU, ds, rows);
    }
    const dh = p.dh + <usize>first * stepH;
    for (let j = 0; j < panelCount(width); j++) {
      const columns = panelColumns(width, j);
      const at = <usize>j << 5;
      const panel = at * <usize>inner;
      multiplyPanel(true, rows, columns, inner, wide, stepWide, p.gatePanels + panel, dh + at, stepH, dsum + at, stepH, scratch);
      multiplyPanel(true, rows, columns, inner, wide + part, stepWide, p.upPanels + panel, dh + at, stepH, dh + at, stepH, scratch);
      const to = (<usize>j * <usize>p.rows + <usize>first) << 5;
      packPanel(p.hPanels + to, p.h + <usize>first * stepH + at, stepH, rows, columns);
      packPanel(p.dsumPanels + to, dsum + at, stepH, rows, columns);
    }
  }
}
