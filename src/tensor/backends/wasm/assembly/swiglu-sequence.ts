// Half a block of the network over the sequence, for h [batch, length, width] and inner size I, one puzzle of the batch:
//
//   u = [gate; up] = gateUp · h       [2I, width]
//   s = silu(gate) · up               [I, width]
//   y = rmsNorm over the sequence of (h + down · s)   [length, width]
//
// The columns are independent. So sixteen columns (one cache line of each row) of one puzzle go through all three steps at once, and
// nothing is transposed. Items are such groups of columns. The weights are packed in strips (strips.ts).
import { gatePanel, gatePanelBackward } from "./gate";
import { normPanel, normPanelBackward } from "./norm";
import { PANEL, PANEL_BYTES, panelColumns, panelCount } from "./layout";
import { packPanel, storePanel, transpose } from "./panels";
import { accumulate, BLOCK_ROWS, blockHeight, Left, multiplyPanel, SPARE_BYTES } from "./product";
import { groupStart } from "./shares";

/** Number of panels in a group of columns: sixteen columns in total, which is one cache line. */
// @ts-ignore: decorator
@inline
const GROUP: i32 = WIDE ? 1 : 2;

@unmanaged
export class SwigluSequence {
  h: usize;
  y: usize;
  /** Strips of the two halves of gateUp, each [I, length], and of down [length, I]. */
  gateStrips: usize;
  upStrips: usize;
  downStrips: usize;
  /** Stored for the backward pass: u (see panelOfU) and 1 / rms [batch, width]. Both are 0 if there is no backward pass. */
  u: usize;
  inverse: usize;
  length: i32;
  width: i32;
  inner: i32;
  epsilon: f32;
}

/** Bytes of a panel of one block of rows. */
// @ts-ignore: decorator
@inline
const BLOCK_BYTES: usize = BLOCK_ROWS * PANEL_BYTES;

/** Number of groups of columns in one puzzle. */
// @ts-ignore: decorator
@inline
function groupCount(width: i32): i32 {
  return (panelCount(width) + GROUP - 1) / GROUP;
}

/**
 * Address of a panel's columns of u, [2I][columns of this panel]. The rows are as wide as a panel and not as wide as h, because rows a
 * power of two apart would map to the same few sets of the cache.
 */
// @ts-ignore: decorator
@inline
function panelOfU(u: usize, puzzle: i32, panel: i32, inner: i32, width: i32): usize {
  return u + <usize>(2 * inner) * (<usize>(puzzle * width + panel * PANEL) << 2);
}

/**
 * Scratch: one tile; gate and up of a block, [BLOCK_ROWS][PANEL] each; the values of r; and per panel of the group
 * h [length][PANEL], the result [length][PANEL] and s [I][PANEL].
 */
export function swigluSequence(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluSequence>(parameters);
  const length = p.length, width = p.width, inner = p.inner;
  const stepH = <usize>width << 2;
  const gate = scratch + SPARE_BYTES;
  const inverse = gate + 2 * BLOCK_BYTES;
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
      const strips = <usize>(i * length) << 2;
      for (let j = 0; j < panels; j++) {
        const h = hPanels + <usize>(j * length) * PANEL_BYTES;
        const s = sPanels + <usize>(j * inner + i) * PANEL_BYTES;
        const columns = panelColumns(width, firstPanel + j);
        const stepU = <usize>columns << 2;
        const u = p.u ? panelOfU(p.u, puzzle, firstPanel + j, inner, width) + <usize>i * stepU : 0;
        // A full panel is written directly to the memory for the backward pass.
        const inPlace = u != 0 && columns == PANEL;
        const g = inPlace ? u : gate;
        const up = inPlace ? u + <usize>inner * PANEL_BYTES : gate + BLOCK_BYTES;
        multiplyPanel(Left.STRIPS, height, PANEL, length, p.gateStrips + strips, 0, h, g, PANEL_BYTES, 0, 0, scratch);
        multiplyPanel(Left.STRIPS, height, PANEL, length, p.upStrips + strips, 0, h, up, PANEL_BYTES, 0, 0, scratch);
        gatePanel(s, PANEL_BYTES, g, up, PANEL_BYTES, height);
        if (u && !inPlace) {
          storePanel(u, stepU, g, height, columns);
          storePanel(u + <usize>inner * stepU, stepU, up, height, columns);
        }
      }
      i += height;
    }
    for (let i = 0; i < length; ) {
      const height = blockHeight(length - i);
      const strips = p.downStrips + (<usize>(i * inner) << 2);
      for (let j = 0; j < panels; j++) {
        const h = hPanels + <usize>(j * length + i) * PANEL_BYTES;
        const sum = sumPanels + <usize>(j * length + i) * PANEL_BYTES;
        const s = sPanels + <usize>(j * inner) * PANEL_BYTES;
        multiplyPanel(Left.STRIPS, height, PANEL, inner, strips, 0, s, sum, PANEL_BYTES, h, PANEL_BYTES, scratch);
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
  /** Strips of gateUpᵀ [length, 2I] and of downᵀ [I, length]. */
  gateUpStrips: usize;
  downStrips: usize;
  dh: usize;
  /** For the gradients of the weights: the rows [dgate; dup; s] of each puzzle, 3I by `width` rounded up to whole panels. */
  tall: usize;
  /** For the gradients of the weights: panels of hᵀ and of the transposed gradient before the norm, each [panels of length][batch · width][PANEL]. */
  hPanels: usize;
  dsumPanels: usize;
  batch: i32;
  length: i32;
  width: i32;
  inner: i32;
  /** Used by `swigluSequenceGroups` only, which keeps tall, hPanels and dsumPanels in its scratch: see groups.ts. */
  groups: i32;
  partial: usize;
}

/** dh. The gradients of the weights follow from products of `tall` and the panels. Items are groups of columns of a puzzle. */
export function swigluSequenceBackward(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluSequenceBackward>(parameters);
  const groups = groupCount(p.width);
  const puzzleBytes = <usize>(3 * p.inner * panelCount(p.width)) * PANEL_BYTES;
  for (let item = start; item < end; item++) {
    const puzzle = item / groups;
    const at = <usize>(puzzle * p.width) * PANEL_BYTES;
    const tall = p.tall + <usize>puzzle * puzzleBytes;
    backwardColumns(p, puzzle, (item % groups) * GROUP, tall, p.hPanels + at, p.dsumPanels + at, p.batch * p.width, scratch);
  }
}

/**
 * dh, and the gradients of the weights summed over a group of puzzles. Items are groups.
 * Scratch: that of a group of columns; `tall` and the panels of hᵀ and of the gradient before the norm of one puzzle; one of their columns.
 */
export function swigluSequenceGroups(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<SwigluSequenceBackward>(parameters);
  const width = p.width, inner = p.inner;
  const panels = panelCount(p.length);
  const step = <usize>panels * PANEL_BYTES;
  const stepTall = <usize>panelCount(width) * PANEL_BYTES;
  const tall = scratch + columnScratchBytes(p);
  const hPanels = tall + <usize>(3 * inner) * stepTall;
  const dsumPanels = hPanels + <usize>width * step;
  const column = dsumPanels + <usize>width * step;
  for (let item = start; item < end; item++) {
    const gateUp = p.partial + <usize>(3 * inner * item) * step;
    const down = gateUp + <usize>(2 * inner) * step;
    const first = groupStart(item, p.batch, p.groups);
    const last = groupStart(item + 1, p.batch, p.groups);
    for (let puzzle = first; puzzle < last; puzzle++) {
      for (let panel = 0; panel < panelCount(width); panel += GROUP) {
        backwardColumns(p, puzzle, panel, tall, hPanels, dsumPanels, width, scratch);
      }
      const add = puzzle > first;
      accumulate(true, add, 2 * inner, p.length, width, tall, stepTall, hPanels, gateUp, step, column, scratch);
      const s = tall + <usize>(2 * inner) * stepTall;
      accumulate(true, add, inner, p.length, width, s, stepTall, dsumPanels, down, step, column, scratch);
    }
  }
}

/** Scratch of a group of columns: one tile; the values of r; dsum of each panel, h or y [length][PANEL], du [2I][PANEL] of each panel; ds [BLOCK_ROWS][PANEL]. */
// @ts-ignore: decorator
@inline
function columnScratchBytes(p: SwigluSequenceBackward): usize {
  const rows = <usize>(GROUP * p.length + p.length + GROUP * 2 * p.inner + BLOCK_ROWS);
  return (SPARE_BYTES + 64 + rows * PANEL_BYTES + 63) & ~63;
}

/**
 * One group of columns of a puzzle, from `firstPanel` on. `tall`, `hPanels` and `dsumTransposed` belong to the puzzle, and the panels
 * have `panelRows` rows.
 */
function backwardColumns(
  p: SwigluSequenceBackward,
  puzzle: i32,
  firstPanel: i32,
  tall: usize,
  hPanels: usize,
  dsumTransposed: usize,
  panelRows: i32,
  scratch: usize,
): void {
  const length = p.length, width = p.width, inner = p.inner;
  const stepH = <usize>width << 2, stepTall = <usize>panelCount(width) * PANEL_BYTES;
  const panelBytes = <usize>length * PANEL_BYTES;
  const inverse = scratch + SPARE_BYTES;
  const dsumPanels = inverse + 64;
  const other = dsumPanels + <usize>GROUP * panelBytes;
  const duPanels = other + panelBytes;
  const ds = duPanels + <usize>(GROUP * 2 * inner) * PANEL_BYTES;
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
    const row = (firstPanel + j) * PANEL;
    transposePanel(hPanels, other, length, columns, row, panelRows);
    transposePanel(dsumTransposed, dsum, length, columns, row, panelRows);
  }
  for (let i = 0; i < inner; ) {
    const height = blockHeight(inner - i);
    for (let j = 0; j < panels; j++) {
      const dsum = dsumPanels + <usize>j * panelBytes;
      multiplyPanel(Left.STRIPS, height, PANEL, length, p.downStrips + (<usize>(i * length) << 2), 0, dsum, ds, PANEL_BYTES, 0, 0, scratch);
      const du = duPanels + <usize>(j * 2 * inner + i) * PANEL_BYTES;
      const stepU = <usize>panelColumns(width, firstPanel + j) << 2;
      const gate = panelOfU(p.u, puzzle, firstPanel + j, inner, width) + <usize>i * stepU;
      const up = gate + <usize>inner * stepU;
      const to = tall + <usize>i * stepTall + <usize>(firstPanel + j) * PANEL_BYTES;
      gatePanelBackward(to, stepTall, <usize>inner * stepTall, du, <usize>inner * PANEL_BYTES, gate, up, stepU, ds, height);
    }
    i += height;
  }
  for (let i = 0; i < length; ) {
    const height = blockHeight(length - i);
    const strips = p.gateUpStrips + (<usize>(2 * i * inner) << 2);
    for (let j = 0; j < panels; j++) {
      const columns = panelColumns(width, firstPanel + j);
      const dsum = dsumPanels + <usize>j * panelBytes + <usize>i * PANEL_BYTES;
      const du = duPanels + <usize>(j * 2 * inner) * PANEL_BYTES;
      const dh = p.dh + at + <usize>i * stepH + <usize>j * PANEL_BYTES;
      multiplyPanel(Left.STRIPS, height, columns, 2 * inner, strips, 0, du, dh, stepH, dsum, PANEL_BYTES, scratch);
    }
    i += height;
  }
}

/** panels[l / PANEL][row + c][l % PANEL] = panel[l][c]: the columns of a puzzle become rows of the transposed panels. */
function transposePanel(panels: usize, panel: usize, length: i32, columns: i32, row: i32, rows: i32): void {
  for (let l = 0; l < length; l += 4) {
    const to = panels + <usize>(l / PANEL * rows + row) * PANEL_BYTES + (<usize>(l % PANEL) << 2);
    transpose(to, PANEL_BYTES, panel, PANEL_BYTES, min(4, length - l), columns);
    panel += 4 * PANEL_BYTES;
  }
}
