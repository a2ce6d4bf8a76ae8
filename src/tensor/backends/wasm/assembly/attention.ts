// Multi-head self-attention of one puzzle and one head; items are (puzzle, head).
//
//   P = softmax(q kᵀ / √headSize),  y = P v
//   dv = Pᵀ dy,  dS = P · (dy vᵀ - rowsum(dy · y)),  dq = dS k / √headSize,  dk = dSᵀ q / √headSize
//
// q, k and v are read from qkv [batch, length, 3 · heads · headSize] in place; with rotary positions q and k are turned on the
// way into scratch, and their gradients turned back. The backward pass computes P anew: that costs less than fetching it.
import { PANEL, PANEL_BYTES, panelColumns, panelCount } from "./layout";
import { scaleRow } from "./norm";
import { packPanel, packTransposedPanel } from "./panels";
import { multiplyPanel, SPARE_BYTES } from "./product";
import { clampedExp, fma, maxLanes, sumLanes } from "./vector";

@unmanaged
export class Attention {
  qkv: usize;
  y: usize;
  dy: usize;
  dqkv: usize;
  /** Rotary tables [length, headSize], 0 for none. */
  cos: usize;
  sin: usize;
  heads: i32;
  length: i32;
  headSize: i32;
  /** 1 / √headSize */
  scale: f32;
}

// @ts-ignore: decorator
@inline
function alignUp(bytes: usize): usize {
  return (bytes + 63) & ~63;
}

/** Scratch: one tile; q and k [length][headSize]; panels of kᵀ and v; P [length][length rounded up to whole panels]. */
export function attention(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<Attention>(parameters);
  const length = p.length, size = p.headSize;
  const stepHead = <usize>size << 2;
  const stepY = <usize>(p.heads * size) << 2, stepQkv = stepY * 3;
  const q = scratch + SPARE_BYTES;
  const k = q + alignUp(<usize>length * stepHead);
  const keys = k + alignUp(<usize>length * stepHead);
  const values = keys + <usize>(panelCount(length) * size) * PANEL_BYTES;
  const probabilities = values + <usize>(panelCount(size) * length) * PANEL_BYTES;
  const stepP = <usize>panelCount(length) * PANEL_BYTES;
  for (let item = start; item < end; item++) {
    const at = <usize>(item / p.heads * length) * stepQkv + <usize>(item % p.heads) * stepHead;
    turn(q, p.qkv + at, stepQkv, p, p.scale);
    turn(k, p.qkv + at + stepY, stepQkv, p, 1);
    packKeys(keys, k, stepHead, length, size);
    packColumns(values, p.qkv + at + 2 * stepY, stepQkv, length, size);
    softmaxScores(probabilities, stepP, q, keys, length, size, scratch);
    const y = p.y + <usize>(item / p.heads * length) * stepY + <usize>(item % p.heads) * stepHead;
    for (let j = 0; j < panelCount(size); j++) {
      const panel = values + <usize>(j * length) * PANEL_BYTES;
      const columns = panelColumns(size, j);
      multiplyPanel(true, length, columns, length, probabilities, stepP, panel, y + <usize>j * PANEL_BYTES, stepY, 0, 0, scratch);
    }
  }
}

/** Scratch: as above, and q and dy in panels; k in panels; vᵀ in panels instead of v; dS like P; dq and dk like q. */
export function attentionBackward(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<Attention>(parameters);
  const length = p.length, size = p.headSize;
  const stepHead = <usize>size << 2;
  const stepY = <usize>(p.heads * size) << 2, stepQkv = stepY * 3;
  const rowsBytes = alignUp(<usize>length * stepHead);
  const acrossBytes = <usize>(panelCount(length) * size) * PANEL_BYTES;
  const alongBytes = <usize>(panelCount(size) * length) * PANEL_BYTES;
  const stepP = <usize>panelCount(length) * PANEL_BYTES;
  const q = scratch + SPARE_BYTES;
  const k = q + rowsBytes;
  const keys = k + rowsBytes;
  const values = keys + acrossBytes;
  const qPanels = values + acrossBytes;
  const kPanels = qPanels + alongBytes;
  const dyPanels = kPanels + alongBytes;
  const probabilities = dyPanels + alongBytes;
  const dscores = probabilities + <usize>length * stepP;
  for (let item = start; item < end; item++) {
    const at = <usize>(item / p.heads * length) * stepQkv + <usize>(item % p.heads) * stepHead;
    const atY = <usize>(item / p.heads * length) * stepY + <usize>(item % p.heads) * stepHead;
    turn(q, p.qkv + at, stepQkv, p, p.scale);
    turn(k, p.qkv + at + stepY, stepQkv, p, 1);
    packKeys(keys, k, stepHead, length, size);
    packKeys(values, p.qkv + at + 2 * stepY, stepQkv, length, size);
    packColumns(qPanels, q, stepHead, length, size);
    packColumns(kPanels, k, stepHead, length, size);
    packColumns(dyPanels, p.dy + atY, stepY, length, size);
    softmaxScores(probabilities, stepP, q, keys, length, size, scratch);
    for (let j = 0; j < panelCount(length); j++) {
      const panel = values + <usize>(j * size) * PANEL_BYTES;
      const to = dscores + <usize>j * PANEL_BYTES;
      multiplyPanel(true, length, PANEL, size, p.dy + atY, stepY, panel, to, stepP, 0, 0, scratch);
    }
    for (let i = 0; i < length; i++) {
      const row = <usize>i * stepP;
      const along = atY + <usize>i * stepY;
      softmaxRowBackward(dscores + row, probabilities + row, dot(p.dy + along, p.y + along, size), length);
    }
    const dqkv = p.dqkv + at;
    for (let j = 0; j < panelCount(size); j++) {
      const columns = panelColumns(size, j);
      const offset = <usize>(j * length) * PANEL_BYTES;
      const to = dqkv + <usize>j * PANEL_BYTES;
      multiplyPanel(true, length, columns, length, dscores, stepP, kPanels + offset, to, stepQkv, 0, 0, scratch);
      multiplyPanel(false, length, columns, length, dscores, stepP, qPanels + offset, to + stepY, stepQkv, 0, 0, scratch);
      multiplyPanel(false, length, columns, length, probabilities, stepP, dyPanels + offset, to + 2 * stepY, stepQkv, 0, 0, scratch);
    }
    // q was scaled on its way in, so dk is right as it is and dq still lacks the factor.
    turnBack(dqkv, stepQkv, p, p.scale);
    turnBack(dqkv + stepY, stepQkv, p, 1);
  }
}

/** to[l] = factor · (x[l] turned by position l): with halves (a, b), (a cos - b sin, b cos + a sin). */
function turn(to: usize, x: usize, stepX: usize, p: Attention, factor: f32): void {
  const size = p.headSize;
  const half = <usize>(size >> 1) << 2, whole = <usize>size << 2;
  const vectors = half & ~15;
  const factors = f32x4.splat(factor);
  for (let l = 0; l < p.length; l++) {
    if (p.cos) {
      let cos = p.cos + <usize>l * whole, sin = p.sin + <usize>l * whole;
      let left = x, right = x + half, toLeft = to, toRight = to + half;
      for (const end = x + vectors; left < end; left += 16) {
        const a = f32x4.mul(v128.load(left), factors), b = f32x4.mul(v128.load(right), factors);
        v128.store(toLeft, f32x4.sub(f32x4.mul(a, v128.load(cos)), f32x4.mul(b, v128.load(sin))));
        v128.store(toRight, fma(b, v128.load(cos + half), f32x4.mul(a, v128.load(sin + half))));
        right += 16; toLeft += 16; toRight += 16; cos += 16; sin += 16;
      }
      for (const end = x + half; left < end; left += 4) {
        const a = load<f32>(left) * factor, b = load<f32>(right) * factor;
        store<f32>(toLeft, a * load<f32>(cos) - b * load<f32>(sin));
        store<f32>(toRight, b * load<f32>(cos + half) + a * load<f32>(sin + half));
        right += 4; toLeft += 4; toRight += 4; cos += 4; sin += 4;
      }
    } else scaleRow(to, x, size, factor);
    x += stepX;
    to += whole;
  }
}

/** In place, the transpose of `turn`: the gradient of x from the gradient of what it was turned to. */
function turnBack(x: usize, stepX: usize, p: Attention, factor: f32): void {
  const size = p.headSize;
  const half = <usize>(size >> 1) << 2, whole = <usize>size << 2;
  const vectors = half & ~15;
  const factors = f32x4.splat(factor);
  for (let l = 0; l < p.length; l++) {
    if (p.cos) {
      let cos = p.cos + <usize>l * whole, sin = p.sin + <usize>l * whole;
      let left = x, right = x + half;
      for (const end = x + vectors; left < end; left += 16) {
        const a = f32x4.mul(v128.load(left), factors), b = f32x4.mul(v128.load(right), factors);
        v128.store(left, fma(a, v128.load(cos), f32x4.mul(b, v128.load(sin + half))));
        v128.store(right, f32x4.sub(f32x4.mul(b, v128.load(cos + half)), f32x4.mul(a, v128.load(sin))));
        right += 16; cos += 16; sin += 16;
      }
      for (const end = x + half; left < end; left += 4) {
        const a = load<f32>(left) * factor, b = load<f32>(right) * factor;
        store<f32>(left, a * load<f32>(cos) + b * load<f32>(sin + half));
        store<f32>(right, b * load<f32>(cos + half) - a * load<f32>(sin));
        right += 4; cos += 4; sin += 4;
      }
    } else if (factor != 1) scaleRow(x, x, size, factor);
    x += stepX;
  }
}

/** Panels of xᵀ for rows x [length][size]. */
function packKeys(panels: usize, x: usize, step: usize, length: i32, size: i32): void {
  for (let j = 0; j < panelCount(length); j++) {
    packTransposedPanel(panels + <usize>(j * size) * PANEL_BYTES, x + <usize>(j * PANEL) * step, step, size, panelColumns(length, j));
  }
}

/** Panels of rows x [length][size]. */
function packColumns(panels: usize, x: usize, step: usize, length: i32, size: i32): void {
  for (let j = 0; j < panelCount(size); j++) {
    packPanel(panels + <usize>(j * length) * PANEL_BYTES, x + <usize>j * PANEL_BYTES, step, length, panelColumns(size, j));
  }
}

/** P = softmax(q kᵀ) row by row; q is scaled already. Columns from `length` on are 0. */
function softmaxScores(p: usize, stepP: usize, q: usize, keys: usize, length: i32, size: i32, spare: usize): void {
  for (let j = 0; j < panelCount(length); j++) {
    const panel = keys + <usize>(j * size) * PANEL_BYTES;
    multiplyPanel(true, length, PANEL, size, q, <usize>size << 2, panel, p + <usize>j * PANEL_BYTES, stepP, 0, 0, spare);
  }
  for (let i = 0; i < length; i++) softmaxRow(p + <usize>i * stepP, length);
}

function softmaxRow(row: usize, length: i32): void {
  const end = row + (<usize>panelCount(length) * PANEL_BYTES);
  for (let at = row + (<usize>length << 2); at < end; at += 4) store<f32>(at, f32.NEGATIVE_INFINITY);
  let largest = v128.load(row), other = largest;
  for (let at = row; at < end; at += 32) {
    largest = f32x4.max(largest, v128.load(at));
    other = f32x4.max(other, v128.load(at, 16));
  }
  const shift = f32x4.splat(maxLanes(f32x4.max(largest, other)));
  let sum = f32x4.splat(0);
  let at = row;
  // Four vectors at a time (see clampedExp), and the last two.
  for (; at + 64 <= end; at += 64) {
    const a = clampedExp(f32x4.sub(v128.load(at), shift)), b = clampedExp(f32x4.sub(v128.load(at, 16), shift));
    const c = clampedExp(f32x4.sub(v128.load(at, 32), shift)), d = clampedExp(f32x4.sub(v128.load(at, 48), shift));
    v128.store(at, a);
    v128.store(at, b, 16);
    v128.store(at, c, 32);
    v128.store(at, d, 48);
    sum = f32x4.add(sum, f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  }
  for (; at < end; at += 32) {
    const a = clampedExp(f32x4.sub(v128.load(at), shift)), b = clampedExp(f32x4.sub(v128.load(at, 16), shift));
    v128.store(at, a);
    v128.store(at, b, 16);
    sum = f32x4.add(sum, f32x4.add(a, b));
  }
  // Beyond `length` stand values of e^-87: they do not change a sum of at least 1, and are never read again.
  const inverse = f32x4.splat(<f32>1 / sumLanes(sum));
  for (at = row; at < end; at += 32) {
    v128.store(at, f32x4.mul(v128.load(at), inverse));
    v128.store(at, f32x4.mul(v128.load(at, 16), inverse), 16);
  }
}

/** dS = P (dP - mean), in place of dP; `mean` is the sum of P · dP over the row. */
function softmaxRowBackward(ds: usize, p: usize, mean: f32, length: i32): void {
  const means = f32x4.splat(mean);
  const bytes = <usize>panelCount(length) * PANEL_BYTES;
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(ds + at, f32x4.mul(v128.load(p + at), f32x4.sub(v128.load(ds + at), means)));
  }
}

function dot(a: usize, b: usize, length: i32): f32 {
  const bytes = <usize>length << 2;
  let sums = f32x4.splat(0);
  let at: usize = 0;
  for (const end = bytes & ~15; at < end; at += 16) sums = fma(v128.load(a + at), v128.load(b + at), sums);
  let sum = sumLanes(sums);
  for (; at < bytes; at += 4) sum += load<f32>(a + at) * load<f32>(b + at);
  return sum;
}
