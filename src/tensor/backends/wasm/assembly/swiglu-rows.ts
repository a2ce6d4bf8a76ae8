// Half a block of the network along the last axis, for h [rows, width] and inner width I:
//
//   u = [gate; up] = h · gateUpᵀ      [rows, 2I]
//   s = silu(gate) · up               [rows, I]
//   y = rmsNorm(h + s · downᵀ)        [rows, width]
//
// One block of rows goes through all three steps at once, so that u and s stay in the cache. Items are blocks of rows. The weights are
// packed in panels (panels.ts): those of the gate and up halves of gateUpᵀ, and of downᵀ.
import { gatePanel, gatePanelBackward } from "./gate";
import { normRow, normRowBackward } from "./norm";
import { PANEL, PANEL_BYTES, panelColumns, panelCount } from "./layout";
import { packPanel } from "./panels";
import { accumulate, Left, multiplyPanel, SPARE_BYTES } from "./product";
import { evenStart, groupStart } from "./shares";
import { packStrips } from "./strips";

@unmanaged
export class SwigluRows {
  h: usize;
  y: usize;
  gatePanels: usize;
  upPanels: usize;
  downPanels: usize;
  /** Stored for the backward pass: u (see panelOfU) and 1 / rms [rows]. Both are 0 if there is no backward pass. */
  u: usize;
  inverse: usize;
  rows: i32;
  width: i32;
  inner: i32;
  blockRows: i32;
  epsilon: f32;
}

/**
 * Address of a panel's columns of u, [gate; up][rows][columns of this panel]. The backward pass also reads panel by panel, so it reads one
 * contiguous stream; with u stored by rows, each panel would use one cache line of every row.
 */
// @ts-ignore: decorator
@inline
function panelOfU(u: usize, panel: i32, rows: i32): usize {
  return u + <usize>(2 * rows) * (<usize>(panel * PANEL) << 2);
}

/** Scratch: one tile, strips of h [blockRows][width], gate and up of one panel [blockRows][2 PANEL], s [blockRows][I rounded up to PANEL]. */
export function swigluRows(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluRows>(parameters);
  const width = p.width, inner = p.inner, blockRows = p.blockRows;
  const stepH = <usize>width << 2;
  const panels = panelCount(inner);
  const stepS = <usize>panels * PANEL_BYTES;
  const strips = scratch + SPARE_BYTES;
  const gateUp = strips + <usize>blockRows * stepH;
  const s = gateUp + <usize>blockRows * 2 * PANEL_BYTES;
  for (let item = start; item < end; item++) {
    const first = item * blockRows;
    const rows = min(blockRows, p.rows - first);
    const h = p.h + <usize>first * stepH;
    const y = p.y + <usize>first * stepH;
    packStrips(strips, h, stepH, rows, width);
    for (let j = 0; j < panels; j++) {
      const columns = panelColumns(inner, j);
      const at = <usize>j * PANEL_BYTES;
      const offset = at * <usize>width;
      // u is written to memory for the backward pass, or to scratch as one panel of gate beside one of up.
      const stepU: usize = p.u ? <usize>columns << 2 : 2 * PANEL_BYTES;
      const gate = p.u ? panelOfU(p.u, j, p.rows) + <usize>first * stepU : gateUp;
      const up = p.u ? gate + <usize>p.rows * stepU : gateUp + PANEL_BYTES;
      multiplyPanel(Left.STRIPS, rows, columns, width, strips, 0, p.gatePanels + offset, gate, stepU, 0, 0, scratch);
      multiplyPanel(Left.STRIPS, rows, columns, width, strips, 0, p.upPanels + offset, up, stepU, 0, 0, scratch);
      gatePanel(s + at, stepS, gate, up, stepU, rows);
    }
    for (let j = 0; j < panelCount(width); j++) {
      const at = <usize>j * PANEL_BYTES;
      const panel = p.downPanels + at * <usize>inner;
      multiplyPanel(Left.ROWS, rows, panelColumns(width, j), inner, s, stepS, panel, y + at, stepH, h + at, stepH, scratch);
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
  /** For the gradients of the weights: dgate, dup and s, each [rows][I rounded up to whole panels], with rows `stepWide` bytes apart. */
  wide: usize;
  stepWide: usize;
  /** For the gradients of the weights: panels of h and of the gradient before the norm, each [panels][rows][PANEL]. */
  hPanels: usize;
  dsumPanels: usize;
  rows: i32;
  width: i32;
  inner: i32;
  blockRows: i32;
  /** Used by `swigluRowsGroups` only, which keeps wide, hPanels and dsumPanels in its scratch: see groups.ts. */
  groups: i32;
  partial: usize;
}

/** dh for all rows. The gradients of the weights follow from products of `wide` and the panels. Items are blocks of rows. */
export function swigluRowsBackward(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluRowsBackward>(parameters);
  for (let item = start; item < end; item++) {
    const first = item * p.blockRows;
    const rows = min(p.blockRows, p.rows - first);
    const wide = p.wide + <usize>first * p.stepWide;
    const at = <usize>first * PANEL_BYTES;
    backwardBlock(p, first, rows, wide, p.hPanels + at, p.dsumPanels + at, p.rows, scratch);
  }
}

/**
 * dh, and the gradients of the weights summed over a group of rows. Items are groups.
 * Scratch: that of a block; the rows of `wide` and the panels of h and of the gradient before the norm of one block.
 */
export function swigluRowsGroups(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluRowsBackward>(parameters);
  const inner = p.inner;
  const panels = panelCount(p.width);
  const step = <usize>panels * PANEL_BYTES;
  const wide = scratch + blockScratchBytes(p);
  const hPanels = wide + <usize>(3 * p.blockRows) * p.stepWide;
  const dsumPanels = hPanels + <usize>p.blockRows * step;
  for (let item = start; item < end; item++) {
    const firstRow = groupStart(item, p.rows, p.groups);
    const count = groupStart(item + 1, p.rows, p.groups) - firstRow;
    const blocks = (count + p.blockRows - 1) / p.blockRows;
    const gate = p.partial + <usize>(3 * inner * item) * step;
    const up = gate + <usize>inner * step;
    const down = up + <usize>inner * step;
    for (let block = 0; block < blocks; block++) {
      const first = evenStart(block, count, blocks);
      const rows = evenStart(block + 1, count, blocks) - first;
      backwardBlock(p, firstRow + first, rows, wide, hPanels, dsumPanels, rows, scratch);
      const add = block > 0;
      const part = <usize>rows * p.stepWide;
      accumulate(false, add, inner, p.width, rows, wide, p.stepWide, hPanels, gate, step, 0, 0);
      accumulate(false, add, inner, p.width, rows, wide + part, p.stepWide, hPanels, up, step, 0, 0);
      accumulate(false, add, inner, p.width, rows, wide + 2 * part, p.stepWide, dsumPanels, down, step, 0, 0);
    }
  }
}

/** Scratch of a block: one tile, the gradient before the norm [blockRows][width], its strips, ds of one panel. */
// @ts-ignore: decorator
@inline
function blockScratchBytes(p: SwigluRowsBackward): usize {
  return (SPARE_BYTES + <usize>p.blockRows * ((<usize>p.width << 3) + PANEL_BYTES) + 63) & ~63;
}

/** Each part of `wide` and each panel has `panelRows` rows. Those of this block begin at `wide`, `hPanels` and `dsumPanels`. */
function backwardBlock(
  p: SwigluRowsBackward,
  first: i32,
  rows: i32,
  wide: usize,
  hPanels: usize,
  dsumPanels: usize,
  panelRows: i32,
  scratch: usize,
): void {
  const width = p.width, inner = p.inner, stepWide = p.stepWide;
  const stepH = <usize>width << 2;
  const panels = panelCount(inner);
  const part = <usize>panelRows * stepWide;
  const dsum = scratch + SPARE_BYTES;
  const strips = dsum + <usize>p.blockRows * stepH;
  const ds = strips + <usize>p.blockRows * stepH;
  for (let i = 0; i < rows; i++) {
    const at = <usize>(first + i) * stepH;
    const inverse = load<f32>(p.inverse + (<usize>(first + i) << 2));
    normRowBackward(dsum + <usize>i * stepH, p.y + at, p.dy + at, inverse, width);
  }
  packStrips(strips, dsum, stepH, rows, width);
  for (let j = 0; j < panels; j++) {
    const at = <usize>j * PANEL_BYTES;
    const panel = p.downPanels + at * <usize>width;
    multiplyPanel(Left.STRIPS, rows, PANEL, width, strips, 0, panel, ds, PANEL_BYTES, 0, 0, scratch);
    const stepU = <usize>panelColumns(inner, j) << 2;
    const gate = panelOfU(p.u, j, p.rows) + <usize>first * stepU;
    gatePanelBackward(wide + at, stepWide, part, 0, 0, gate, gate + <usize>p.rows * stepU, stepU, ds, rows);
  }
  const dh = p.dh + <usize>first * stepH;
  for (let j = 0; j < panelCount(width); j++) {
    const columns = panelColumns(width, j);
    const at = <usize>j * PANEL_BYTES;
    const panel = at * <usize>inner;
    multiplyPanel(Left.ROWS, rows, columns, inner, wide, stepWide, p.gatePanels + panel, dh + at, stepH, dsum + at, stepH, scratch);
    multiplyPanel(Left.ROWS, rows, columns, inner, wide + part, stepWide, p.upPanels + panel, dh + at, stepH, dh + at, stepH, scratch);
    const to = <usize>(j * panelRows) * PANEL_BYTES;
    packPanel(hPanels + to, p.h + <usize>first * stepH + at, stepH, rows, columns);
    packPanel(dsumPanels + to, dsum + at, stepH, rows, columns);
  }
}

