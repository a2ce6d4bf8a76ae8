// The interface of a backend: a list of kernels, each with one line of mathematics.
//
// A kernel writes every element of `out`, unless it updates in place, and allocates nothing that the caller can see. Shapes are
// checked before the call. The reference backend implements all of `Kernels` in plain loops and is the specification; the wasm
// backend overrides the kernels that matter for speed. `FusedKernels` exist for speed only: if a backend has no fused kernel
// for an operation, the operation runs as its composed definition.
//
// This file, storage.ts, tensor.ts and scope.ts import types from one another, because a backend computes on tensors, a tensor
// refers to the backend of its storage, and a scope owns tensors and chooses a backend. No other files of src/tensor form a circle.
import type { DType } from "./dtype.ts";
import type { BinaryName, UnaryName } from "./elementwise.ts";
import type { Storage } from "./storage.ts";
import type { Tensor } from "./tensor.ts";

/** Settings of one Adam update; `step` counts from 1. Adam-atan2: Everett et al. 2024. */
export interface AdamSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly weightDecay: number;
  readonly step: number;
  /** Added to √v / √(1 - beta2^t) in AdamW; Adam-atan2 does not use it. */
  readonly epsilon: number;
}

/** The kernels that every backend has, each with its mathematics. */
export interface Kernels {
  /** out = value */
  fill(out: Tensor, value: number): void;
  /** out = x, converted to out's element type */
  cast(out: Tensor, x: Tensor): void;
  /** out[i] = name(x[i]) */
  unary(name: UnaryName, out: Tensor, x: Tensor): void;
  /** out[i] = name(a[i], b[i]), a and b broadcast to out's shape */
  binary(name: BinaryName, out: Tensor, a: Tensor, b: Tensor): void;
  /** out[i] = condition[i] ≠ 0 ? a[i] : b[i], all broadcast to out's shape */
  select(out: Tensor, condition: Tensor, a: Tensor, b: Tensor): void;
  /** out[i] = scale · x[i] + shift */
  affine(out: Tensor, x: Tensor, scale: number, shift: number): void;
  /** out[i1, i2, ...] = x.flat[offset + i1 strides1 + i2 strides2 + ...]: permutation, slice and repetition all have this form */
  copyStrided(out: Tensor, x: Tensor, offset: number, strides: readonly number[]): void;
  /** In place: out[starts + i] = x[i]; the rest of out is unchanged */
  insert(out: Tensor, x: Tensor, starts: readonly number[]): void;
  /** out[..., 1, ...] = Σ over the axis of x */
  sum(out: Tensor, x: Tensor, axis: number): void;
  /** out[..., 1, ...] = the largest element over the axis of x */
  max(out: Tensor, x: Tensor, axis: number): void;
  /** out[...] = index of the first largest element along the last axis of x (int32) */
  argmax(out: Tensor, x: Tensor): void;
  /** out[.., m, n] = Σ_k a[.., m, k] b[.., k, n]; leading axes broadcast. A flag is true if the operand is stored with its last two axes swapped */
  matmul(out: Tensor, a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): void;
  /** out[i, :] = table[ids[i], :] */
  gatherRows(out: Tensor, table: Tensor, ids: Tensor): void;
  /** In place: out[ids[i], :] += x[i, :], in the order of i */
  scatterAddRows(out: Tensor, ids: Tensor, x: Tensor): void;
  /** In place on p, m, v: m and v as in Adam; p = p (1 - lr wd) - lr / (1 - b1^t) · atan2(m, √v / √(1 - b2^t)) */
  adamAtan2(p: Tensor, m: Tensor, v: Tensor, gradient: Tensor, settings: AdamSettings): void;
  /** In place on p, m, v: p = p (1 - lr wd) - lr / (1 - b1^t) · m / (√v / √(1 - b2^t) + ε) */
  adamW(p: Tensor, m: Tensor, v: Tensor, gradient: Tensor, settings: AdamSettings): void;
  /** In place on the rows listed in ids: g = Σ of the gradients with that id; row = row (1 - lr wd) - lr sign(g) */
  signSgdRows(table: Tensor, ids: Tensor, gradient: Tensor, learningRate: number, weightDecay: number): void;
  /** In place: average = rate · average + (1 - rate) · value */
  movingAverage(average: Tensor, value: Tensor, rate: number): void;
}

/** Values that a fused block stores for its backward pass. */
export interface BlockMemory {
  /** [gate; up] before the gate, 2I wide along the block's axis. The layout is private to the backend. */
  readonly gateUp: Tensor;
  /** 1 / root mean square of h + update, length 1 along the block's axis */
  readonly inverseRms: Tensor;
}

/** Tables of the rotary positions, [L, headSize] each: tensors for the kernels, variables for a model. */
export interface RotaryTables<T = Tensor> {
  readonly cos: T;
  readonly sin: T;
}

/** Normalization of the logits in a cross-entropy. */
export type CrossEntropyName = "stablemax" | "softmax";

/** Axis of a block: the last one (features) or the one before it (sequence). */
export type BlockAxis = -1 | -2;

/** Kernels that replace several operations; a backend may lack any of them. */
export interface FusedKernels {
  /** u = [gate; up] along the axis; out = silu(gate) · up */
  siluGate(out: Tensor, u: Tensor, axis: BlockAxis): void;
  /** du of siluGate */
  siluGateBackward(du: Tensor, u: Tensor, dy: Tensor, axis: BlockAxis): void;
  /** s = h + r; inverseRms = 1 / √(mean over the axis of s² + ε); out = s · inverseRms. r may be null (then s = h) */
  addRmsNorm(out: Tensor, inverseRms: Tensor, h: Tensor, r: Tensor | null, axis: BlockAxis, epsilon: number): void;
  /** ds = (dy - y · mean(dy · y)) · inverseRms, where y is the output of addRmsNorm */
  addRmsNormBackward(ds: Tensor, y: Tensor, inverseRms: Tensor, dy: Tensor, axis: BlockAxis): void;
  /** qkv [B, L, 3D] in heads of D / heads; out [B, L, D] = softmax(q kᵀ / √headSize) v per head, with q and k rotated first unless rotary is null */
  selfAttention(out: Tensor, qkv: Tensor, heads: number, rotary: RotaryTables | null): void;
  /** dqkv of selfAttention */
  selfAttentionBackward(
    dqkv: Tensor,
    qkv: Tensor,
    out: Tensor,
    dy: Tensor,
    heads: number,
    rotary: RotaryTables | null,
  ): void;
  /** out = addRmsNorm(h, down · siluGate(gateUp · h)) along the axis; fills memory unless it is null. gateUp [2I, W], down [W, I] */
  swigluBlock(
    out: Tensor,
    memory: BlockMemory | null,
    h: Tensor,
    gateUp: Tensor,
    down: Tensor,
    axis: BlockAxis,
    epsilon: number,
  ): void;
  /** dh, dGateUp, dDown of swigluBlock */
  swigluBlockBackward(
    gradients: { h: Tensor; gateUp: Tensor; down: Tensor },
    saved: { h: Tensor; gateUp: Tensor; down: Tensor; out: Tensor; memory: BlockMemory },
    dy: Tensor,
    axis: BlockAxis,
  ): void;
  /** logits [N, V] float32, labels [N] int32; out [N] float64 = -log of the label's normalized score, 0 where label < 0 */
  crossEntropy(name: CrossEntropyName, out: Tensor, logits: Tensor, labels: Tensor): void;
  /** dlogits [N, V] float32 of crossEntropy, dy [N] float64 */
  crossEntropyBackward(name: CrossEntropyName, dlogits: Tensor, logits: Tensor, labels: Tensor, dy: Tensor): void;
}

/** What computes: memory for tensors, and a kernel for every operation. */
export interface Backend {
  /** "reference", "wasm", "gpu" */
  readonly name: string;
  /** The variant that runs, for reports: "relaxed SIMD, 2 threads" */
  readonly build: string;
  readonly kernels: Kernels;
  readonly fused: Partial<FusedKernels>;
  /** Element types that the fused kernels support; for other types the definitions run. */
  readonly fusedTypes: readonly DType[];
  /** A block of `length` elements with undefined contents. */
  allocate(length: number, dtype: DType): Storage;
  /** Bytes in use by live storages, and bytes taken from the system in total. */
  memory(): { liveBytes: number; reservedBytes: number };
  /** Ends the threads, and frees the memory that is not garbage-collected. */
  dispose(): void;
}
