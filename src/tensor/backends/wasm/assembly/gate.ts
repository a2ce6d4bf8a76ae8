// The gate of SwiGLU, a panel of columns at a time.
//
//   forward    s = gate · σ(gate) · up
//   backward   dgate = ds · up · σ (1 + gate (1 - σ)),   dup = ds · gate · σ,   with σ = σ(gate)
//
// Loops process four vectors at a time (see vector.ts): one row of 16 columns, or two rows of 8, of which an odd last row is computed
// twice.
import { PANEL_BYTES } from "./layout";
import { fma, one, sigmoid, silu, storeFour, storePair } from "./vector";

/** silu(gate) · up. In another order, gate · up could leave float32 although the result does not. */
// @ts-ignore: decorator
@inline
function gated(gate: v128, up: v128): v128 {
  return f32x4.mul(silu(gate), up);
}

/** Number of rows in four vectors. */
// @ts-ignore: decorator
@inline
const ROWS: i32 = WIDE ? 1 : 2;

/**
 * The third and fourth vector: in the wide build they are further along the row, at constant offsets, which V8 needs to join vectors.
 * In the other builds they are in the next row, `next` bytes away; if there is none, `next` is 0 and the same row is read again.
 */
// @ts-ignore: decorator
@inline
function third(at: usize, next: usize): v128 {
  return WIDE ? v128.load(at, 32) : v128.load(at + next);
}

// @ts-ignore: decorator
@inline
function fourth(at: usize, next: usize): v128 {
  return WIDE ? v128.load(at, 48) : v128.load(at + next, 16);
}

// @ts-ignore: decorator
@inline
function storeRows(at: usize, next: usize, a: v128, b: v128, c: v128, d: v128): void {
  if (WIDE) return storeFour(at, a, b, c, d);
  storePair(at, a, b);
  storePair(at + next, c, d);
}

/** s[rows, PANEL] from gate and up. The steps are the bytes between rows. */
export function gatePanel(s: usize, stepS: usize, gate: usize, up: usize, stepU: usize, rows: i32): void {
  for (let i = 0; i < rows; i += ROWS) {
    const hasNext = i + 1 < rows;
    const nextU = hasNext ? stepU : 0;
    const s0 = gated(v128.load(gate), v128.load(up));
    const s1 = gated(v128.load(gate, 16), v128.load(up, 16));
    const s2 = gated(third(gate, nextU), third(up, nextU));
    const s3 = gated(fourth(gate, nextU), fourth(up, nextU));
    storeRows(s, hasNext ? stepS : 0, s0, s1, s2, s3);
    s += ROWS * stepS;
    gate += ROWS * stepU;
    up += ROWS * stepU;
  }
}

/** The derivative of silu: σ (1 + gate (1 - σ)) = σ + silu (1 - σ) */
// @ts-ignore: decorator
@inline
function slope(silu: v128, sigma: v128): v128 {
  return fma(silu, f32x4.sub(one(), sigma), sigma);
}

/**
 * The backward pass of `gatePanel` for the rows of a panel, which also computes s again for the gradient of the weights after the gate.
 * Writes dgate, dup and s to three matrices `part` bytes apart. If `panel` is not 0, also writes dgate and dup to panels, which are
 * `panelPart` bytes apart.
 */
export function gatePanelBackward(
  to: usize,
  stepTo: usize,
  part: usize,
  panel: usize,
  panelPart: usize,
  gate: usize,
  up: usize,
  stepU: usize,
  ds: usize,
  rows: i32,
): void {
  for (let i = 0; i < rows; i += ROWS) {
    const hasNext = i + 1 < rows;
    const nextU = hasNext ? stepU : 0, nextDs = hasNext ? PANEL_BYTES : 0, nextTo = hasNext ? stepTo : 0;
    const g0 = v128.load(gate), g1 = v128.load(gate, 16), g2 = third(gate, nextU), g3 = fourth(gate, nextU);
    const u0 = v128.load(up), u1 = v128.load(up, 16), u2 = third(up, nextU), u3 = fourth(up, nextU);
    const d0 = v128.load(ds), d1 = v128.load(ds, 16), d2 = third(ds, nextDs), d3 = fourth(ds, nextDs);
    const sigma0 = sigmoid(g0), sigma1 = sigmoid(g1), sigma2 = sigmoid(g2), sigma3 = sigmoid(g3);
    const silu0 = f32x4.mul(g0, sigma0), silu1 = f32x4.mul(g1, sigma1);
    const silu2 = f32x4.mul(g2, sigma2), silu3 = f32x4.mul(g3, sigma3);
    const dgate0 = f32x4.mul(d0, f32x4.mul(u0, slope(silu0, sigma0)));
    const dgate1 = f32x4.mul(d1, f32x4.mul(u1, slope(silu1, sigma1)));
    const dgate2 = f32x4.mul(d2, f32x4.mul(u2, slope(silu2, sigma2)));
    const dgate3 = f32x4.mul(d3, f32x4.mul(u3, slope(silu3, sigma3)));
    const dup0 = f32x4.mul(d0, silu0), dup1 = f32x4.mul(d1, silu1);
    const dup2 = f32x4.mul(d2, silu2), dup3 = f32x4.mul(d3, silu3);
    const s0 = f32x4.mul(silu0, u0), s1 = f32x4.mul(silu1, u1), s2 = f32x4.mul(silu2, u2), s3 = f32x4.mul(silu3, u3);
    storeRows(to, nextTo, dgate0, dgate1, dgate2, dgate3);
    storeRows(to + part, nextTo, dup0, dup1, dup2, dup3);
    storeRows(to + 2 * part, nextTo, s0, s1, s2, s3);
    if (panel) {
      storeRows(panel, nextDs, dgate0, dgate1, dgate2, dgate3);
      storeRows(panel + panelPart, nextDs, dup0, dup1, dup2, dup3);
      panel += ROWS * PANEL_BYTES;
    }
    to += ROWS * stepTo;
    gate += ROWS * stepU;
    up += ROWS * stepU;
    ds += ROWS * PANEL_BYTES;
  }
}

@unmanaged
export class SiluGate {
  u: usize;
  out: usize;
  dy: usize;
  /** Number of elements of a gate; the up that belongs to it follows in memory. */
  half: i32;
}

/** out = silu(gate) · up. Items are pairs of a gate and an up, each contiguous. */
export function siluGate(parameters: usize, start: i32, end: i32): void {
  const p = changetype<SiluGate>(parameters);
  const bytes = <usize>p.half << 2;
  for (let item = start; item < end; item++) {
    const gate = p.u + 2 * <usize>item * bytes;
    const out = p.out + <usize>item * bytes;
    let at: usize = 0;
    for (; at + 64 <= bytes; at += 64) gatePanel(out + at, PANEL_BYTES, gate + at, gate + bytes + at, PANEL_BYTES, ROWS);
    for (; at < bytes; at += 4) {
      const s = gated(v128.load32_zero(gate + at), v128.load32_zero(gate + bytes + at));
      store<f32>(out + at, f32x4.extract_lane(s, 0));
    }
  }
}

/** [dgate; dup] from u and dy, in the layout of u. */
export function siluGateBackward(parameters: usize, start: i32, end: i32): void {
  const p = changetype<SiluGate>(parameters);
  const bytes = <usize>p.half << 2;
  for (let item = start; item < end; item++) {
    const gate = p.u + 2 * <usize>item * bytes;
    const dgate = p.out + 2 * <usize>item * bytes;
    const dy = p.dy + <usize>item * bytes;
    for (let at: usize = 0; at < bytes; ) {
      const whole = at + 16 <= bytes;
      const g = whole ? v128.load(gate + at) : v128.load32_zero(gate + at);
      const u = whole ? v128.load(gate + at + bytes) : v128.load32_zero(gate + at + bytes);
      const d = whole ? v128.load(dy + at) : v128.load32_zero(dy + at);
      const sigma = sigmoid(g);
      const silu = f32x4.mul(g, sigma);
      const dg = f32x4.mul(d, f32x4.mul(u, slope(silu, sigma))), du = f32x4.mul(d, silu);
      if (whole) {
        v128.store(dgate + at, dg);
        v128.store(dgate + at + bytes, du);
        at += 16;
      } else {
        store<f32>(dgate + at, f32x4.extract_lane(dg, 0));
        store<f32>(dgate + at + bytes, f32x4.extract_lane(du, 0));
        at += 4;
      }
    }
  }
}
