// Reductions along one axis.
import { empty } from "../../../create.ts";
import { scope } from "../../../scope.ts";
import { aroundAxis } from "../../../shape.ts";
import type { Tensor } from "../../../tensor.ts";
import { launch } from "../launch.ts";
import { fill } from "./elementwise.ts";

export function sum(out: Tensor, x: Tensor, axis: number): void {
  if (x.size === 0) {
    fill(out, 0);
    return;
  }
  reduce("sum", "total + value", out, x, axis);
}

export function max(out: Tensor, x: Tensor, axis: number): void {
  if (x.size === 0) {
    fill(out, Number.NEGATIVE_INFINITY);
    return;
  }
  reduce("max", "Math.max(total, value)", out, x, axis);
}

/** Longer axes are first reduced in parts, which gives work to more threads and loses fewer digits. */
const longest = 1024;

/** out[o, n] combines x[o, 0, n], x[o, 1, n], ... in the order of the axis. */
function reduce(name: string, combined: string, out: Tensor, x: Tensor, axis: number): void {
  const { outer, length, inner } = aroundAxis(x.shape, axis);
  if (length > longest) {
    const parts = Math.ceil(length / longest);
    scope(() => {
      const partial = empty([outer, parts, inner], x.dtype, x.backend);
      reduceParts(name, combined, partial, x, { length, inner, parts });
      reduce(name, combined, out, partial, 1);
    });
    return;
  }
  const source = `function (x) {
  const o = Math.floor((this.thread.x + 0.5) / this.constants.inner);
  const start = o * this.constants.length * this.constants.inner + this.thread.x - o * this.constants.inner;
  let total = x[start];
  for (let i = 1; i < this.constants.length; i++) {
    const value = x[start + i * this.constants.inner];
    total = ${combined};
  }
  return total;
}`;
  launch({ name, out, inputs: [x], constants: { length, inner }, source });
}

/** out[o, p, n] combines part p of the axis: `longest` elements, fewer in the last part. */
function reduceParts(
  name: string,
  combined: string,
  out: Tensor,
  x: Tensor,
  constants: { length: number; inner: number; parts: number },
): void {
  const source = `function (x) {
  const part = Math.floor((this.thread.x + 0.5) / this.constants.inner);
  const o = Math.floor((part + 0.5) / this.constants.parts);
  const first = (part - o * this.constants.parts) * this.constants.longest;
  const start = (o * this.constants.length + first) * this.constants.inner + this.thread.x - part * this.constants.inner;
  let total = x[start];
  for (let i = 1; i < this.constants.longest; i++) {
    if (first + i < this.constants.length) {
      const value = x[start + i * this.constants.inner];
      total = ${combined};
    }
  }
  return total;
}`;
  launch({ name: `${name} of parts`, out, inputs: [x], constants: { ...constants, longest }, source });
}

/** Index of the first maximum along the last axis. */
export function argmax(out: Tensor, x: Tensor): void {
  const source = `function (x) {
  const start = this.thread.x * this.constants.length;
  let best = 0;
  let largest = x[start];
  for (let i = 1; i < this.constants.length; i++) {
    if (x[start + i] > largest) {
      largest = x[start + i];
      best = i;
    }
  }
  return best;
}`;
  launch({ name: "argmax", out, inputs: [x], constants: { length: x.shape.at(-1)! }, source });
}
