// Elementwise kernels. The formulas are tables of functions; the few that a training step is made of have loops of their own,
// because a call per element costs more than the arithmetic.
import type { BinaryName, UnaryName } from "../../backend.ts";
import { broadcastStrides, sameShape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { arrayOf, forEachRow } from "./arrays.ts";

/** 1 / (1 + e^-x), without overflow on either side. */
export const sigmoid = (x: number): number => {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
};

const unaryFormulas: Record<UnaryName, (x: number) => number> = {
  negate: (x) => -x,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  square: (x) => x * x,
  reciprocal: (x) => 1 / x,
  abs: Math.abs,
  sign: Math.sign,
  tanh: Math.tanh,
  sigmoid,
  silu: (x) => x * sigmoid(x),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  relu: (x) => Math.max(x, 0),
};

const binaryFormulas: Record<BinaryName, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  maximum: Math.max,
  atan2: Math.atan2,
  greater: (a, b) => (a > b ? 1 : 0),
  equal: (a, b) => (a === b ? 1 : 0),
};

export function fill(out: Tensor, value: number): void {
  arrayOf(out).fill(value);
}

export function cast(out: Tensor, x: Tensor): void {
  arrayOf(out).set(arrayOf(x));
}

export function unary(name: UnaryName, out: Tensor, x: Tensor): void {
  const o = arrayOf(out);
  const p = arrayOf(x);
  const f = unaryFormulas[name];
  for (let i = 0; i < o.length; i++) o[i] = f(p[i]!);
}

export function affine(out: Tensor, x: Tensor, scale: number, shift: number): void {
  const o = arrayOf(out);
  const p = arrayOf(x);
  for (let i = 0; i < o.length; i++) o[i] = scale * p[i]! + shift;
}

export function binary(name: BinaryName, out: Tensor, a: Tensor, b: Tensor): void {
  const o = arrayOf(out);
  const p = arrayOf(a);
  const q = arrayOf(b);
  const alike = sameShape(a.shape, b.shape);
  if (alike && name === "add") {
    for (let i = 0; i < o.length; i++) o[i] = p[i]! + q[i]!;
  } else if (alike && name === "multiply") {
    for (let i = 0; i < o.length; i++) o[i] = p[i]! * q[i]!;
  } else {
    binaryBroadcast(binaryFormulas[name], out, a, b);
  }
}

function binaryBroadcast(f: (a: number, b: number) => number, out: Tensor, a: Tensor, b: Tensor): void {
  const [o, p, q] = [arrayOf(out), arrayOf(a), arrayOf(b)];
  const strides = [broadcastStrides(a.shape, out.shape), broadcastStrides(b.shape, out.shape)] as const;
  const width = out.shape.at(-1) ?? 1;
  const stepA = strides[0].at(-1) ?? 0;
  const stepB = strides[1].at(-1) ?? 0;
  forEachRow(out.shape, strides, (start, offsets) => {
    const [startA, startB] = [offsets[0]!, offsets[1]!];
    for (let i = 0; i < width; i++) o[start + i] = f(p[startA + i * stepA]!, q[startB + i * stepB]!);
  });
}

export function select(out: Tensor, condition: Tensor, a: Tensor, b: Tensor): void {
  const [o, c, p, q] = [arrayOf(out), arrayOf(condition), arrayOf(a), arrayOf(b)];
  const strides = [condition, a, b].map((tensor) => broadcastStrides(tensor.shape, out.shape));
  const width = out.shape.at(-1) ?? 1;
  const [stepC, stepA, stepB] = strides.map((s) => s.at(-1) ?? 0) as [number, number, number];
  forEachRow(out.shape, strides, (start, offsets) => {
    const [startC, startA, startB] = [offsets[0]!, offsets[1]!, offsets[2]!];
    for (let i = 0; i < width; i++) {
      o[start + i] = c[startC + i * stepC] !== 0 ? p[startA + i * stepA]! : q[startB + i * stepB]!;
    }
  });
}
