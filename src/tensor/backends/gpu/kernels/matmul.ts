// The matrix product.
import { matrixStrides } from "../../../shape.ts";
import type { Tensor } from "../../../tensor.ts";
import { coordinates, position } from "../index-arithmetic.ts";
import { launch } from "../launch.ts";
import { fill } from "./elementwise.ts";

/** Number of terms per loop iteration. Four are up to twice as fast as one (`npm run bench:gpu`). */
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
  const iterations = Math.floor(depth / unrolled);
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
  let sum = ${terms(iterations * unrolled, depth % unrolled) || "0"};
  for (let i = 0; i < this.constants.iterations; i++) {
    const k = i * ${unrolled};
    sum += ${terms("k", unrolled)};
  }
  return sum;
}`;
  launch({ name: "matmul", out, inputs: [a, b], constants: { rows, columns, iterations }, source });
}
