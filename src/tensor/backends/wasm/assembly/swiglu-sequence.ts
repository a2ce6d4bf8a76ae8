// Half a block of the network over the sequence, for h [batch, length, width] and inner size I, one puzzle of the batch:
//
//   u = [gate; up] = gateUp · h       [2I, width]
//   s = silu(gate) · up               [I, width]
//   y = rmsNorm over the sequence of (h + down · s)   [length, width]
//
// No column depends on another. So sixteen columns (one cache line of each row) of one puzzle go through
// all of it at once and nothing is transposed; such groups of columns are the items that threads share out. The weights are read
// row by row as they are stored.
import { gatePanel, gatePanelBackward } from "./gate";
import { normPanel, normPanelBackward } from "./norm";
import { PANEL, PANEL_BYTES, panelColumns, panelCount } from "./layout";
import { packPanel, storePanel, transpose } from "./panels";
import { multiplyPanel, SPARE_BYTES } from "./product";

/** Panels in a group of columns: together sixteen columns, one cache line wide. */
// @ts-ignore: decorator
@inline
const GROUP: i32 = WIDE ? 1 : 2;

@unmanaged
export class SwigluSequence {
  h: usize;
  y: usize;
  /** gateUp [2I, length], down [length, I] */
  gateUp: usize;
  down: usize;
  /** Stored for the backward pass: u [batch, 2I, width] and 1 / rms [batch, width]; both 0 if there will be none. */
  u: usize;
  inverse: usize;
  length: i32;
  width: i32;
  inner: i32;
  epsilon: f32;
}

/** Rows of u or y made at once: whole tiles whose rows of weights stay in the first-level cache for both panels. */
// @ts-ignore: decorator
@inline
function blockHeight(left: i32): i32 {
  // The last block takes up to 43 rows, so that it never becomes a sliver (tileHeight splits 20 or more evenly).
  return left < 44 ? left : 24;
}

/** Bytes of a panel of one block of rows. */
// @ts-ignore: decorator
@inline
const BLOCK_BYTES: usize = 44 * PANEL_BYTES;

/** Groups of columns in one puzzle. */
// @ts-ignore: decorator
@inline
function groupCount(width: i32): i32 {
  return (panelCount(width) + GROUP - 1) / GROUP;
}

/**
 * Scratch: one tile; gate and up of a block [44][PANEL] each; the values of r; then per panel of the group
 * h [length][PANEL], the result [length][PANEL] and s [I][PANEL].
 */
export function swigluSequence(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluSequence>(parameters);
  const length = p.length, width = p.width, inner = p.inner;
  const stepH = <usize>width << 2, stepGateUp = <usize>length << 2, stepDown = <usize>inner << 2;
  const gate = scratch + SPARE_BYTES;
  const up = gate + BLOCK_BYTES;
  const inverse = up + BLOCK_BYTES;
  const hPanels = inverse + 64;
  const sumPanels = hPanels + <usize>(GROUP * length) * PANEL_BYTES;
  const sPanels = sumPanels + <usize>(GROUP * length) * PANEL_BYTES;
  const groups = groupCount(width);
  for (let item = start; item < end; item++) {
    const puzzle = item / groups;
    const firstPanel = (item % groups) * GROUP;
    const panels = min(GROUP, panelCount(width) - firstPanel);
    const at = <usize>puzzle * <usize>length * stepH + <usize>firstPanel * PANEL_BYTES;
    for (let j = 0; j < panels; j++) {
      const columns = panelColumns(width, firstPanel + j);
      packPanel(hPanels + <usize>(j * length) * PANEL_BYTES, p.h + at + <usize>j * PANEL_BYTES, stepH, length, columns);
    }
    for (let i = 0; i < inner; ) {
      const height = blockHeight(inner - i);
      const gateRows = p.gateUp + <usize>i * stepGateUp;
      const upRows = gateRows + <usize>inner * stepGateUp;
      for (let j = 0; j < panels; j++) {
        const h = hPanels + <usize>(j * length) * PANEL_BYTES;
        const s = sPanels + <usize>(j * inner + i) * PANEL_BYTES;
        multiplyPanel(true, height, PANEL, length, gateRows, stepGateUp, h, gate, PANEL_BYTES, 0, 0, scratch);
        multiplyPanel(true, height, PANEL, length, upRows, stepGateUp, h, up, PANEL_BYTES, 0, 0, scratch);
        gatePanel(s, PANEL_BYTES, gate, up, PANEL_BYTES, height);
        if (p.u) {
          const columns = panelColumns(width, firstPanel + j);
          const u = p.u + <usize>(puzzle * 2 * inner + i) * stepH + <usize>(firstPanel + j) * PANEL_BYTES;
          storePanel(u, stepH, gate, height, columns);
          storePanel(u + <usize>inner * stepH, stepH, up, height, columns);
        }
      }
      i += height;
    }
    for (let i = 0; i < length; ) {
      const height = blockHeight(length - i);
      const downRows = p.down + <usize>i * stepDown;
      for (let j = 0; j < panels; j++) {
        const h = hPanels + <usize>(j * length + i) * PANEL_BYTES;
        const sum = sumPanels + <usize>(j * length + i) * PANEL_BYTES;
        const s = sPanels + <usize>(j * inner) * PANEL_BYTES;
        multiplyPanel(true, height, PANEL, inner, downRows, stepDown, s, sum, PANEL_BYTES, h, PANEL_BYTES, scratch);
      }
      i += height;
    }
    for (let j = 0; j < panels; j++) {
      const columns = panelColumns(width, firstPanel + j);
      const sum = sumPanels + <usize>(j * length) * PANEL_BYTES;
      normPanel(sum, length, p.epsilon, inverse);
      storePanel(p.y + at + <usize>j * PANEL_BYTES, stepH, sum, length, columns);
      if (p.inverse) storePanel(p.inverse + <usize>puzzle * stepH + <usize>(firstPanel + j) * PANEL_BYTES, stepH, inverse, 1, columns);
    }
  }
}

@unmanaged
export class SwigluSequenceBackward {
  dy: usize;
  y: usize;
  h: usize;
  u: usize;
  inverse: usize;
  /** gateUpᵀ [length, 2I], downᵀ [I, length] */
  gateUpTransposed: usize;
  downTransposed: usize;
  dh: usize;
  /** For the gradients of the weights: per puzzle the rows [dgate; dup; s], 3I by `width` rounded up to whole panels. */
  tall: usize;
  /** For the same: panels of hᵀ and of the transposed gradient before the norm, each [panels of length][batch · width][PANEL]. */
  hPanels: usize;
  dsumPanels: usize;
  batch: i32;
  length: i32;
  width: i32;
  inner: i32;
}

/** Scratch: one tile; the values of r; then per panel of the group dsum, h and y [length][PANEL], du [2I][PANEL]; ds [44][PANEL]. */
export function swigluSequenceBackward(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluSequenceBackward>(parameters);
  const length = p.length, width = p.width, inner = p.inner;
  const stepH = <usize>width << 2, stepTall = <usize>panelCount(width) * PANEL_BYTES;
  const stepGateUp = <usize>inner << 3, stepDown = <usize>length << 2;
  const panelBytes = <usize>length * PANEL_BYTES;
  const inverse = scratch + SPARE_BYTES;
  const dsumPanels = inverse + 64;
  const other = dsumPanels + <usize>GROUP * panelBytes;
  const duPanels = other + panelBytes;
  const ds = duPanels + <usize>(GROUP * 2 * inner) * PANEL_BYTES;
  const groups = groupCount(width);
  for (let item = start; item < end; item++) {
    const puzzle = item / groups;
    const firstPanel = (item % groups) * GROUP;
    const panels = min(GROUP, panelCount(width) - firstPanel);
    const at = <usize>puzzle * <usize>length * stepH + <usize>firstPanel * PANEL_BYTES;
    for (let j = 0; j < panels; j++) {
      const columns = panelColumns(width, firstPanel + j);
      const dsum = dsumPanels + <usize>j * panelBytes;
      const column = at + <usize>j * PANEL_BYTES;
      packPanel(other, p.y + column, stepH, length, columns);
      packPanel(dsum, p.dy + column, stepH, length, columns);
      packPanel(inverse, p.inverse + <usize>puzzle * stepH + <usize>(firstPanel + j) * PANEL_BYTES, stepH, 1, columns);
      normPanelBackward(dsum, other, length, inverse);
      packPanel(other, p.h + column, stepH, length, columns);
      const row = puzzle * width + (firstPanel + j) * PANEL;
      transposePanel(p.hPanels, other, length, columns, row, p.batch * width);
      transposePanel(p.dsumPanels, dsum, length, columns, row, p.batch * width);
    }
    for (let i = 0; i < inner; ) {
      const height = blockHeight(inner - i);
      for (let j = 0; j < panels; j++) {
        const dsum = dsumPanels + <usize>j * panelBytes;
        multiplyPanel(true, height, PANEL, length, p.downTransposed + <usize>i * stepDown, stepDown, dsum, ds, PANEL_BYTES, 0, 0, scratch);
        const du = duPanels + <usize>(j * 2 * inner + i) * PANEL_BYTES;
        const gate = p.u + <usize>(puzzle * 2 * inner + i) * stepH + <usize>(firstPanel + j) * PANEL_BYTES;
        const up = gate + <usize>inner * stepH;
        const tall = p.tall + <usize>(puzzle * 3 * inner + i) * stepTall + <usize>(firstPanel + j) * PANEL_BYTES;
        const part = <usize>inner * stepTall;
        gatePanelBackward(tall, stepTall, part, du, <usize>inner * PANEL_BYTES, gate, up, stepH, ds, height);
      }
      i += height;
    }
    for (let i = 0; i < length; ) {
      const height = blockHeight(length - i);
      const weights = p.gateUpTransposed + <usize>i * stepGateUp;
      for (let j = 0; j < panels; j++) {
        const columns = panelColumns(width, firstPanel + j);
        const dsum = dsumPanels + <usize>j * panelBytes + <usize>i * PANEL_BYTES;
        const du = duPanels + <usize>(j * 2 * inner) * PANEL_BYTES;
        const dh = p.dh + at + <usize>i * stepH + <usize>j * PANEL_BYTES;
        multiplyPanel(true, height, columns, 2 * inner, weights, stepGateUp, du, dh, stepH, dsum, PANEL_BYTES, scratch);
      }
      i += height;
    }
  }
}

/** panels[l / PANEL][row + c][l % PANEL] = panel[l][c]: columns of a puzzle as rows of the transposed panels. */
function transposePanel(panels: usize, panel: usize, length: i32, columns: i32, row: i32, rows: i32): void {
  for (let l = 0; l < length; l += 4) {
    const to = panels + <usize>(l / PANEL * rows + row) * PANEL_BYTES + (<usize>(l % PANEL) << 2);
    transpose(to, PANEL_BYTES, panel, PANEL_BYTES, min(4, length - l), columns);
    panel += 4 * PANEL_BYTES;
  }
}
