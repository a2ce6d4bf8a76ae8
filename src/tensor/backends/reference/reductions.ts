// Reductions along one axis, in the order of the axis.
import { aroundAxis } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { arrayOf } from "./arrays.ts";

export function sum(out: Tensor, x: Tensor, axis: number): void {
  reduce(out, x, axis, 0, (total, value) => total + value);
}

export function max(out: Tensor, x: Tensor, axis: number): void {
  reduce(out, x, axis, Number.NEGATIVE_INFINITY, Math.max);
}

/** Accumulates in double precision for every element type, because this is the specification. */
function reduce(out: Tensor, x: Tensor, axis: number, start: number, combine: (a: number, b: number) => number): void {
  const o = arrayOf(out);
  const p = arrayOf(x);
  const { outer, length, inner } = aroundAxis(x.shape, axis);
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < inner; j++) {
      let total = start;
      for (let k = 0; k < length; k++) total = combine(total, p[(i * length + k) * inner + j]!);
      o[i * inner + j] = total;
    }
  }
}

export function argmax(out: Tensor, x: Tensor): void {
  const o = arrayOf(out);
  const p = arrayOf(x);
  const length = x.shape.at(-1)!;
  for (let i = 0; i < o.length; i++) {
    let best = 0;
    for (let k = 1; k < length; k++) if (p[i * length + k]! > p[i * length + best]!) best = k;
    o[i] = best;
  }
}
