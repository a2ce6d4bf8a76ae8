// Kernels that move data: strided copies, insertion, rows by index. A GPU thread writes a single element, so a scatter is computed
// as a gather: each element of the output collects its terms.

import { stridesOf } from "../../../shape.ts";
import type { Tensor } from "../../../tensor.ts";
import { checkedRow } from "../../reference/arrays.ts";
import { collapse, coordinates, position } from "../index-arithmetic.ts";
import { launch, share } from "../launch.ts";
import { storageOf } from "../storage.ts";
import { fill } from "./elementwise.ts";

export function copyStrided(out: Tensor, x: Tensor, offset: number, strides: readonly number[]): void {
  const walk = collapse({ shape: out.shape, strides: [strides] });
  const isWhole = out.size === x.size && offset === 0 && walk.shape.length <= 1 && (walk.strides[0]![0] ?? 1) === 1;
  if (isWhole) {
    share(out, x);
    return;
  }
  const source = `function (x) {
  ${coordinates(walk.shape)}
  return x[${position(walk.strides[0]!, offset)}];
}`;
  launch({ name: "copyStrided", out, inputs: [x], source });
}

/** out[starts + i] = x[i]; other elements are unchanged. */
export function insert(out: Tensor, x: Tensor, starts: readonly number[]): void {
  if (x.size === 0) return;
  if (x.size === out.size) {
    share(out, x);
    return;
  }
  const strides = stridesOf(x.shape);
  const inside = x.shape.map((length, axis) => `i${axis} >= ${starts[axis]} && i${axis} < ${starts[axis]! + length}`);
  const shifted = x.shape.map((_, axis) => `(i${axis} - ${starts[axis]}) * ${strides[axis]}`);
  const source = `function (out, x) {
  ${coordinates(out.shape)}
  if (${inside.join(" && ")}) {
    return x[${shifted.join(" + ")}];
  }
  return out[this.thread.x];
}`;
  launch({ name: "insert", out, inputs: [out, x], source });
}

/**
 * out[i, :] = table[ids[i], :]. Ids written from JavaScript are checked here. A kernel cannot throw, so an out-of-range id computed
 * on the GPU gives a row of NaN.
 */
export function gatherRows(out: Tensor, table: Tensor, ids: Tensor): void {
  checkRows("gatherRows", ids, table);
  if (table.size === 0) {
    fill(out, Number.NaN);
    return;
  }
  const source = `function (table, ids, missing) {
  const i = Math.floor((this.thread.x + 0.5) / this.constants.width);
  const row = ids[i];
  if (row >= 0 && row < this.constants.rows) {
    return table[row * this.constants.width + this.thread.x - i * this.constants.width];
  }
  return missing;
}`;
  const [rows, width] = table.shape as [number, number];
  launch({ name: "gatherRows", out, inputs: [table, ids, Number.NaN], constants: { rows, width }, source });
}

/** out[r, :] += Σ x[i, :] over all i with ids[i] = r, in the order of i. */
export function scatterAddRows(out: Tensor, ids: Tensor, x: Tensor): void {
  checkRows("scatterAddRows", ids, out);
  if (x.size === 0) return;
  const source = `function (out, ids, x) {
  const row = Math.floor((this.thread.x + 0.5) / this.constants.width);
  const column = this.thread.x - row * this.constants.width;
  let sum = out[this.thread.x];
  for (let i = 0; i < this.constants.count; i++) {
    if (ids[i] === row) {
      sum += x[i * this.constants.width + column];
    }
  }
  return sum;
}`;
  const constants = { width: out.shape[1]!, count: ids.size };
  launch({ name: "scatterAddRows", out, inputs: [out, ids, x], constants, source });
}

/** @throws ShapeError if an id written from JavaScript is not a row of the table */
export function checkRows(kernel: string, ids: Tensor, table: Tensor): void {
  storageOf(ids).knownIntegers?.forEach((id, position) => {
    checkedRow(kernel, id, table.shape[0]!, position);
  });
}
