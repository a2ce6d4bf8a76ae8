// Multi-head self-attention of one puzzle and one head; items are (puzzle, head).
//
//   P = softmax(q kᵀ / √headSize),  y = P v
//   dv = Pᵀ dy,  dS = P · (dy vᵀ - rowsum(dy · y)),  dq = dS k / √headSize,  dk = dSᵀ q / √headSize
//
// q, k and v are read from qkv [batch, length, 3 · heads · headSize]. With rotary positions, q and k are rotated when they are copied to
// scratch, and their gradients are rotated back. The backward pass computes P again, which is faster than reading it from memory.
import { PANEL, PANEL_BYTES, panelColumns, panelCount } from "./layout";
import { scaleRow } from "./norm";
import { packPanel, packTransposedPanel } from "./panels";
import { blockHeight, Left, multiplyPanel, SPARE_BYTES } from "./product";
import { softmaxExp, fma, maxLanes, storeFour, storePair, sumLanes } from "./vector";

@unmanaged
export class Attention {
  qkv: usize;
  y: usize;
  dy: usize;
  dqkv: usize;
  /** Rotary tables [length, headSize]; 0 if there are none. */
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

/** Scratch: that of `softmaxBlock`; q and k [length][headSize]; panels of kᵀ and v; a block of rows of P. */
export function attention(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<Attention>(parameters);
  const length = p.length, size = p.headSize;
  const stepHead = <usize>size << 2;
  const stepY = <usize>(p.heads * size) << 2, stepQkv = stepY * 3;
  const inverses = inversesAt(scratch);
  const q = inverses + INVERSES_BYTES;
  const k = q + alignUp(<usize>length * stepHead);
  const keys = k + alignUp(<usize>length * stepHead);
  const values = keys + <usize>(panelCount(length) * size) * PANEL_BYTES;
  const exponentials = values + <usize>(panelCount(size) * length) * PANEL_BYTES;
  const stepP = <usize>panelCount(length) * PANEL_BYTES;
  writeMask(scratch, length);
  for (let item = start; item < end; item++) {
    const at = <usize>(item / p.heads * length) * stepQkv + <usize>(item % p.heads) * stepHead;
    rotate(q, p.qkv + at, stepQkv, p, p.scale);
    rotate(k, p.qkv + at + stepY, stepQkv, p, 1);
    packKeys(keys, k, stepHead, length, size);
    packColumns(values, p.qkv + at + 2 * stepY, stepQkv, length, size);
    let y = p.y + <usize>(item / p.heads * length) * stepY + <usize>(item % p.heads) * stepHead;
    for (let i = 0; i < length; ) {
      const rows = blockHeight(length - i);
      softmaxBlock(exponentials, stepP, q + <usize>i * stepHead, keys, rows, length, size, scratch);
      for (let j = 0; j < panelCount(size); j++) {
        const panel = values + <usize>(j * length) * PANEL_BYTES;
        const columns = panelColumns(size, j);
        multiplyPanel(Left.ROWS, rows, columns, length, exponentials, stepP, panel, y + <usize>j * PANEL_BYTES, stepY, 0, 0, scratch);
      }
      for (let row = 0; row < rows; row++) {
        scaleRow(y, y, size, load<f32>(inverses + (<usize>row << 2)));
        y += stepY;
      }
      i += rows;
    }
  }
}

/** Scratch: that of `softmaxBlock`; q and k [length][headSize]; panels of kᵀ, vᵀ, q, k and dy; P and dS, all rows. */
export function attentionBackward(parameters: usize, start: i32, end: i32, scratch: usize): void {
  const p = changetype<Attention>(parameters);
  const length = p.length, size = p.headSize;
  const stepHead = <usize>size << 2;
  const stepY = <usize>(p.heads * size) << 2, stepQkv = stepY * 3;
  const rowsBytes = alignUp(<usize>length * stepHead);
  const acrossBytes = <usize>(panelCount(length) * size) * PANEL_BYTES;
  const alongBytes = <usize>(panelCount(size) * length) * PANEL_BYTES;
  const stepP = <usize>panelCount(length) * PANEL_BYTES;
  const inverses = inversesAt(scratch);
  const q = inverses + INVERSES_BYTES;
  const k = q + rowsBytes;
  const keys = k + rowsBytes;
  const values = keys + acrossBytes;
  const qPanels = values + acrossBytes;
  const kPanels = qPanels + alongBytes;
  const dyPanels = kPanels + alongBytes;
  const probabilities = dyPanels + alongBytes;
  const dscores = probabilities + <usize>length * stepP;
  writeMask(scratch, length);
  for (let item = start; item < end; item++) {
    const at = <usize>(item / p.heads * length) * stepQkv + <usize>(item % p.heads) * stepHead;
    const atY = <usize>(item / p.heads * length) * stepY + <usize>(item % p.heads) * stepHead;
    const dqkv = p.dqkv + at;
    rotate(q, p.qkv + at, stepQkv, p, p.scale);
    rotate(k, p.qkv + at + stepY, stepQkv, p, 1);
    packKeys(keys, k, stepHead, length, size);
    packKeys(values, p.qkv + at + 2 * stepY, stepQkv, length, size);
    packColumns(qPanels, q, stepHead, length, size);
    packColumns(kPanels, k, stepHead, length, size);
    packColumns(dyPanels, p.dy + atY, stepY, length, size);
    for (let i = 0; i < length; ) {
      const rows = blockHeight(length - i);
      const probability = probabilities + <usize>i * stepP, ds = dscores + <usize>i * stepP;
      const dy = p.dy + atY + <usize>i * stepY, y = p.y + atY + <usize>i * stepY;
      softmaxBlock(probability, stepP, q + <usize>i * stepHead, keys, rows, length, size, scratch);
      for (let j = 0; j < panelCount(length); j++) {
        const panel = values + <usize>(j * size) * PANEL_BYTES;
        multiplyPanel(Left.ROWS, rows, PANEL, size, dy, stepY, panel, ds + <usize>j * PANEL_BYTES, stepP, 0, 0, scratch);
      }
      for (let row = 0; row < rows; row++) {
        const mean = dot(dy + <usize>row * stepY, y + <usize>row * stepY, size);
        const inverse = load<f32>(inverses + (<usize>row << 2));
        softmaxRowBackward(ds + <usize>row * stepP, probability + <usize>row * stepP, stepP, inverse, mean);
      }
      for (let j = 0; j < panelCount(size); j++) {
        const panel = kPanels + <usize>(j * length) * PANEL_BYTES;
        const dq = dqkv + <usize>i * stepQkv + <usize>j * PANEL_BYTES;
        multiplyPanel(Left.ROWS, rows, panelColumns(size, j), length, ds, stepP, panel, dq, stepQkv, 0, 0, scratch);
      }
      i += rows;
    }
    for (let j = 0; j < panelCount(size); j++) {
      const columns = panelColumns(size, j);
      const offset = <usize>(j * length) * PANEL_BYTES;
      const dk = dqkv + stepY + <usize>j * PANEL_BYTES;
      multiplyPanel(Left.COLUMNS, length, columns, length, dscores, stepP, qPanels + offset, dk, stepQkv, 0, 0, scratch);
      multiplyPanel(Left.COLUMNS, length, columns, length, probabilities, stepP, dyPanels + offset, dk + stepY, stepQkv, 0, 0, scratch);
    }
    // q is scaled already, so dk is complete and dq still lacks the factor.
    rotateBack(dqkv, stepQkv, p, p.scale);
    rotateBack(dqkv + stepY, stepQkv, p, 1);
  }
}

/** to[l] = factor · (x[l] rotated by position l): the halves (a, b) become (a cos - b sin, b cos + a sin). */
function rotate(to: usize, x: usize, stepX: usize, p: Attention, factor: f32): void {
  const size = p.headSize;
  const half = <usize>(size >> 1) << 2, whole = <usize>size << 2;
  const pairs = half & ~31;
  const factors = f32x4.splat(factor);
  for (let l = 0; l < p.length; l++) {
    if (p.cos) {
      let cos = p.cos + <usize>l * whole, sin = p.sin + <usize>l * whole;
      let left = x, right = x + half, toLeft = to, toRight = to + half;
      for (const end = x + pairs; left < end; left += 32) {
        const a0 = f32x4.mul(v128.load(left), factors), a1 = f32x4.mul(v128.load(left, 16), factors);
        const b0 = f32x4.mul(v128.load(right), factors), b1 = f32x4.mul(v128.load(right, 16), factors);
        const cosRight = cos + half, sinRight = sin + half;
        const left0 = f32x4.sub(f32x4.mul(a0, v128.load(cos)), f32x4.mul(b0, v128.load(sin)));
        const left1 = f32x4.sub(f32x4.mul(a1, v128.load(cos, 16)), f32x4.mul(b1, v128.load(sin, 16)));
        const right0 = fma(b0, v128.load(cosRight), f32x4.mul(a0, v128.load(sinRight)));
        const right1 = fma(b1, v128.load(cosRight, 16), f32x4.mul(a1, v128.load(sinRight, 16)));
        storePair(toLeft, left0, left1);
        storePair(toRight, right0, right1);
        right += 32; toLeft += 32; toRight += 32; cos += 32; sin += 32;
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

/** The transpose of `rotate`, in place: the gradient of x from the gradient of the rotated x. */
function rotateBack(x: usize, stepX: usize, p: Attention, factor: f32): void {
  const size = p.headSize;
  const half = <usize>(size >> 1) << 2, whole = <usize>size << 2;
  const pairs = half & ~31;
  const factors = f32x4.splat(factor);
  for (let l = 0; l < p.length; l++) {
    if (p.cos) {
      let cos = p.cos + <usize>l * whole, sin = p.sin + <usize>l * whole;
      let left = x, right = x + half;
      for (const end = x + pairs; left < end; left += 32) {
        const a0 = f32x4.mul(v128.load(left), factors), a1 = f32x4.mul(v128.load(left, 16), factors);
        const b0 = f32x4.mul(v128.load(right), factors), b1 = f32x4.mul(v128.load(right, 16), factors);
        const cosRight = cos + half, sinRight = sin + half;
        const left0 = fma(a0, v128.load(cos), f32x4.mul(b0, v128.load(sinRight)));
        const left1 = fma(a1, v128.load(cos, 16), f32x4.mul(b1, v128.load(sinRight, 16)));
        const right0 = f32x4.sub(f32x4.mul(b0, v128.load(cosRight)), f32x4.mul(a0, v128.load(sin)));
        const right1 = f32x4.sub(f32x4.mul(b1, v128.load(cosRight, 16)), f32x4.mul(a1, v128.load(sin, 16)));
        storePair(left, left0, left1);
        storePair(right, right0, right1);
        right += 32; cos += 32; sin += 32;
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

/** Bytes for one number per row of a block, in the scratch of `softmaxBlock` after the spare tile and one row of a panel. */
// @ts-ignore: decorator
@inline
const INVERSES_BYTES: usize = 192;

// @ts-ignore: decorator
@inline
function inversesAt(scratch: usize): usize {
  return scratch + SPARE_BYTES + PANEL_BYTES;
}

/** A row that is added to the last panel: -infinity in the columns from `length` on, 0 in the others. */
function writeMask(scratch: usize, length: i32): void {
  const columns = panelColumns(length, panelCount(length) - 1);
  for (let c = 0; c < PANEL; c++) {
    store<f32>(scratch + SPARE_BYTES + (<usize>c << 2), c < columns ? <f32>0 : f32.NEGATIVE_INFINITY);
  }
}

/**
 * e^(q kᵀ - the largest of its row) for a block of rows of the scaled q, and 1 / the sums of the rows at `inversesAt`. Columns from
 * `length` on are 0.
 *
 * Each pass processes all rows before the next pass begins: the passes of one row depend on each other, those of different rows do not.
 */
function softmaxBlock(p: usize, stepP: usize, q: usize, keys: usize, rows: i32, length: i32, size: i32, scratch: usize): void {
  const panels = panelCount(length);
  for (let j = 0; j < panels; j++) {
    const panel = keys + <usize>(j * size) * PANEL_BYTES;
    const mask = j == panels - 1 ? scratch + SPARE_BYTES : 0;
    multiplyPanel(Left.ROWS, rows, PANEL, size, q, <usize>size << 2, panel, p + <usize>j * PANEL_BYTES, stepP, mask, 0, scratch);
  }
  const numbers = inversesAt(scratch);
  for (let i = 0; i < rows; i++) store<f32>(numbers + (<usize>i << 2), largestOf(p + <usize>i * stepP, stepP));
  for (let i = 0; i < rows; i++) {
    const number = numbers + (<usize>i << 2);
    store<f32>(number, <f32>1 / exponentialsOf(p + <usize>i * stepP, stepP, load<f32>(number)));
  }
}

/**
 * The largest element of whole vectors. pmax is one instruction, while max, which orders zeros, is six. It may miss a NaN, which then
 * appears in the sum.
 */
function largestOf(row: usize, bytes: usize): f32 {
  let largest = v128.load(row), other = largest;
  for (const end = row + bytes; row < end; row += 32) {
    largest = f32x4.pmax(largest, v128.load(row));
    other = f32x4.pmax(other, v128.load(row, 16));
  }
  return maxLanes(f32x4.pmax(largest, other));
}

/** Replaces x by e^(x - shift). Returns the sum. */
function exponentialsOf(row: usize, bytes: usize, shift: f32): f32 {
  const shifts = f32x4.splat(shift);
  const end = row + bytes;
  let sum = f32x4.splat(0);
  // Four vectors at a time (see vector.ts), and the last two.
  for (; row + 64 <= end; row += 64) {
    const a = softmaxExp(f32x4.sub(v128.load(row), shifts)), b = softmaxExp(f32x4.sub(v128.load(row, 16), shifts));
    const c = softmaxExp(f32x4.sub(v128.load(row, 32), shifts)), d = softmaxExp(f32x4.sub(v128.load(row, 48), shifts));
    storeFour(row, a, b, c, d);
    sum = f32x4.add(sum, f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  }
  for (; row < end; row += 32) {
    const a = softmaxExp(f32x4.sub(v128.load(row), shifts)), b = softmaxExp(f32x4.sub(v128.load(row, 16), shifts));
    storePair(row, a, b);
    sum = f32x4.add(sum, f32x4.add(a, b));
  }
  return sumLanes(sum);
}

/** P from its exponentials and dS = P (dP - mean) from dP, both in place; `mean` is the sum of P · dP over the row. */
function softmaxRowBackward(ds: usize, p: usize, bytes: usize, inverse: f32, mean: f32): void {
  const inverses = f32x4.splat(inverse), means = f32x4.splat(mean);
  for (const end = ds + bytes; ds < end; ds += 32) {
    const left = f32x4.mul(v128.load(p), inverses), right = f32x4.mul(v128.load(p, 16), inverses);
    storePair(p, left, right);
    storePair(ds, f32x4.mul(left, f32x4.sub(v128.load(ds), means)), f32x4.mul(right, f32x4.sub(v128.load(ds, 16), means)));
    p += 32;
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
