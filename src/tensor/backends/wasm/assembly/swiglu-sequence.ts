// Half a block of the network over the sequence, for h [batch, length, width] and inner size I, one puzzle of the batch:
//
//   u = [gate; up] = gateUp · h       [2I, width]
//   s = silu(gate) · up               [I, width]
//   y = rmsNorm over the sequence of (h + down · s)   [length, width]
//
// No column depends on another. So sixteen columns (one cache line of each row, two panels) of one puzzle go through
// all of it at once and nothing is transposed; such groups of columns are the items that threads share out. The weights are read
// row by row as they are stored.
import { gatePanel, gatePanelBackward } from "./gate";
import { normPanel, normPanelBackward } from "./norm";
import { packPanel, panelColumns, panelCount, storePanel, transpose } from "./panels";
import { multiplyPanel, SPARE_BYTES } from "./product";

/** Panels in a group of columns: together one cache line wide. */
// @ts-ignore: decorator
@inline
const GROUP: i32 = 2;

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
const BLOCK_BYTES: usize = 44 * 32;

/** Groups of columns in one puzzle. */
// @ts-ignore: decorator
@inline
function groupCount(width: i32): i32 {
  return (panelCount(width) + GROUP - 1) / GROUP;
}

/**
 * Scratch: one tile; gate and up of a block [44][8] each; eight values of r; then per panel of the group
 * h [length][8], the result [length][8] and s [I][8].
 */
export function swigluSequence(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluSequence>(parameters);
  const length = p.length, width = p.width, inner = p.inner;
  const stepH = <usize>width << 2, stepGateUp = <usize>length << 2, stepDown = <usize>inner << 2;
  const gate = scratch + SPARE_BYTES;
  const up = gate + BLOCK_BYTES;
  const inverse = up + BLOCK_BYTES;
  const hPanels = inverse + 64;
  const sumPanels = hPanels + (<usize>(GROUP * length) << 5);
  const sPanels = sumPanels + (<usize>(GROUP * length) << 5);
  const groups = groupCount(width);
  for (let item = start; item < end; item++) {
    const puzzle = item / groups;
    const firstPanel = (item % groups) * GROUP;
    const panels = min(GROUP, panelCount(width) - firstPanel);
    const at = <usize>puzzle * <usize>length * stepH + (<usize>firstPanel << 5);
    for (let j = 0; j < panels; j++) {
      const columns = panelColumns(width, firstPanel + j);
      packPanel(hPanels + (<usize>(j * length) << 5), p.h + at + (<usize>j << 5), stepH, length, columns);
    }
    for (let i = 0; i < inner; ) {
      const height = blockHeight(inner - i);
      const gateRows = p.gateUp + <usize>i * stepGateUp;
      const upRows = gateRows + <usize>inner * stepGateUp;
      for (let j = 0; j < panels; j++) {
        const h = hPanels + (<usize>(j * length) << 5);
        const s = sPanels + (<usize>(j * inner + i) << 5);
        multiplyPanel(true, height, 8, length, gateRows, stepGateUp, h, gate, 32, 0, 0, scratch);
        multiplyPanel(true, height, 8, length, upRows, stepGateUp, h, up, 32, 0, 0, scratch);
        gatePanel(s, 32, gate, up, 32, height);
        if (p.u) {
          const columns = panelColumns(width, firstPanel + j);
          const u = p.u + <usize>(puzzle * 2 * inner + i) * stepH + (<usize>(firstPanel + j) << 5);
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
        const h = hPanels + (<usize>(j * length + i) << 5);
        const sum = sumPanels + (<usize>(j * length + i) << 5);
        const s = sPanels + (<usize>(j * inner) << 5);
        multiplyPanel(true, height, 8, inner, downRows, stepDown, s, sum, 32, h, 32, scratch);
      }
      i += height;
    }
    for (let j = 0; j < panels; j++) {
      const columns = panelColumns(width, firstPanel + j);
      const sum = sumPanels + (<usize>(j * length) << 5);
      normPanel(sum, length, p.epsilon, inverse);
      storePanel(p.y + at + (<usize>j << 5), stepH, sum, length, columns);
      if (p.inverse) storePanel(p.inverse + <usize>puzzle * stepH + (<usize>(firstPanel + j) << 5), stepH, inverse, 1, columns);
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
  /** For the gradients of the weights: per puzzle the rows [dgate; dup; s], 3I by `width` rounded up to 8. */
  tall: usize;
  /** For the same: panels of hᵀ and of the transposed gradient before the norm, each [panels of length][batch · width][8]. */
  hPanels: usize;
  dsumPanels: usize;
  batch: i32;
  length: i32;
  width: i32;
  inner: i32;
}

/** Scratch: one tile; eight values of r; then per panel of the group dsum, h and y [length][8], du [2I][8]; ds [44][8]. */
export function swigluSequenceBackward(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluSequenceBackward>(parameters);
  const length = p.length, width = p.width, inner = p.inner;
  const stepH = <usize>width << 2, stepTall = <usize>panelCount(width) << 5;
  const stepGateUp = <usize>inner << 3, stepDown = <usize>length << 2;
  const panelBytes = <usize>length << 5;
  const inverse = scratch + SPARE_BYTES;
  const dsumPanels = inverse + 64;
  const other = dsumPanels + <usize>GROUP * panelBytes;
  const duPanels = other + panelBytes;
  const ds = duPanels + (<usize>(GROUP * 2 * inner) << 5);
  const groups = groupCount(width);
  for (let item = start; item < end; item++) {
    const puzzle = item / groups;
    const firstPanel = (item % groups) * GROUP;
    const panels = min(GROUP, panelCount(width) - firstPanel);
    const at = <usize>puzzle * <usize>length * stepH + (<usize>firstPanel << 5);
    for (let j = 0; j < panels; j++) {
      const columns = panelColumns(width, firstPanel + j);
      const dsum = dsumPanels + <usize>j * panelBytes;
      const column = at + (<usize>j << 5);
      packPanel(other, p.y + column, stepH, length, columns);
      packPanel(dsum, p.dy + column, stepH, length, columns);
      packPanel(inverse, p.inverse + <usize>puzzle * stepH + (<usize>(firstPanel + j) << 5), stepH, 1, columns);
      normPanelBackward(dsum, other, length, inverse);
      packPanel(other, p.h + column, stepH, length, columns);
      const row = puzzle * width + ((firstPanel + j) << 3);
      transposePanel(p.hPanels, other, length, columns, row, p.batch * width);
      transposePanel(p.dsumPanels, dsum, length, columns, row, p.batch * width);
    }
    for (let i = 0; i < inner; ) {
      const height = blockHeight(inner - i);
      for (let j = 0; j < panels; j++) {
        const dsum = dsumPanels + <usize>j * panelBytes;
        multiplyPanel(true, height, 8, length, p.downTransposed + <usize>i * stepDown, stepDown, dsum, ds, 32, 0, 0, scratch);
        const du = duPanels + (<usize>(j * 2 * inner + i) << 5);
        const gate = p.u + <usize>(puzzle * 2 * inner + i) * stepH + (<usize>(firstPanel + j) << 5);
        const up = gate + <usize>inner * stepH;
        const tall = p.tall + <usize>(puzzle * 3 * inner + i) * stepTall + (<usize>(firstPanel + j) << 5);
        const part = <usize>inner * stepTall;
        gatePanelBackward(tall, stepTall, part, du, <usize>inner << 5, gate, up, stepH, ds, height);
      }
      i += height;
    }
    for (let i = 0; i < length; ) {
      const height = blockHeight(length - i);
      const weights = p.gateUpTransposed + <usize>i * stepGateUp;
      for (let j = 0; j < panels; j++) {
        const columns = panelColumns(width, firstPanel + j);
        const dsum = dsumPanels + <usize>j * panelBytes + (<usize>i << 5);
        const du = duPanels + (<usize>(j * 2 * inner) << 5);
        const dh = p.dh + at + <usize>i * stepH + (<usize>j << 5);
        multiplyPanel(true, height, columns, 2 * inner, weights, stepGateUp, du, dh, stepH, dsum, 32, scratch);
      }
      i += height;
    }
  }
}

/** panels[l / 8][row + c][l % 8] = panel[l][c]: eight columns of a puzzle as rows of the transposed panels. */
function transposePanel(panels: usize, panel: usize, length: i32, columns: i32, row: i32, rows: i32): void {
  for (let l = 0; l < length; l += 4) {
    const to = panels + (<usize>((l >> 3) * rows + row) << 5) + (<usize>(l & 7) << 2);
    transpose(to, 32, panel, 32, min(4, length - l), columns);
    panel += 128;
  }
}
