// Elementwise kernels: loops over the formulas of ../../elementwise.ts. Addition and multiplication of equal shapes, which
// training uses most, have their own loops, because a function call per element costs more than the arithmetic.
import { type BinaryName, binaryFunctions, type UnaryName, unaryFunctions } from "../../elementwise.ts";
import { broadcastStrides, sameShape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { arrayOf, forEachRow } from "./arrays.ts";

export function fill(out: Tensor, value: number): void {
  arrayOf(out).fill(value);
}

export function cast(out: Tensor, x: Tensor): void {
  arrayOf(out).set(arrayOf(x));
}

export function unary(name: UnaryName, out: Tensor, x: Tensor): void {
  const o = arrayOf(out);
  const p = arrayOf(x);
  const { formula } = unaryFunctions[name];
  for (let i = 0; i < o.length; i++) o[i] = formula(p[i]!);
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
    binaryBroadcast(binaryFunctions[name].formula, out, a, b);
  }
}

function binaryBroadcast(formula: (a: number, b: number) => number, out: Tensor, a: Tensor, b: Tensor): void {
  const [o, p, q] = [arrayOf(out), arrayOf(a), arrayOf(b)];
  const strides = [broadcastStrides(a.shape, out.shape), broadcastStrides(b.shape, out.shape)] as const;
  const width = out.shape.at(-1) ?? 1;
  const stepA = strides[0].at(-1) ?? 0;
  const stepB = strides[1].at(-1) ?? 0;
  forEachRow(out.shape, strides, (start, offsets) => {
    const [startA, startB] = [offsets[0]!, offsets[1]!];
    for (let i = 0; i < width; i++) o[start + i] = formula(p[startA + i * stepA]!, q[startB + i * stepB]!);
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
