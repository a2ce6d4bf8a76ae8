// Elementwise kernels and optimizer steps over flat float32 arrays, in blocks that threads share out.
import type { AdamSettings, BinaryName, UnaryName } from "../../backend.ts";
import { sameShape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { float, type WasmRuntime } from "./runtime.ts";
import { pointerOf } from "./storage.ts";

/** Elements per item: BLOCK of assembly/elementwise.ts and optimizer.ts. */
const block = 4096;

/** In the order of their numbers in assembly/elementwise.ts. The other names run as reference loops. */
const unaryNames: readonly UnaryName[] = [
  "negate",
  "square",
  "exp",
  "sigmoid",
  "silu",
  "sqrt",
  "rsqrt",
  "reciprocal",
  "abs",
];
const affineNumber = unaryNames.length;
const binaryNames: readonly BinaryName[] = ["add", "subtract", "multiply", "divide", "maximum"];

/** @returns false if there is no kernel for the name */
export function unary(runtime: WasmRuntime, name: UnaryName, out: Tensor, x: Tensor): boolean {
  const operation = unaryNames.indexOf(name);
  if (operation < 0) return false;
  runUnary(runtime, operation, out, x, 1, 0);
  return true;
}

/** out = scale · x + shift */
export function affine(runtime: WasmRuntime, out: Tensor, x: Tensor, scale: number, shift: number): void {
  runUnary(runtime, affineNumber, out, x, scale, shift);
}

function runUnary(runtime: WasmRuntime, operation: number, out: Tensor, x: Tensor, scale: number, shift: number): void {
  runtime.run("unary", {
    items: Math.ceil(out.size / block),
    cost: out.size,
    parameters: [pointerOf(out), pointerOf(x), out.size, operation, float(scale), float(shift)],
  });
}

/** @returns false if there is no kernel for the name, or the operands have to be broadcast */
export function binary(runtime: WasmRuntime, name: BinaryName, out: Tensor, a: Tensor, b: Tensor): boolean {
  const operation = binaryNames.indexOf(name);
  if (operation < 0 || !sameShape(a.shape, b.shape)) return false;
  runtime.run("binary", {
    items: Math.ceil(out.size / block),
    cost: out.size / 2,
    parameters: [pointerOf(out), pointerOf(a), pointerOf(b), out.size, operation],
  });
  return true;
}

/** In place: one Adam-atan2 update */
export function adamAtan2(
  runtime: WasmRuntime,
  p: Tensor,
  m: Tensor,
  v: Tensor,
  gradient: Tensor,
  { learningRate, beta1, beta2, weightDecay, step }: AdamSettings,
): void {
  const floats = [
    ...[beta1, beta2, 1 - beta1, 1 - beta2, 1 - learningRate * weightDecay],
    ...[-learningRate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step)],
  ];
  runtime.run("adamAtan2", {
    items: Math.ceil(p.size / block),
    cost: 8 * p.size,
    parameters: [...[p, m, v, gradient].map(pointerOf), p.size, ...floats.map(float)],
  });
}

/** In place: average = rate · average + (1 - rate) · value */
export function movingAverage(runtime: WasmRuntime, average: Tensor, value: Tensor, rate: number): void {
  runtime.run("movingAverage", {
    items: Math.ceil(average.size / block),
    cost: average.size / 2,
    parameters: [pointerOf(average), pointerOf(value), average.size, float(rate), float(1 - rate)],
  });
}
