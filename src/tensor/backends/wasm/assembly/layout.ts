// The width of a panel, which is the width of a tile of the matrix product: 16 columns in the wide build, else 8.

// @ts-ignore: decorator
@inline
export const PANEL: i32 = WIDE ? 16 : 8;

/** Bytes of one row of a panel. */
// @ts-ignore: decorator
@inline
export const PANEL_BYTES: usize = WIDE ? 64 : 32;

/** Number of panels that `columns` columns fill. */
// @ts-ignore: decorator
@inline
export function panelCount(columns: i32): i32 {
  return (columns + PANEL - 1) / PANEL;
}

/** Columns of panel `p`: a whole panel, or what is left. */
// @ts-ignore: decorator
@inline
export function panelColumns(columns: i32, p: i32): i32 {
  return min(PANEL, columns - p * PANEL);
}
