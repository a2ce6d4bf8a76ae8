// Root-mean-square norm without a weight, over rows and over columns.
//
//   forward    y = s · r,  r = 1 / √(mean s² + ε)
//   backward   ds = (dy - y · mean(dy · y)) · r
//
// The squares overflow if |s| is about 1e19. Only then they are computed again from s · SHRINK, outside the loops with pairs of vectors,
// because a branch in such a loop can crash V8's revectorizer (Node 24).
import { PANEL_BYTES } from "./layout";
import { fma, squareRoot, storePair, sumLanes } from "./vector";

/** With this factor the squares of the largest float32 numbers are finite, and those of 1e18 are normal. */
// @ts-ignore: decorator
@inline
const SHRINK: f32 = 8.271806125530277e-25; // 2^-80

/** Normalizes one contiguous row; y may be s itself. Returns r. */
export function normRow(y: usize, s: usize, width: i32, epsilon: f32): f32 {
  const squares = sumOfSquares(s, width);
  if (squares == f32.POSITIVE_INFINITY) {
    // ε is negligible compared with such squares.
    scaleRow(y, s, width, SHRINK);
    const inverse = <f32>1 / squareRoot(sumOfSquares(y, width) / <f32>width);
    scaleRow(y, y, width, inverse);
    return inverse * SHRINK;
  }
  const inverse = <f32>1 / squareRoot(squares / <f32>width + epsilon);
  scaleRow(y, s, width, inverse);
  return inverse;
}

function sumOfSquares(s: usize, width: i32): f32 {
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
  return squares;
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
  inverseRmsOfPanel(panel, length, epsilon, inverse);
  for (let column: usize = 0; column < PANEL_BYTES; column += 16) {
    if (v128.any_true(f32x4.eq(v128.load(inverse + column), f32x4.splat(0)))) {
      inverseRmsOfLargeColumns(panel + column, length, inverse + column);
    }
  }
  for (let column: usize = 0; column < PANEL_BYTES; column += 32) {
    const left = v128.load(inverse + column), right = v128.load(inverse + column, 16);
    const start = panel + column;
    const end = start + <usize>length * PANEL_BYTES;
    for (let at = start; at < end; at += PANEL_BYTES) {
      storePair(at, f32x4.mul(v128.load(at), left), f32x4.mul(v128.load(at, 16), right));
    }
  }
}

/** Stores r of each column, eight columns at a time. r is 0 if the squares overflow. */
function inverseRmsOfPanel(panel: usize, length: i32, epsilon: f32, inverse: usize): void {
  const count = f32x4.splat(<f32>length), eps = f32x4.splat(epsilon), one = f32x4.splat(1);
  for (let column: usize = 0; column < PANEL_BYTES; column += 32) {
    let left = f32x4.splat(0), right = left;
    const start = panel + column;
    const end = start + <usize>length * PANEL_BYTES;
    for (let at = start; at < end; at += PANEL_BYTES) {
      const a = v128.load(at), b = v128.load(at, 16);
      left = fma(a, a, left);
      right = fma(b, b, right);
    }
    left = f32x4.div(one, f32x4.sqrt(f32x4.add(f32x4.div(left, count), eps)));
    right = f32x4.div(one, f32x4.sqrt(f32x4.add(f32x4.div(right, count), eps)));
    storePair(inverse + column, left, right);
  }
}

/** Computes r again for those of four columns whose r is 0. ε is negligible compared with their squares. */
function inverseRmsOfLargeColumns(panel: usize, length: i32, inverse: usize): void {
  const shrink = f32x4.splat(SHRINK);
  const end = panel + <usize>length * PANEL_BYTES;
  let squares = f32x4.splat(0);
  for (let at = panel; at < end; at += PANEL_BYTES) {
    const a = f32x4.mul(v128.load(at), shrink);
    squares = fma(a, a, squares);
  }
  const large = f32x4.div(shrink, f32x4.sqrt(f32x4.div(squares, f32x4.splat(<f32>length))));
  const r = v128.load(inverse);
  v128.store(inverse, v128.bitselect(large, r, f32x4.eq(r, f32x4.splat(0))));
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
