// The matrix product.
import { broadcastStrides, type Shape } from "../../../shape.ts";
import type { Tensor } from "../../../tensor.ts";
import { coordinates, position } from "../index-arithmetic.ts";
import { launch } from "../launch.ts";
import { fill } from "./elementwise.ts";

/** Terms of a sum that are written out in one turn of the loop: up to twice as fast as one (`npm run bench:gpu`). */
const unrolled = 4;

/** out[.., m, n] = Σ_k a[.., m, k] b[.., k, n], the leading axes broadcast. */
export function matmul(out: Tensor, a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): void {
  const [rows, columns] = out.shape.slice(-2) as [number, number];
  const depth = a.shape.at(transposeA ? -2 : -1)!;
  if (depth === 0) {
    fill(out, 0);
    return;
  }
  const batch = out.shape.slice(0, -2);
  const [rowA, depthA] = transposeA ? [1, rows] : [depth, 1];
  const [depthB, columnB] = transposeB ? [1, depth] : [columns, 1];
  const turns = Math.floor(depth / unrolled);
  const terms = (from: number | string, count: number): string =>
    Array.from(
      { length: count },
      (_, i) => `a[startA + (${from} + ${i}) * ${depthA}] * b[startB + (${from} + ${i}) * ${depthB}]`,
    ).join(" + ");
  const source = `function (a, b) {
  const line = Math.floor((this.thread.x + 0.5) / this.constants.columns);
  const column = this.thread.x - line * this.constants.columns;
  const matrix = Math.floor((line + 0.5) / this.constants.rows);
  const row = line - matrix * this.constants.rows;
  ${coordinates(batch, "matrix")}
  const startA = row * ${rowA} + ${position(matrixStrides(a.shape, batch))};
  const startB = column * ${columnB} + ${position(matrixStrides(b.shape, batch))};
  let sum = ${terms(turns * unrolled, depth % unrolled) || "0"};
  for (let turn = 0; turn < this.constants.turns; turn++) {
    const k = turn * ${unrolled};
    sum += ${terms("k", unrolled)};
  }
  return sum;
}`;
  launch({ name: "matmul", out, inputs: [a, b], constants: { rows, columns, turns }, source });
}

/** Elements from matrix to matrix of an operand along the batch axes of the output. */
function matrixStrides(shape: Shape, batch: Shape): number[] {
  const size = shape.at(-2)! * shape.at(-1)!;
  return broadcastStrides(shape.slice(0, -2), batch).map((stride) => stride * size);
}
