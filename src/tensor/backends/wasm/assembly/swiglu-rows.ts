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
import { PANEL, PANEL_BYTES, panelColumns, panelCount } from "./layout";
import { packPanel } from "./panels";
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

/** Scratch: one tile, gate and up of one panel [blockRows][2 PANEL], s [blockRows][I rounded up to PANEL]. */
export function swigluRows(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluRows>(parameters);
  const width = p.width, inner = p.inner, blockRows = p.blockRows;
  const stepH = <usize>width << 2;
  const panels = panelCount(inner);
  const stepS = <usize>panels * PANEL_BYTES;
  const gateUp = scratch + SPARE_BYTES;
  const s = gateUp + <usize>blockRows * 2 * PANEL_BYTES;
  for (let item = start; item < end; item++) {
    const first = item * blockRows;
    const rows = min(blockRows, p.rows - first);
    const h = p.h + <usize>first * stepH;
    const y = p.y + <usize>first * stepH;
    // u is written where it will be kept, or only as one panel of gate beside one of up.
    const stepU: usize = p.u ? <usize>inner << 3 : 2 * PANEL_BYTES;
    for (let j = 0; j < panels; j++) {
      const columns = panelColumns(inner, j);
      const at = <usize>j * PANEL_BYTES;
      const offset = at * <usize>width;
      const gate = p.u ? p.u + <usize>first * stepU + at : gateUp;
      const up = p.u ? gate + (<usize>inner << 2) : gateUp + PANEL_BYTES;
      multiplyPanel(true, rows, columns, width, h, stepH, p.gatePanels + offset, gate, stepU, 0, 0, scratch);
      multiplyPanel(true, rows, columns, width, h, stepH, p.upPanels + offset, up, stepU, 0, 0, scratch);
      gatePanel(s + at, stepS, gate, up, stepU, rows);
    }
    for (let j = 0; j < panelCount(width); j++) {
      const at = <usize>j * PANEL_BYTES;
      const panel = p.downPanels + at * <usize>inner;
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
  /** For the gradients of the weights: [dgate | dup | s] with row step `stepWide`, each part I rounded up to whole panels. */
  wide: usize;
  stepWide: usize;
  /** For the same: the panels of h and of the gradient before the norm, each [panels][rows][PANEL]. */
  hPanels: usize;
  dsumPanels: usize;
  rows: i32;
  width: i32;
  inner: i32;
  blockRows: i32;
}

/** Scratch: one tile, the gradient before the norm [blockRows][width], ds of one panel. */
export function swigluRowsBackward(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluRowsBackward>(parameters);
  const width = p.width, inner = p.inner, blockRows = p.blockRows, stepWide = p.stepWide;
  const stepH = <usize>width << 2;
  const stepU = <usize>inner << 3;
  const panels = panelCount(inner);
  const part = <usize>panels * PANEL_BYTES;
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
      const at = <usize>j * PANEL_BYTES;
      const panel = p.downPanels + at * <usize>width;
      multiplyPanel(true, rows, PANEL, width, dsum, stepH, panel, ds, PANEL_BYTES, 0, 0, scratch);
      const gate = p.u + <usize>first * stepU + at;
      gatePanelBackward(wide + at, stepWide, part, 0, 0, gate, gate + (<usize>inner << 2), stepU, ds, rows);
    }
    const dh = p.dh + <usize>first * stepH;
    for (let j = 0; j < panelCount(width); j++) {
      const columns = panelColumns(width, j);
      const at = <usize>j * PANEL_BYTES;
      const panel = at * <usize>inner;
      multiplyPanel(true, rows, columns, inner, wide, stepWide, p.gatePanels + panel, dh + at, stepH, dsum + at, stepH, scratch);
      multiplyPanel(true, rows, columns, inner, wide + part, stepWide, p.upPanels + panel, dh + at, stepH, dh + at, stepH, scratch);
      const to = <usize>(j * p.rows + first) * PANEL_BYTES;
      packPanel(p.hPanels + to, p.h + <usize>first * stepH + at, stepH, rows, columns);
      packPanel(p.dsumPanels + to, dsum + at, stepH, rows, columns);
    }
  }
}
