// Multi-head self-attention: one kernel forward and one backward; see assembly/attention.ts for the mathematics.
import type { RotaryTables } from "../../backend.ts";
import type { Tensor } from "../../tensor.ts";
import { panelRowsBytes, productBlockRows, spareBytes } from "./panels.ts";
import type { WasmRuntime } from "./runtime.ts";
import { pointerOf } from "./storage.ts";

interface Sizes {
  readonly batch: number;
  readonly length: number;
  readonly headSize: number;
}

function sizesOf(qkv: Tensor, heads: number): Sizes {
  const [batch, length, width] = qkv.shape as [number, number, number];
  return { batch, length, headSize: width / 3 / heads };
}

/** Bytes for one number per row of a block: INVERSES_BYTES of assembly/attention.ts. */
const inversesBytes = 192;

/**
 * Bytes of each kind of scratch memory: that of a block of the softmax, rows [length][headSize], panels across and along the
 * sequence, and scores [length][length].
 */
function scratchSizes(runtime: WasmRuntime, { length, headSize }: Sizes) {
  return {
    softmax: spareBytes(runtime) + panelRowsBytes(runtime, 1, 1) + inversesBytes,
    rows: Math.ceil((length * headSize * 4) / 64) * 64,
    across: panelRowsBytes(runtime, headSize, length),
    along: panelRowsBytes(runtime, length, headSize),
    scores: panelRowsBytes(runtime, length, length),
    scoresBlock: panelRowsBytes(runtime, Math.min(length, productBlockRows), length),
  };
}

/** out = softmax(q kᵀ / √headSize) v per head */
export function selfAttention(
  runtime: WasmRuntime,
  out: Tensor,
  qkv: Tensor,
  heads: number,
  rotary: RotaryTables | null,
): void {
  if (out.size === 0) return;
  const sizes = sizesOf(qkv, heads);
  const { softmax, rows, across, along, scoresBlock } = scratchSizes(runtime, sizes);
  const { batch, length, headSize } = sizes;
  runtime.run("attention", {
    items: batch * heads,
    scratch: softmax + 2 * rows + across + along + scoresBlock,
    cost: (out.size * length) / 2,
    fields: {
      qkv: pointerOf(qkv),
      y: pointerOf(out),
      dy: 0,
      dqkv: 0,
      cos: rotary ? pointerOf(rotary.cos) : 0,
      sin: rotary ? pointerOf(rotary.sin) : 0,
      heads,
      length,
      headSize,
      scale: 1 / Math.sqrt(headSize),
    },
  });
}

/** dqkv of selfAttention */
export function selfAttentionBackward(
  runtime: WasmRuntime,
  dqkv: Tensor,
  qkv: Tensor,
  out: Tensor,
  dy: Tensor,
  heads: number,
  rotary: RotaryTables | null,
): void {
  if (out.size === 0) return;
  const sizes = sizesOf(qkv, heads);
  const { softmax, rows, across, along, scores } = scratchSizes(runtime, sizes);
  const { batch, length, headSize } = sizes;
  runtime.run("attentionBackward", {
    items: batch * heads,
    scratch: softmax + 2 * rows + 2 * across + 3 * along + 2 * scores,
    cost: (out.size * length * 5) / 4,
    fields: {
      qkv: pointerOf(qkv),
      y: pointerOf(out),
      dy: pointerOf(dy),
      dqkv: pointerOf(dqkv),
      cos: rotary ? pointerOf(rotary.cos) : 0,
      sin: rotary ? pointerOf(rotary.sin) : 0,
      heads,
      length,
      headSize,
      scale: 1 / Math.sqrt(headSize),
    },
  });
}
