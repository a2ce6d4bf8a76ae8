// Optimizer steps in place over flat arrays. Items are blocks of BLOCK elements.
import { fma } from "./vector";

/** Elements per item; ../elementwise.ts has the same number. */
// @ts-ignore: decorator
@inline
const BLOCK: i32 = 4096;

@unmanaged
export class AdamAtan2 {
  p: usize;
  m: usize;
  v: usize;
  gradient: usize;
  length: i32;
  beta1: f32;
  beta2: f32;
  /** 1 - beta1 and 1 - beta2, rounded once. */
  rest1: f32;
  rest2: f32;
  /** 1 - learning rate · weight decay */
  decay: f32;
  /** -learning rate / (1 - beta1^t) */
  size: f32;
  /** 1 / √(1 - beta2^t) */
  deviationScale: f32;
}

/**
 * The angle of (x, y) for x >= 0; NaN if x or y is NaN. Relative error below 2e-7.
 *
 * With t = min / max of |y| and x: atan t = π/4 + atan((t - 1) / (t + 1)) for t > tan(π/8), so that a polynomial on a short
 * interval suffices (coefficients of Cephes' atanf, S. Moshier). For |y| > x the angle is π/2 - atan t.
 */
// @ts-ignore: decorator
@inline
function angle(y: v128, x: v128): v128 {
  const zero = f32x4.splat(0);
  const height = f32x4.abs(y);
  const steep = f32x4.gt(height, x);
  const larger = f32x4.pmax(height, x), smaller = f32x4.pmin(height, x);
  // The angle of two infinities is that of (1, 1).
  const infinite = f32x4.eq(smaller, f32x4.splat(f32.POSITIVE_INFINITY));
  const large = v128.bitselect(f32x4.splat(1), larger, infinite), small = v128.bitselect(f32x4.splat(1), smaller, infinite);
  const far = f32x4.gt(small, f32x4.mul(large, f32x4.splat(0.41421356)));
  const numerator = v128.bitselect(f32x4.sub(small, large), small, far);
  const denominator = v128.bitselect(f32x4.add(small, large), large, far);
  // The angle of 0 / 0, a parameter that has had no gradient so far, is 0.
  const t = v128.andnot(f32x4.div(numerator, denominator), f32x4.eq(denominator, zero));
  const z = f32x4.mul(t, t);
  let p = fma(z, f32x4.splat(8.05374449538e-2), f32x4.splat(-1.38776856032e-1));
  p = fma(p, z, f32x4.splat(1.99777106478e-1));
  p = fma(p, z, f32x4.splat(-3.33329491539e-1));
  let result = fma(f32x4.mul(p, z), t, t);
  result = f32x4.add(result, v128.and(far, f32x4.splat(0.785398163)));
  result = v128.bitselect(f32x4.sub(f32x4.splat(1.57079633), result), result, steep);
  result = v128.or(result, f32x4.ne(x, x)); // NaN, which pmax and pmin lose
  return v128.bitselect(y, result, i32x4.splat(0x80000000));
}

/** m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g²; p = p (1 - lr wd) - lr / (1 - b1^t) · atan2(m, √v / √(1 - b2^t)) */
export function adamAtan2(parameters: usize, start: i32, end: i32): void {
  const s = changetype<AdamAtan2>(parameters);
  const beta1 = f32x4.splat(s.beta1), beta2 = f32x4.splat(s.beta2);
  const rest1 = f32x4.splat(s.rest1), rest2 = f32x4.splat(s.rest2);
  const decay = f32x4.splat(s.decay), size = f32x4.splat(s.size), scale = f32x4.splat(s.deviationScale);
  const last = <usize>min(end * BLOCK, s.length) << 2;
  let at = <usize>(start * BLOCK) << 2;
  for (; at < last; at += 16) {
    const whole = at + 16 <= last;
    const g = part(s.gradient + at, whole);
    const m = fma(part(s.m + at, whole), beta1, f32x4.mul(g, rest1));
    const v = fma(part(s.v + at, whole), beta2, f32x4.mul(f32x4.mul(g, rest2), g));
    const p = f32x4.mul(part(s.p + at, whole), decay);
    const updated = fma(angle(m, f32x4.mul(f32x4.sqrt(v), scale)), size, p);
    if (whole) {
      v128.store(s.m + at, m);
      v128.store(s.v + at, v);
      v128.store(s.p + at, updated);
    } else {
      store<f32>(s.m + at, f32x4.extract_lane(m, 0));
      store<f32>(s.v + at, f32x4.extract_lane(v, 0));
      store<f32>(s.p + at, f32x4.extract_lane(updated, 0));
      at -= 12; // The last few elements are processed one at a time.
    }
  }
}

/** Four elements, or one element and three zeros. */
// @ts-ignore: decorator
@inline
function part(at: usize, whole: bool): v128 {
  return whole ? v128.load(at) : v128.load32_zero(at);
}

@unmanaged
export class MovingAverage {
  average: usize;
  value: usize;
  length: i32;
  rate: f32;
  rest: f32;
}

/** average = rate · average + (1 - rate) · value */
export function movingAverage(parameters: usize, start: i32, end: i32): void {
  const s = changetype<MovingAverage>(parameters);
  const rate = f32x4.splat(s.rate), rest = f32x4.splat(s.rest);
  const last = <usize>min(end * BLOCK, s.length) << 2;
  let at = <usize>(start * BLOCK) << 2;
  for (; at + 16 <= last; at += 16) {
    v128.store(s.average + at, fma(v128.load(s.average + at), rate, f32x4.mul(v128.load(s.value + at), rest)));
  }
  for (; at < last; at += 4) {
    store<f32>(s.average + at, s.rate * load<f32>(s.average + at) + s.rest * load<f32>(s.value + at));
  }
}
