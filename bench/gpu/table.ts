// Formats the columns of the benchmark as a table.
import type { Column } from "./measure.ts";

/** Rows of cells. The first row contains the column names. */
export function tableOf(columns: readonly Column[]): string[][] {
  const rows = [...new Set(columns.flatMap(({ measurements }) => measurements.map(({ what }) => what)))];
  return [
    ["milliseconds", ...columns.map(({ backend, mode }) => (mode ? `${backend} ${mode}` : backend))],
    ["kernel class", ...columns.map(({ kernelClass }) => kernelClass ?? "")],
    ...rows.map((what) => [
      what,
      ...columns.map(({ measurements }) => {
        const found = measurements.find((one) => one.what === what);
        if (!found) return "";
        return found.gigaflops ? `${found.milliseconds} (${found.gigaflops} GFLOP/s)` : `${found.milliseconds}`;
      }),
    ]),
  ];
}

/** The table as text with aligned columns. */
export function textOf(table: readonly (readonly string[])[]): string {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
