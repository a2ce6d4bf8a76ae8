// The width of a panel, which is also the width of a tile of the matrix product: 16 columns in the wide build, else 8.

// @ts-ignore: decorator
@inline
export const PANEL: i32 = WIDE ? 16 : 8;

/** Bytes of one row of a panel. */
// @ts-ignore: decorator
@inline
export const PANEL_BYTES: usize = WIDE ? 64 : 32;

/** Number of panels for `columns` columns. */
// @ts-ignore: decorator
@inline
export function panelCount(columns: i32): i32 {
  return (columns + PANEL - 1) / PANEL;
}

/** Number of columns in panel `p`: PANEL, or fewer in the last panel. */
// @ts-ignore: decorator
@inline
export function panelColumns(columns: i32, p: i32): i32 {
  return min(PANEL, columns - p * PANEL);
}
