// Operations on tensors: each checks shapes and element types, creates the output, and calls one kernel. Gradients belong to
// src/autograd, which builds on this file. Every function returns a new tensor in the current scope; the functions that change a
// tensor in place are in updates.ts.
import { expectArray, expectObject, expectWhole } from "./arguments.ts";
import { full } from "./create.ts";
import { type DType, expectTypeName } from "./dtype.ts";
import { type BinaryName, binaryFunctions, type UnaryName, unaryFunctions } from "./elementwise.ts";
import { ArgumentError, DTypeError, ShapeError, showValue } from "./errors.ts";
import {
  expectAlike,
  expectDType,
  expectElements,
  expectOneBackend,
  expectTensors,
  isAligned,
  resolveAxes,
} from "./operation-checks.ts";
import { scope } from "./scope.ts";
import {
  broadcastShapes,
  broadcastStrides,
  broadcastsTo,
  expectShape,
  resolveAxis,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
  stridesOf,
} from "./shape.ts";
import { emptyLike, type Tensor } from "./tensor.ts";

function refuseInt32(operation: string, { dtype }: Tensor): void {
  if (dtype === "int32") throw new DTypeError(`${operation}: got int32, expected float32 or float64 (see cast)`);
}

const unary =
  (name: UnaryName) =>
  (x: Tensor): Tensor => {
    expectTensors(name, x);
    if (!unaryFunctions[name].allowsInt32) refuseInt32(name, x);
    const out = emptyLike(x);
    x.backend.kernels.unary(name, out, x);
    return out;
  };

// The formulas are in elementwise.ts.
/** -x */
export const negate = unary("negate");
/** eˣ */
export const exp = unary("exp");
/** ln x */
export const log = unary("log");
/** √x */
export const sqrt = unary("sqrt");
/** 1 / √x */
export const rsqrt = unary("rsqrt");
/** x² */
export const square = unary("square");
/** 1 / x */
export const reciprocal = unary("reciprocal");
/** |x| */
export const abs = unary("abs");
/** -1, 0 or 1 */
export const sign = unary("sign");
/** tanh x */
export const tanh = unary("tanh");
/** σ(x) = 1 / (1 + e⁻ˣ) */
export const sigmoid = unary("sigmoid");
/** x · σ(x) */
export const silu = unary("silu");
/** ln(1 + eˣ) */
export const softplus = unary("softplus");
/** max(x, 0) */
export const relu = unary("relu");

const binary =
  (name: BinaryName) =>
  (a: Tensor, b: Tensor): Tensor => {
    expectAlike(name, a, b);
    if (!binaryFunctions[name].allowsInt32) refuseInt32(name, a);
    const out = emptyLike(a, broadcastShapes(name, a.shape, b.shape));
    a.backend.kernels.binary(name, out, a, b);
    return out;
  };

/** a + b */
export const add = binary("add");
/** a - b */
export const subtract = binary("subtract");
/** a · b */
export const multiply = binary("multiply");
/** a / b */
export const divide = binary("divide");
/** max(a, b) */
export const maximum = binary("maximum");
/** The angle of the point (b, a), in (-π, π] */
export const atan2 = binary("atan2");
/** 1 where a > b, else 0 */
export const greater = binary("greater");
/** 1 where a = b, else 0 */
export const equal = binary("equal");

/** a where condition is not 0, else b; all three broadcast. */
export function select(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  expectAlike("select", a, b);
  expectOneBackend("select", condition, a);
  const shape = broadcastShapes("select", condition.shape, broadcastShapes("select", a.shape, b.shape));
  const out = emptyLike(a, shape);
  a.backend.kernels.select(out, condition, a, b);
  return out;
}

/** scale · x + shift; for int32 both must be whole numbers. */
export function affine(x: Tensor, scale: number, shift = 0): Tensor {
  expectTensors("affine", x);
  if (typeof scale !== "number" || typeof shift !== "number") {
    throw new ArgumentError(`affine: got ${showValue(scale)} and ${showValue(shift)}, expected two numbers`);
  }
  if (x.dtype === "int32" && !(Number.isInteger(scale) && Number.isInteger(shift))) {
    const numbers = `${scale} and ${shift}`;
    throw new DTypeError(`affine: got int32 with ${numbers}, expected whole numbers, or float32 or float64 (see cast)`);
  }
  const out = emptyLike(x);
  x.backend.kernels.affine(out, x, scale, shift);
  return out;
}

/**
 * x in another element type. Conversion to int32 cuts fractions off towards zero; for NaN and numbers outside its range the result is
 * undefined.
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  expectTensors("cast", x);
  expectTypeName("cast", dtype);
  const out = emptyLike(x, x.shape, dtype);
  x.backend.kernels.cast(out, x);
  return out;
}

/** The same numbers under another shape; -1 stands for the one length that fits. Nothing is copied. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  expectTensors("reshape", x);
  expectArray("reshape", "the shape", shape);
  if (shape.indexOf(-1) !== shape.lastIndexOf(-1)) {
    throw new ShapeError(`reshape: got ${showShape(shape)}, expected -1 at most once`);
  }
  const known = sizeOf(shape.filter((length) => length !== -1));
  const resolved = shape.map((length) => (length === -1 && known > 0 ? x.size / known : length));
  if (resolved.some((length) => !Number.isInteger(length) || length < 0) || sizeOf(resolved) !== x.size) {
    throw new ShapeError(`reshape: cannot view ${showShape(x.shape)} (${x.size} elements) as ${showShape(shape)}`);
  }
  return x.view(resolved);
}

/** Axes in another order: out.shape[i] = x.shape[axes[i]]. */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  expectTensors("permute", x);
  expectArray("permute", "the axes", axes);
  const order = axes.map((axis) => resolveAxis("permute", x.shape, axis));
  if (order.length !== x.shape.length || new Set(order).size !== order.length) {
    throw new ShapeError(`permute: got axes ${showShape(axes)}, expected each axis of ${showShape(x.shape)} once`);
  }
  const strides = stridesOf(x.shape);
  const out = emptyLike(
    x,
    order.map((axis) => x.shape[axis]!),
  );
  x.backend.kernels.copyStrided(
    out,
    x,
    0,
    order.map((axis) => strides[axis]!),
  );
  return out;
}

/** The order of axes that swaps the last two. */
export const swapLastTwo = (rank: number): number[] =>
  [...Array(rank).keys()].map((i) => (i < rank - 2 ? i : 2 * rank - 3 - i));

/** x repeated along its axes of length 1 (and new leading axes) to fill `shape`. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  expectTensors("broadcastTo", x);
  expectShape("broadcastTo", shape);
  if (!broadcastsTo(x.shape, shape)) {
    throw new ShapeError(`broadcastTo: cannot repeat ${showShape(x.shape)} to fill ${showShape(shape)}`);
  }
  const out = emptyLike(x, shape);
  x.backend.kernels.copyStrided(out, x, 0, broadcastStrides(x.shape, shape));
  return out;
}

/** Elements start to end - 1 along one axis. */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  expectTensors("slice", x);
  const at = resolveAxis("slice", x.shape, axis);
  const length = x.shape[at]!;
  if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end <= length)) {
    throw new ShapeError(
      `slice: got ${start}..${end} along axis ${axis} of ${showShape(x.shape)}, expected within 0..${length}`,
    );
  }
  const strides = stridesOf(x.shape);
  const out = emptyLike(x, x.shape.with(at, end - start));
  x.backend.kernels.copyStrided(out, x, start * strides[at]!, strides);
  return out;
}

/** Tensors joined along an axis; their other axes must be equal. */
export function concat(parts: readonly Tensor[], axis: number): Tensor {
  expectArray("concat", "the tensors", parts);
  expectTensors("concat", ...parts);
  const first = parts[0];
  if (!first) throw new ShapeError("concat: got no tensors, expected at least one");
  const at = resolveAxis("concat", first.shape, axis);
  for (const part of parts) {
    expectAlike("concat", first, part);
    if (!isAligned(first.shape, part.shape, at)) {
      throw new ShapeError(
        `concat: got ${showShape(first.shape)} and ${showShape(part.shape)}, expected equal lengths except along axis ${at}`,
      );
    }
  }
  const total = parts.reduce((sum, part) => sum + part.shape[at]!, 0);
  const out = emptyLike(first, first.shape.with(at, total));
  let start = 0;
  for (const part of parts) {
    out.backend.kernels.insert(
      out,
      part,
      out.shape.map((_, i) => (i === at ? start : 0)),
    );
    start += part.shape[at]!;
  }
  return out;
}

/** x surrounded by zeros along one axis. */
export function pad(x: Tensor, axis: number, before: number, after: number): Tensor {
  expectTensors("pad", x);
  const at = resolveAxis("pad", x.shape, axis);
  if (![before, after].every((count) => Number.isInteger(count) && count >= 0)) {
    throw new ShapeError(`pad: got ${before} before and ${after} after, expected whole numbers of 0 or more`);
  }
  const out = full(x.shape.with(at, before + x.shape[at]! + after), 0, x.dtype, x.backend);
  out.backend.kernels.insert(
    out,
    x,
    out.shape.map((_, i) => (i === at ? before : 0)),
  );
  return out;
}

/** Σ over the axes (all if none are given). */
export const sum = (x: Tensor, axes?: readonly number[], keepAxes = false): Tensor => reduce("sum", x, axes, keepAxes);

/** The largest element over the axes (all if none are given). @throws ShapeError if an axis to reduce has length 0 */
export function max(x: Tensor, axes?: readonly number[], keepAxes = false): Tensor {
  expectTensors("max", x);
  expectElements("max", x.shape, resolveAxes("max", x.shape, axes));
  return reduce("max", x, axes, keepAxes);
}

/** Σ over the axes / number of elements summed. */
export function mean(x: Tensor, axes?: readonly number[], keepAxes = false): Tensor {
  expectTensors("mean", x);
  refuseInt32("mean", x);
  const count = sizeOf(resolveAxes("mean", x.shape, axes).map((axis) => x.shape[axis]!));
  // In double precision, because the sum may leave float32 although the mean does not.
  return scope(() => cast(affine(sum(cast(x, "float64"), axes, keepAxes), 1 / count), x.dtype));
}

/** The axes are joined into one, so that a sum is rounded once, and leaves the element type only if the total does. */
function reduce(name: "sum" | "max", x: Tensor, axes: readonly number[] | undefined, keepAxes: boolean): Tensor {
  expectTensors(name, x);
  const over = resolveAxes(name, x.shape, axes).sort((a, b) => a - b);
  const shape = keepAxes
    ? x.shape.map((length, axis) => (over.includes(axis) ? 1 : length))
    : x.shape.filter((_, axis) => !over.includes(axis));
  if (over.length === 0) return x.view(shape);
  return scope(() => {
    const joined = withAxesJoined(x, over);
    const out = emptyLike(x, joined.tensor.shape.with(joined.axis, 1));
    x.backend.kernels[name](out, joined.tensor, joined.axis);
    return out.view(shape);
  });
}

/** x with neighbouring axes joined into one; other axes first become neighbours, in their order, at the end. */
function withAxesJoined(x: Tensor, axes: readonly number[]): { tensor: Tensor; axis: number } {
  const first = axes[0]!;
  const end = first + axes.length;
  const length = sizeOf(axes.map((axis) => x.shape[axis]!));
  if (axes.at(-1) === end - 1) {
    return { tensor: x.view([...x.shape.slice(0, first), length, ...x.shape.slice(end)]), axis: first };
  }
  const kept = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
  const tensor = permute(x, [...kept, ...axes]).view([...kept.map((axis) => x.shape[axis]!), length]);
  return { tensor, axis: kept.length };
}

/** The gradient of a broadcast: sums x over the axes along which a tensor of shape `shape` is repeated to get x's shape. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  expectTensors("sumTo", x);
  expectShape("sumTo", shape);
  if (!broadcastsTo(shape, x.shape)) {
    const [from, to] = [showShape(x.shape), showShape(shape)];
    throw new ShapeError(`sumTo: got ${from} and ${to}, expected a shape that can be repeated to ${from}`);
  }
  const missing = x.shape.length - shape.length;
  const repeated = x.shape.flatMap((own, axis) => (axis < missing || shape[axis - missing] !== own ? [axis] : []));
  const summed = sum(x, repeated, true);
  const view = summed.view(shape);
  summed.dispose();
  return view;
}

/** Index of the first largest element along the last axis (int32). @throws ShapeError if that axis has length 0 */
export function argmax(x: Tensor): Tensor {
  expectTensors("argmax", x);
  const axis = resolveAxis("argmax", x.shape, -1);
  expectElements("argmax", x.shape, [axis]);
  const out = emptyLike(x, x.shape.slice(0, -1), "int32");
  x.backend.kernels.argmax(out, x);
  return out;
}

/** Options of `matmul`. */
export interface MatmulOptions {
  /** Whether a is stored with its last two axes swapped. */
  readonly transposeA?: boolean;
  /** Whether b is stored with its last two axes swapped. */
  readonly transposeB?: boolean;
}

/** The shape of a matrix product. @throws ShapeError naming both shapes and the axes that differ */
export function matmulShape(
  a: Shape,
  b: Shape,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): number[] {
  expectShape("matmul", a);
  expectShape("matmul", b);
  const names = `${showShape(a)}${transposeA ? "ᵀ" : ""} by ${showShape(b)}${transposeB ? "ᵀ" : ""}`;
  if (a.length < 2 || b.length < 2) throw new ShapeError(`matmul: got ${names}, expected at least two axes each`);
  const [rows, depthA] = transposeA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const [depthB, columns] = transposeB ? [b.at(-1)!, b.at(-2)!] : [b.at(-2)!, b.at(-1)!];
  if (depthA !== depthB) {
    throw new ShapeError(
      `matmul: cannot multiply ${names} (axis ${transposeA ? -2 : -1} of the first is ${depthA}, axis ${transposeB ? -1 : -2} of the second is ${depthB})`,
    );
  }
  return [...broadcastShapes("matmul", a, b, 2), rows, columns];
}

/** Matrix product over the last two axes; the leading axes broadcast. a [.., M, K], b [.., K, N] -> [.., M, N] */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  expectObject("matmul", "the options", options);
  expectAlike("matmul", a, b);
  const out = emptyLike(a, matmulShape(a.shape, b.shape, options));
  a.backend.kernels.matmul(out, a, b, options.transposeA ?? false, options.transposeB ?? false);
  return out;
}

/** Rows of a table by index. table [N, D], ids [...] int32 -> [..., D] */
export function gatherRows(table: Tensor, ids: Tensor): Tensor {
  expectDType("gatherRows", ids, "int32");
  expectOneBackend("gatherRows", table, ids);
  if (table.shape.length !== 2)
    throw new ShapeError(`gatherRows: got table ${showShape(table.shape)}, expected [rows, width]`);
  const out = emptyLike(table, [...ids.shape, table.shape[1]!]);
  table.backend.kernels.gatherRows(out, table, ids);
  return out;
}

/** The gradient of gatherRows: a table of zeros with x[i] added to row ids[i]. ids [...], x [..., D] -> [rows, D] */
export function scatterRows(ids: Tensor, x: Tensor, rows: number): Tensor {
  expectWhole("scatterRows", "the number of rows", rows, 0);
  expectDType("scatterRows", ids, "int32");
  expectOneBackend("scatterRows", ids, x);
  if (x.shape.length === 0 || !sameShape(x.shape.slice(0, -1), ids.shape)) {
    const expected = [...ids.shape, "width"].join(", ");
    throw new ShapeError(
      `scatterRows: got ids ${showShape(ids.shape)} and x ${showShape(x.shape)}, expected x [${expected}]`,
    );
  }
  const out = full([rows, x.shape.at(-1)!], 0, x.dtype, x.backend);
  out.backend.kernels.scatterAddRows(out, ids, x);
  return out;
}
