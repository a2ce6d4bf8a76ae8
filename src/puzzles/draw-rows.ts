// A picture of a grid in text.

/** Joins the symbols of a grid, row by row, to lines. */
export function drawRows(symbols: readonly string[], columns: number, separator = ""): string {
  const rows = symbols.length / columns;
  const line = (row: number): string => symbols.slice(row * columns, (row + 1) * columns).join(separator);
  return Array.from({ length: rows }, (_, row) => line(row)).join("\n");
}
