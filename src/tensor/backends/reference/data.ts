// Kernels that move numbers without arithmetic: strided copies, insertion, rows by index.
import { stridesOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { arrayOf, checkedRow, forEachRow } from "./arrays.ts";

export function copyStrided(out: Tensor, x: Tensor, offset: number, strides: readonly number[]): void {
  const o = arrayOf(out);
  const p = arrayOf(x);
  const width = out.shape.at(-1) ?? 1;
  const step = strides.at(-1) ?? 0;
  forEachRow(out.shape, [strides], (start, offsets) => {
    const from = offset + offsets[0]!;
    for (let i = 0; i < width; i++) o[start + i] = p[from + i * step]!;
  });
}

export function insert(out: Tensor, x: Tensor, starts: readonly number[]): void {
  const o = arrayOf(out);
  const p = arrayOf(x);
  const strides = stridesOf(out.shape);
  const base = starts.reduce((sum, start, axis) => sum + start * strides[axis]!, 0);
  const width = x.shape.at(-1) ?? 1;
  forEachRow(x.shape, [strides], (start, offsets) => {
    const to = base + offsets[0]!;
    for (let i = 0; i < width; i++) o[to + i] = p[start + i]!;
  });
}

export function gatherRows(out: Tensor, table: Tensor, ids: Tensor): void {
  const o = arrayOf(out);
  const t = arrayOf(table);
  const rows = arrayOf(ids);
  const width = table.shape[1]!;
  for (let i = 0; i < rows.length; i++) {
    const row = checkedRow("gatherRows", rows[i]!, table.shape[0]!, i);
    for (let j = 0; j < width; j++) o[i * width + j] = t[row * width + j]!;
  }
}

export function scatterAddRows(out: Tensor, ids: Tensor, x: Tensor): void {
  const o = arrayOf(out);
  const p = arrayOf(x);
  const rows = arrayOf(ids);
  const width = out.shape[1]!;
  for (let i = 0; i < rows.length; i++) {
    const row = checkedRow("scatterAddRows", rows[i]!, out.shape[0]!, i);
    for (let j = 0; j < width; j++) o[row * width + j]! += p[i * width + j]!;
  }
}
