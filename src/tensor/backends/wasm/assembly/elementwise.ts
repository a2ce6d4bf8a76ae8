// Elementwise kernels over flat arrays. Items are blocks of BLOCK elements. Loops process four vectors at a time, for the functions
// with an exponential (see vector.ts).
import { exp, sigmoid, silu, storeFour, storePair } from "./vector";

/** Elements per item; ../elementwise.ts has the same number. */
// @ts-ignore: decorator
@inline
const BLOCK: i32 = 4096;

@unmanaged
export class Unary {
  out: usize;
  x: usize;
  length: i32;
  /** Position of the operation's name in the list of ../elementwise.ts. */
  operation: i32;
  /** Used by `affine` only. */
  scale: f32;
  shift: f32;
}

// @ts-ignore: decorator
@inline
function apply(operation: i32, x: v128, scale: v128, shift: v128): v128 {
  if (operation == 0) return f32x4.neg(x);
  if (operation == 1) return f32x4.mul(x, x);
  if (operation == 2) return exp(x);
  if (operation == 3) return sigmoid(x);
  if (operation == 4) return silu(x);
  if (operation == 5) return f32x4.sqrt(x);
  if (operation == 6) return f32x4.div(f32x4.splat(1), f32x4.sqrt(x));
  if (operation == 7) return f32x4.div(f32x4.splat(1), x);
  if (operation == 8) return f32x4.abs(x);
  return f32x4.add(f32x4.mul(x, scale), shift);
}

/** `operation` is a constant at every call, so each instance is a loop over one formula. */
// @ts-ignore: decorator
@inline
function loop(operation: i32, p: Unary, first: usize, end: usize): void {
  const scale = f32x4.splat(p.scale), shift = f32x4.splat(p.shift);
  let x = p.x + first, out = p.out + first;
  const last = p.out + end;
  for (; out + 64 <= last; out += 64, x += 64) {
    const a = apply(operation, v128.load(x), scale, shift);
    const b = apply(operation, v128.load(x, 16), scale, shift);
    const c = apply(operation, v128.load(x, 32), scale, shift);
    const d = apply(operation, v128.load(x, 48), scale, shift);
    storeFour(out, a, b, c, d);
  }
  for (; out < last; out += 4, x += 4) {
    store<f32>(out, f32x4.extract_lane(apply(operation, v128.load32_zero(x), scale, shift), 0));
  }
}

export function unary(parameters: usize, start: i32, end: i32): void {
  const p = changetype<Unary>(parameters);
  const first = <usize>(start * BLOCK) << 2;
  const last = <usize>min(end * BLOCK, p.length) << 2;
  switch (p.operation) {
    case 0: loop(0, p, first, last); break;
    case 1: loop(1, p, first, last); break;
    case 2: loop(2, p, first, last); break;
    case 3: loop(3, p, first, last); break;
    case 4: loop(4, p, first, last); break;
    case 5: loop(5, p, first, last); break;
    case 6: loop(6, p, first, last); break;
    case 7: loop(7, p, first, last); break;
    case 8: loop(8, p, first, last); break;
    default: loop(9, p, first, last);
  }
}

@unmanaged
export class Binary {
  out: usize;
  a: usize;
  b: usize;
  length: i32;
  operation: i32;
}

// @ts-ignore: decorator
@inline
function combine(operation: i32, a: v128, b: v128): v128 {
  if (operation == 0) return f32x4.add(a, b);
  if (operation == 1) return f32x4.sub(a, b);
  if (operation == 2) return f32x4.mul(a, b);
  if (operation == 3) return f32x4.div(a, b);
  return f32x4.max(a, b);
}

// @ts-ignore: decorator
@inline
function pairs(operation: i32, p: Binary, first: usize, end: usize): void {
  let a = p.a + first, b = p.b + first, out = p.out + first;
  const last = p.out + end;
  for (; out + 32 <= last; out += 32, a += 32, b += 32) {
    storePair(out, combine(operation, v128.load(a), v128.load(b)), combine(operation, v128.load(a, 16), v128.load(b, 16)));
  }
  for (; out < last; out += 4, a += 4, b += 4) {
    store<f32>(out, f32x4.extract_lane(combine(operation, v128.load32_zero(a), v128.load32_zero(b)), 0));
  }
}

/** Operands of equal shapes. */
export function binary(parameters: usize, start: i32, end: i32): void {
  const p = changetype<Binary>(parameters);
  const first = <usize>(start * BLOCK) << 2;
  const last = <usize>min(end * BLOCK, p.length) << 2;
  switch (p.operation) {
    case 0: pairs(0, p, first, last); break;
    case 1: pairs(1, p, first, last); break;
    case 2: pairs(2, p, first, last); break;
    case 3: pairs(3, p, first, last); break;
    default: pairs(4, p, first, last);
  }
}

@unmanaged
export class BinaryRows {
  out: usize;
  a: usize;
  b: usize;
  length: i32;
  /** Elements of a row of `a`. */
  width: i32;
  operation: i32;
}

/** Elements first to end - 1, which may begin and end within a row. */
// @ts-ignore: decorator
@inline
function rows(operation: i32, p: BinaryRows, first: i32, end: i32): void {
  while (first < end) {
    const row = first / p.width;
    const rowEnd = min((row + 1) * p.width, end);
    const b = v128.load32_splat(p.b + (<usize>row << 2));
    let a = p.a + (<usize>first << 2), out = p.out + (<usize>first << 2);
    const last = p.out + (<usize>rowEnd << 2);
    for (; out + 32 <= last; out += 32, a += 32) {
      storePair(out, combine(operation, v128.load(a), b), combine(operation, v128.load(a, 16), b));
    }
    for (; out < last; out += 4, a += 4) {
      store<f32>(out, f32x4.extract_lane(combine(operation, v128.load32_zero(a), b), 0));
    }
    first = rowEnd;
  }
}

/** Every row of `a` with one element of `b`. */
export function binaryRows(parameters: usize, start: i32, end: i32): void {
  const p = changetype<BinaryRows>(parameters);
  const first = start * BLOCK;
  const last = min(end * BLOCK, p.length);
  switch (p.operation) {
    case 0: rows(0, p, first, last); break;
    case 1: rows(1, p, first, last); break;
    case 2: rows(2, p, first, last); break;
    case 3: rows(3, p, first, last); break;
    default: rows(4, p, first, last);
  }
}
