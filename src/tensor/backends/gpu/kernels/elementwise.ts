// Elementwise kernels, with broadcasting. Their formulas are in formulas.ts.
import type { BinaryName, UnaryName } from "../../../elementwise.ts";
import { broadcastStrides } from "../../../shape.ts";
import type { Tensor } from "../../../tensor.ts";
import { binaryFormulas, functions, unaryFormulas } from "../formulas.ts";
import { collapse, coordinates, position } from "../index-arithmetic.ts";
import { launch, share } from "../launch.ts";
import { checkExact } from "../storage.ts";

export function fill(out: Tensor, value: number): void {
  if (out.dtype === "int32" && out.size > 0) checkExact(value, 0);
  const source = `function (value) {
  return value;
}`;
  launch({ name: "fill", out, inputs: [value], source });
}

/** A cast between float types copies nothing, because both are float32. A cast to int32 truncates, like a typed array. */
export function cast(out: Tensor, x: Tensor): void {
  if (out.dtype !== "int32" || x.dtype === "int32") {
    share(out, x);
    return;
  }
  const source = `function (x) {
  const v = x[this.thread.x];
  return v < 0 ? Math.ceil(v) : Math.floor(v);
}`;
  launch({ name: "cast", out, inputs: [x], source });
}

export function unary(name: UnaryName, out: Tensor, x: Tensor): void {
  const source = `function (x) {
  const v = x[this.thread.x];
  return ${unaryFormulas[name]};
}`;
  launch({ name, out, inputs: [x], functions, source });
}

export function affine(out: Tensor, x: Tensor, scale: number, shift: number): void {
  if (out.dtype === "int32") [scale, shift].forEach(checkExact);
  const source = `function (x, scale, shift) {
  return scale * x[this.thread.x] + shift;
}`;
  launch({ name: "affine", out, inputs: [x, scale, shift], source });
}

export function binary(name: BinaryName, out: Tensor, a: Tensor, b: Tensor): void {
  const { shape, strides } = broadcasting(out, a, b);
  const source = `function (x, y) {
  ${coordinates(shape)}
  const a = x[${position(strides[0]!)}];
  const b = y[${position(strides[1]!)}];
  return ${binaryFormulas[name]};
}`;
  launch({ name, out, inputs: [a, b], functions, source });
}

export function select(out: Tensor, condition: Tensor, a: Tensor, b: Tensor): void {
  const { shape, strides } = broadcasting(out, condition, a, b);
  const source = `function (condition, a, b) {
  ${coordinates(shape)}
  return condition[${position(strides[0]!)}] !== 0 ? a[${position(strides[1]!)}] : b[${position(strides[2]!)}];
}`;
  launch({ name: "select", out, inputs: [condition, a, b], source });
}

const broadcasting = (out: Tensor, ...inputs: readonly Tensor[]) =>
  collapse({ shape: out.shape, strides: inputs.map((input) => broadcastStrides(input.shape, out.shape)) });
