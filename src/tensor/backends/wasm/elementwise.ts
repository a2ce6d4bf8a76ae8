// Elementwise kernels and optimizer steps over flat float32 arrays, in blocks that are distributed among threads.
import type { AdamSettings } from "../../backend.ts";
import type { BinaryName, UnaryName } from "../../elementwise.ts";
import { type Shape, sameShape, sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import type { WasmRuntime } from "./runtime.ts";
import { pointerOf } from "./storage.ts";

/** Elements per item: BLOCK of assembly/elementwise.ts and optimizer.ts. */
const block = 4096;

/** Names with a kernel, in the order of their numbers in assembly/elementwise.ts. The other names run as reference loops. */
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
/** The number of affine in assembly/elementwise.ts. */
const affineNumber = unaryNames.length;
const binaryNames: readonly BinaryName[] = ["add", "subtract", "multiply", "divide", "maximum"];

/** @returns false if there is no kernel for the name */
export function unary(runtime: WasmRuntime, name: UnaryName, out: Tensor, x: Tensor): boolean {
  const operation = unaryNames.indexOf(name);
  if (operation < 0) return false;
  runUnary(runtime, operation, out, x);
  return true;
}

/** out = scale · x + shift */
export function affine(runtime: WasmRuntime, out: Tensor, x: Tensor, scale: number, shift: number): void {
  runUnary(runtime, affineNumber, out, x, { scale, shift });
}

const identity = { scale: 1, shift: 0 };

function runUnary(runtime: WasmRuntime, operation: number, out: Tensor, x: Tensor, { scale, shift } = identity): void {
  runtime.run("unary", {
    items: Math.ceil(out.size / block),
    cost: out.size,
    fields: { out: pointerOf(out), x: pointerOf(x), length: out.size, operation, scale, shift },
  });
}

/** @returns false if there is no kernel for the name, or for the way in which the operands must be broadcast */
export function binary(runtime: WasmRuntime, name: BinaryName, out: Tensor, a: Tensor, b: Tensor): boolean {
  const operation = binaryNames.indexOf(name);
  if (operation < 0) return false;
  const work = { items: Math.ceil(out.size / block), cost: out.size / 2 };
  const fields = { out: pointerOf(out), a: pointerOf(a), b: pointerOf(b), length: out.size, operation };
  if (sameShape(a.shape, b.shape)) {
    runtime.run("binary", { ...work, fields });
    return true;
  }
  if (!holdsOnePerRow(b.shape, a.shape)) return false;
  runtime.run("binaryRows", { ...work, fields: { ...fields, width: a.size / b.size } });
  return true;
}

/** Whether a tensor has one element for every row of another, as [B, 1, 1] has for [B, L, D]: its trailing axes have length 1. */
function holdsOnePerRow(shape: Shape, of: Shape): boolean {
  if (sizeOf(of) === 0) return false;
  if (sizeOf(shape) === 1) return true;
  if (shape.length !== of.length) return false;
  const rank = shape.findLastIndex((length) => length !== 1) + 1;
  return sameShape(shape.slice(0, rank), of.slice(0, rank));
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
  runtime.run("adamAtan2", {
    items: Math.ceil(p.size / block),
    cost: 8 * p.size,
    fields: {
      p: pointerOf(p),
      m: pointerOf(m),
      v: pointerOf(v),
      gradient: pointerOf(gradient),
      length: p.size,
      beta1,
      beta2,
      rest1: 1 - beta1,
      rest2: 1 - beta2,
      decay: 1 - learningRate * weightDecay,
      size: -learningRate / (1 - beta1 ** step),
      deviationScale: 1 / Math.sqrt(1 - beta2 ** step),
    },
  });
}

/** In place: average = rate · average + (1 - rate) · value */
export function movingAverage(runtime: WasmRuntime, average: Tensor, value: Tensor, rate: number): void {
  runtime.run("movingAverage", {
    items: Math.ceil(average.size / block),
    cost: average.size / 2,
    fields: { average: pointerOf(average), value: pointerOf(value), length: average.size, rate, rest: 1 - rate },
  });
}
