// The matrix product.
import { broadcastStrides, type Shape } from "../../../shape.ts";
import type { Tensor } from "../../../tensor.ts";
import { coordinates, position } from "../index-arithmetic.ts";
import { launch } from "../launch.ts";
import { fill } from "./elementwise.ts";

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
  const source = `function (a, b) {
  const line = Math.floor((this.thread.x + 0.5) / this.constants.columns);
  const column = this.thread.x - line * this.constants.columns;
  const matrix = Math.floor((line + 0.5) / this.constants.rows);
  const row = line - matrix * this.constants.rows;
  ${coordinates(batch, "matrix")}
  const startA = row * ${rowA} + ${position(matrixStrides(a.shape, batch))};
  const startB = column * ${columnB} + ${position(matrixStrides(b.shape, batch))};
  let sum = 0;
  for (let k = 0; k < this.constants.depth; k++) {
    sum += a[startA + k * ${depthA}] * b[startB + k * ${depthB}];
  }
  return sum;
}`;
  launch({ name: "matmul", out, inputs: [a, b], constants: { rows, columns, depth }, source });
}

/** Elements from matrix to matrix of an operand along the batch axes of the output. */
function matrixStrides(shape: Shape, batch: Shape): number[] {
  const size = shape.at(-2)! * shape.at(-1)!;
  return broadcastStrides(shape.slice(0, -2), batch).map((stride) => stride * size);
}
