// Panels: the layout in which the right operand of a product is read.
//
//   panels[p][k][c] = B[k, PANEL·p + c],  zero beyond the last column
//
// A panel is one contiguous stream, so the inner loop reads consecutive cache lines for every width of B.
import { PANEL, PANEL_BYTES, panelColumns, panelCount } from "./layout";
import { storeFour, storePair } from "./vector";

/** panel[k][c] = source[k, c] for rows `step` bytes apart. Columns beyond `columns` are zero. */
export function packPanel(panel: usize, source: usize, step: usize, depth: i32, columns: i32): void {
  if (columns == PANEL) {
    for (let k = 0; k < depth; k++) {
      copyRow(panel, source);
      source += step;
      panel += PANEL_BYTES;
    }
    return;
  }
  for (let k = 0; k < depth; k++) {
    for (let c = 0; c < PANEL; c++) {
      store<f32>(panel + (<usize>c << 2), c < columns ? load<f32>(source + (<usize>c << 2)) : 0);
    }
    source += step;
    panel += PANEL_BYTES;
  }
}

/** Copies one row of a full panel. */
// @ts-ignore: decorator
@inline
function copyRow(to: usize, from: usize): void {
  if (WIDE) storeFour(to, v128.load(from), v128.load(from, 16), v128.load(from, 32), v128.load(from, 48));
  else storePair(to, v128.load(from), v128.load(from, 16));
}

/** panel[k][c] = source[c, k]: the same for a matrix stored transposed, with row c at source + c·step. */
export function packTransposedPanel(panel: usize, source: usize, step: usize, depth: i32, columns: i32): void {
  let k = 0;
  if (columns == PANEL) {
    for (; k + 4 <= depth; k += 4) {
      for (let c = 0; c < PANEL; c += 4) {
        transpose4(panel + (<usize>c << 2), PANEL_BYTES, source + <usize>c * step, step);
      }
      source += 16;
      panel += 4 * PANEL_BYTES;
    }
  }
  for (; k < depth; k++) {
    for (let c = 0; c < PANEL; c++) {
      store<f32>(panel + (<usize>c << 2), c < columns ? load<f32>(source + <usize>c * step) : 0);
    }
    source += 4;
    panel += PANEL_BYTES;
  }
}

/** Copies the first columns of a panel back into rows. */
export function storePanel(to: usize, step: usize, panel: usize, rows: i32, columns: i32): void {
  if (columns != PANEL) {
    copyColumns(to, step, panel, PANEL_BYTES, rows, columns);
    return;
  }
  for (let i = 0; i < rows; i++) {
    copyRow(to, panel);
    to += step;
    panel += PANEL_BYTES;
  }
}

/** Copies a [rows, columns] block between two row steps. */
export function copyColumns(to: usize, stepTo: usize, from: usize, stepFrom: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) store<f32>(to + (<usize>j << 2), load<f32>(from + (<usize>j << 2)));
    to += stepTo;
    from += stepFrom;
  }
}

/** to[j, i] = from[i, j] for a block of 4 x 4. */
// @ts-ignore: decorator
@inline
export function transpose4(to: usize, stepTo: usize, from: usize, stepFrom: usize): void {
  const r0 = v128.load(from), r1 = v128.load(from + stepFrom);
  const r2 = v128.load(from + 2 * stepFrom), r3 = v128.load(from + 3 * stepFrom);
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
  v128.store(to + stepTo, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
  v128.store(to + 2 * stepTo, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
  v128.store(to + 3 * stepTo, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
}

/**
 * to[j, i] = from[i, j] for rows `stepTo` and `stepFrom` bytes apart, in blocks of 4 x 4. The last blocks overlap their neighbours if
 * the size is no multiple of 4.
 */
export function transpose(to: usize, stepTo: usize, from: usize, stepFrom: usize, rows: i32, columns: i32): void {
  if (rows < 4 || columns < 4) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        store<f32>(to + <usize>j * stepTo + (<usize>i << 2), load<f32>(from + <usize>i * stepFrom + (<usize>j << 2)));
      }
    }
    return;
  }
  for (let i = 0; i < rows; i += 4) {
    i = min(i, rows - 4);
    const row = from + <usize>i * stepFrom, column = to + (<usize>i << 2);
    for (let j = 0; j < columns; j += 4) {
      j = min(j, columns - 4);
      transpose4(column + <usize>j * stepTo, stepTo, row + (<usize>j << 2), stepFrom);
    }
  }
}

/** Parameters of `pack`, which packs one or several matrices into panels, one after another. */
@unmanaged
export class Pack {
  /** B [depth, columns], or [columns, depth] if transposed. */
  source: usize;
  panels: usize;
  depth: i32;
  columns: i32;
  transposed: u32;
  /** Bytes between the matrices of the batch. */
  sourceStep: usize;
}

/** Items are the panels of all matrices of the batch. */
export function pack(parameters: usize, start: i32, end: i32): void {
  const p = changetype<Pack>(parameters);
  const depth = p.depth, columns = p.columns;
  const perMatrix = panelCount(columns);
  for (let item = start; item < end; item++) {
    const matrix = p.source + <usize>(item / perMatrix) * p.sourceStep;
    const j = item % perMatrix;
    const panel = p.panels + <usize>(item * depth) * PANEL_BYTES;
    if (p.transposed) {
      const step = <usize>depth << 2;
      packTransposedPanel(panel, matrix + <usize>(j * PANEL) * step, step, depth, panelColumns(columns, j));
    } else {
      packPanel(panel, matrix + <usize>j * PANEL_BYTES, <usize>columns << 2, depth, panelColumns(columns, j));
    }
  }
}
