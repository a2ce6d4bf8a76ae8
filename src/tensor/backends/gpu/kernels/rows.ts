// Fused kernels over one axis. Each first computes the statistics of every row, then one elementwise kernel uses them: a single
// kernel would recompute the statistics of a row for each of its elements.
import type { BlockAxis } from "../../../backend.ts";
import { empty } from "../../../create.ts";
import { scope } from "../../../scope.ts";
import { aroundAxis } from "../../../shape.ts";
import type { Tensor } from "../../../tensor.ts";
import { functions } from "../formulas.ts";
import { launch } from "../launch.ts";
import { fill } from "./elementwise.ts";

/** Constants of kernels along a block's axis: element (o, i, n) is at (o · length + i) · inner + n, its row is o · inner + n. */
const along = ({ shape }: Tensor, axis: BlockAxis) => {
  const { length, inner } = aroundAxis(shape, shape.length + axis);
  return { length, inner };
};

/** For a kernel with one thread per row: the start of the row, whose elements are `inner` apart. */
const rowStart = `const o = Math.floor((this.thread.x + 0.5) / this.constants.inner);
  const start = o * this.constants.length * this.constants.inner + this.thread.x - o * this.constants.inner;`;

/** For a kernel with one thread per element: the row of the element. */
const rowOfElement = `const line = Math.floor((this.thread.x + 0.5) / this.constants.inner);
  const o = Math.floor((line + 0.5) / this.constants.length);
  const row = o * this.constants.inner + this.thread.x - line * this.constants.inner;`;

/** With this factor the squares of the largest float32 numbers are finite, and those of 1e18 are normal. */
const shrink = 2 ** -70;

/**
 * s = h + r; inverseRms = 1 / √(mean s² + ε); out = s · inverseRms
 *
 * The squares overflow if |s| is about 1e19. A second sum, of the squares of s · 2^-70, replaces the first one then; ε is negligible
 * compared with such squares.
 */
export function addRmsNorm(
  out: Tensor,
  inverseRms: Tensor,
  h: Tensor,
  r: Tensor | null,
  axis: BlockAxis,
  epsilon: number,
): void {
  if (h.size === 0) {
    fill(inverseRms, Number.NaN);
    return;
  }
  const constants = along(h, axis);
  const sum = (at: string): string => (r ? `h[${at}] + r[${at}]` : `h[${at}]`);
  const [names, tensors] = r ? ["h, r", [h, r]] : ["h", [h]];
  const statistics = `function (${names}, epsilon) {
  ${rowStart}
  let squares = 0;
  let shrunkSquares = 0;
  for (let i = 0; i < this.constants.length; i++) {
    const at = start + i * this.constants.inner;
    const s = ${sum("at")};
    squares += s * s;
    const shrunk = s * ${shrink};
    shrunkSquares += shrunk * shrunk;
  }
  if (squares > 1e36) {
    return ${shrink} / Math.sqrt(shrunkSquares / this.constants.length);
  }
  return 1 / Math.sqrt(squares / this.constants.length + epsilon);
}`;
  launch({ name: "inverseRms", out: inverseRms, inputs: [...tensors, epsilon], constants, source: statistics });
  const source = `function (${names}, inverseRms) {
  ${rowOfElement}
  return (${sum("this.thread.x")}) * inverseRms[row];
}`;
  launch({ name: "addRmsNorm", out, inputs: [...tensors, inverseRms], constants, source });
}

/** ds = (dy - y · mean(dy · y)) · inverseRms */
export function addRmsNormBackward(ds: Tensor, y: Tensor, inverseRms: Tensor, dy: Tensor, axis: BlockAxis): void {
  if (dy.size === 0) return;
  const constants = along(y, axis);
  scope(() => {
    const mean = empty(inverseRms.shape, y.dtype, y.backend);
    const statistics = `function (y, dy) {
  ${rowStart}
  let dot = 0;
  for (let i = 0; i < this.constants.length; i++) {
    const at = start + i * this.constants.inner;
    dot += dy[at] * y[at];
  }
  return dot / this.constants.length;
}`;
    launch({ name: "mean of dy y", out: mean, inputs: [y, dy], constants, source: statistics });
    const source = `function (y, dy, mean, inverseRms) {
  ${rowOfElement}
  return (dy[this.thread.x] - y[this.thread.x] * mean[row]) * inverseRms[row];
}`;
    launch({ name: "addRmsNormBackward", out: ds, inputs: [y, dy, mean, inverseRms], constants, source });
  });
}

/** u = [gate; up]; out = silu(gate) · up. In memory, `half` elements of gate alternate with `half` elements of up. */
export function siluGate(out: Tensor, u: Tensor, axis: BlockAxis): void {
  const { length, inner } = along(out, axis);
  const source = `function (u) {
  const o = Math.floor((this.thread.x + 0.5) / this.constants.half);
  const at = this.thread.x + o * this.constants.half;
  return u[at] * logistic(u[at]) * u[at + this.constants.half];
}`;
  launch({ name: "siluGate", out, inputs: [u], constants: { half: length * inner }, functions, source });
}

/** dgate = dy · up · s (1 + gate (1 - s)) with s = sigmoid(gate); dup = dy · gate · s */
export function siluGateBackward(du: Tensor, u: Tensor, dy: Tensor, axis: BlockAxis): void {
  const { length, inner } = along(dy, axis);
  const source = `function (u, dy) {
  const part = Math.floor((this.thread.x + 0.5) / this.constants.half);
  const o = Math.floor((part + 0.5) / 2);
  const i = this.thread.x - part * this.constants.half;
  const at = 2 * o * this.constants.half + i;
  const gate = u[at];
  const up = u[at + this.constants.half];
  const s = logistic(gate);
  const d = dy[o * this.constants.half + i];
  return part - 2 * o < 0.5 ? d * (up * (s * (1 + gate * (1 - s)))) : d * (gate * s);
}`;
  launch({
    name: "siluGateBackward",
    out: du,
    inputs: [u, dy],
    constants: { half: length * inner },
    functions,
    source,
  });
}

/** Maximum of each row along the last axis. */
export function rowMax(out: Tensor, x: Tensor): void {
  const source = `function (x) {
  const start = this.thread.x * this.constants.length;
  let largest = x[start];
  for (let i = 1; i < this.constants.length; i++) {
    largest = Math.max(largest, x[start + i]);
  }
  return largest;
}`;
  launch({ name: "rowMax", out, inputs: [x], constants: { length: x.shape.at(-1)! }, source });
}

/** Σ e^(x - largest) of each row. */
export function rowTotal(out: Tensor, x: Tensor, largest: Tensor): void {
  const source = `function (x, largest) {
  const start = this.thread.x * this.constants.length;
  let total = 0;
  for (let i = 0; i < this.constants.length; i++) {
    total += Math.exp(x[start + i] - largest[this.thread.x]);
  }
  return total;
}`;
  launch({ name: "rowTotal", out, inputs: [x, largest], constants: { length: x.shape.at(-1)! }, source });
}

/** e^x / Σ e^x along the last axis. */
export function softmaxRows(out: Tensor, x: Tensor): void {
  scope(() => {
    const perRow = (): Tensor => empty(x.shape.slice(0, -1), x.dtype, x.backend);
    const [largest, total] = [perRow(), perRow()];
    rowMax(largest, x);
    rowTotal(total, x, largest);
    const source = `function (x, largest, total) {
  const row = Math.floor((this.thread.x + 0.5) / this.constants.length);
  return Math.exp(x[this.thread.x] - largest[row]) / total[row];
}`;
    launch({ name: "softmax", out, inputs: [x, largest, total], constants: { length: x.shape.at(-1)! }, source });
  });
}
