// Root-mean-square norm without a weight, over rows and over columns.
//
//   forward    y = s · r,  r = 1 / √(mean s² + ε)
//   backward   ds = (dy - y · mean(dy · y)) · r
//
// A sum of squares overflows if |s| is about 1e19. Only then s is divided by its largest magnitude before it is squared.
import { PANEL_BYTES } from "./layout";
import { fma, squareRoot, storePair, sumLanes } from "./vector";

/** Above this, the sum of squares is computed again from scaled numbers. */
// @ts-ignore: decorator
@inline
const LARGE_SQUARES: f32 = 1e37;

/** Normalizes one contiguous row; y may be s itself. Returns r. */
export function normRow(y: usize, s: usize, width: i32, epsilon: f32): f32 {
  const vectors = width & ~7;
  const tail = <usize>width << 2;
  let even = f32x4.splat(0), odd = even;
  let at: usize = 0;
  for (const end = <usize>vectors << 2; at < end; at += 32) {
    const a = v128.load(s + at), b = v128.load(s + at, 16);
    even = fma(a, a, even);
    odd = fma(b, b, odd);
  }
  let squares = sumLanes(f32x4.add(even, odd));
  for (; at < tail; at += 4) squares += load<f32>(s + at) * load<f32>(s + at);
  const inverse =
    squares > LARGE_SQUARES ? inverseOfLargeRow(s, width, epsilon) : <f32>1 / squareRoot(squares / <f32>width + epsilon);
  scaleRow(y, s, width, inverse);
  return inverse;
}

/** r of a row whose squares overflow: s / √(mean s²) = (s / m) / √(mean (s / m)²) for m = max |s|. */
function inverseOfLargeRow(s: usize, width: i32, epsilon: f32): f32 {
  let largest: f32 = 0;
  const end = s + (<usize>width << 2);
  for (let at = s; at < end; at += 4) largest = max(largest, abs(load<f32>(at)));
  largest = min(largest, f32.MAX_VALUE); // An infinite row has r = 0 instead of NaN.
  let squares: f32 = 0;
  for (let at = s; at < end; at += 4) {
    const scaled = load<f32>(at) / largest;
    squares += scaled * scaled;
  }
  return <f32>1 / largest / squareRoot(squares / <f32>width + epsilon / largest / largest);
}

/** to = from · factor over a contiguous row. */
export function scaleRow(to: usize, from: usize, width: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  let at: usize = 0;
  for (const end = <usize>(width & ~7) << 2; at < end; at += 32) {
    storePair(to + at, f32x4.mul(v128.load(from + at), factors), f32x4.mul(v128.load(from + at, 16), factors));
  }
  for (const end = <usize>width << 2; at < end; at += 4) store<f32>(to + at, load<f32>(from + at) * factor);
}

/** ds of one contiguous row. */
export function normRowBackward(ds: usize, y: usize, dy: usize, inverse: f32, width: i32): void {
  const pairsEnd = <usize>(width & ~7) << 2, end = <usize>width << 2;
  let even = f32x4.splat(0), odd = even;
  let at: usize = 0;
  for (; at < pairsEnd; at += 32) {
    even = fma(v128.load(y + at), v128.load(dy + at), even);
    odd = fma(v128.load(y + at, 16), v128.load(dy + at, 16), odd);
  }
  let dot = sumLanes(f32x4.add(even, odd));
  for (; at < end; at += 4) dot += load<f32>(y + at) * load<f32>(dy + at);
  const mean = dot / <f32>width;
  const means = f32x4.splat(-mean), factors = f32x4.splat(inverse);
  for (at = 0; at < pairsEnd; at += 32) {
    const a = fma(v128.load(y + at), means, v128.load(dy + at));
    const b = fma(v128.load(y + at, 16), means, v128.load(dy + at, 16));
    storePair(ds + at, f32x4.mul(a, factors), f32x4.mul(b, factors));
  }
  for (; at < end; at += 4) store<f32>(ds + at, (load<f32>(dy + at) - load<f32>(y + at) * mean) * inverse);
}

/** Normalizes each column of a panel [length][PANEL] in place, and stores the values of r, one per column. */
export function normPanel(panel: usize, length: i32, epsilon: f32, inverse: usize): void {
  const count = f32x4.splat(<f32>length), eps = f32x4.splat(epsilon), one = f32x4.splat(1);
  // Eight columns at a time.
  for (let column: usize = 0; column < PANEL_BYTES; column += 32) {
    let left = f32x4.splat(0), right = left;
    const start = panel + column;
    const end = start + <usize>length * PANEL_BYTES;
    for (let at = start; at < end; at += PANEL_BYTES) {
      const a = v128.load(at), b = v128.load(at, 16);
      left = fma(a, a, left);
      right = fma(b, b, right);
    }
    const limit = f32x4.splat(LARGE_SQUARES);
    if (v128.any_true(v128.or(f32x4.gt(left, limit), f32x4.gt(right, limit)))) {
      left = inverseOfLargeColumns(start, end, left, count, eps);
      right = inverseOfLargeColumns(start + 16, end + 16, right, count, eps);
    } else {
      left = f32x4.div(one, f32x4.sqrt(f32x4.add(f32x4.div(left, count), eps)));
      right = f32x4.div(one, f32x4.sqrt(f32x4.add(f32x4.div(right, count), eps)));
    }
    for (let at = start; at < end; at += PANEL_BYTES) {
      storePair(at, f32x4.mul(v128.load(at), left), f32x4.mul(v128.load(at, 16), right));
    }
    storePair(inverse + column, left, right);
  }
}

/** r of four columns, of which some have squares that overflow (see inverseOfLargeRow). For the others m = 1. */
function inverseOfLargeColumns(start: usize, end: usize, squares: v128, count: v128, epsilon: v128): v128 {
  const one = f32x4.splat(1);
  let largest = f32x4.splat(0);
  for (let at = start; at < end; at += PANEL_BYTES) largest = f32x4.pmax(largest, f32x4.abs(v128.load(at)));
  largest = f32x4.pmin(largest, f32x4.splat(f32.MAX_VALUE));
  const m = v128.bitselect(largest, one, f32x4.gt(squares, f32x4.splat(LARGE_SQUARES)));
  let sum = f32x4.splat(0);
  for (let at = start; at < end; at += PANEL_BYTES) {
    const scaled = f32x4.div(v128.load(at), m);
    sum = fma(scaled, scaled, sum);
  }
  const mean = f32x4.add(f32x4.div(sum, count), f32x4.div(f32x4.div(epsilon, m), m));
  return f32x4.div(f32x4.div(one, m), f32x4.sqrt(mean));
}

/** ds of the columns of a panel: y and dy are panels [length][PANEL], ds replaces dy. */
export function normPanelBackward(dy: usize, y: usize, length: i32, inverse: usize): void {
  const count = f32x4.splat(-<f32>length);
  const bytes = <usize>length * PANEL_BYTES;
  for (let column: usize = 0; column < PANEL_BYTES; column += 32) {
    let left = f32x4.splat(0), right = left;
    for (let at = column; at < bytes; at += PANEL_BYTES) {
      left = fma(v128.load(y + at), v128.load(dy + at), left);
      right = fma(v128.load(y + at, 16), v128.load(dy + at, 16), right);
    }
    left = f32x4.div(left, count);
    right = f32x4.div(right, count);
    const leftInverse = v128.load(inverse + column), rightInverse = v128.load(inverse + column, 16);
    for (let at = column; at < bytes; at += PANEL_BYTES) {
      const a = fma(v128.load(y + at), left, v128.load(dy + at));
      const b = fma(v128.load(y + at, 16), right, v128.load(dy + at, 16));
      storePair(dy + at, f32x4.mul(a, leftInverse), f32x4.mul(b, rightInverse));
    }
  }
}
