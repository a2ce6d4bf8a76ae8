// Half a block of the network as one kernel forward, and as one kernel and the products of the weights' gradients backward.
import type { BlockAxis, BlockMemory } from "../../backend.ts";
import { sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { multiply } from "./matmul.ts";
import { panelRowsBytes, spareBytes, weightPanels, weightTransposed } from "./panels.ts";
import { float, type WasmRuntime } from "./runtime.ts";
import { pointerOf } from "./storage.ts";

/** Rows that go through the block together; their activations stay in the second-level cache. */
const blockRows = 48;
/** Of assembly/swiglu-sequence.ts: columns in a group, and the most rows in a block of them. */
const groupColumns = 16;
const groupBlockRows = 44;

export interface SwigluGradients {
  readonly h: Tensor;
  readonly gateUp: Tensor;
  readonly down: Tensor;
}

export interface SwigluSaved {
  readonly h: Tensor;
  readonly gateUp: Tensor;
  readonly down: Tensor;
  readonly out: Tensor;
  readonly memory: BlockMemory;
}

/** y = rmsNorm(h + down · silu(gate) · up) along the axis, [gate; up] = gateUp · h */
export function swigluBlock(
  runtime: WasmRuntime,
  out: Tensor,
  memory: BlockMemory | null,
  h: Tensor,
  gateUp: Tensor,
  down: Tensor,
  axis: BlockAxis,
  epsilon: number,
): void {
  if (h.size === 0) return;
  const [width, inner] = down.shape as [number, number];
  const cost = (h.size * inner * 3) / 4;
  const kept = memory ? [pointerOf(memory.gateUp), pointerOf(memory.inverseRms)] : [0, 0];
  if (axis === -1) {
    const rows = h.size / width;
    const half = { depth: width, columns: inner, transposed: true };
    const gate = weightPanels(runtime, gateUp, half);
    const up = weightPanels(runtime, gateUp, half, inner);
    const downPanels = weightPanels(runtime, down, { depth: inner, columns: width, transposed: true });
    runtime.run("swigluRows", {
      items: Math.ceil(rows / blockRows),
      scratch:
        spareBytes(runtime) + panelRowsBytes(runtime, blockRows, inner) + 2 * blockRows * runtime.panelColumns * 4,
      cost,
      parameters: [
        ...[pointerOf(h), pointerOf(out), gate, up, downPanels, ...kept],
        ...[rows, width, inner, blockRows, float(epsilon)],
      ],
    });
  } else {
    const [length, columns] = h.shape.slice(-2) as [number, number];
    runtime.run("swigluSequence", {
      items: sizeOf(h.shape.slice(0, -2)) * Math.ceil(columns / groupColumns),
      scratch: spareBytes(runtime) + 64 + groupColumns * 4 * (2 * groupBlockRows + 2 * length + inner),
      cost,
      parameters: [
        ...[pointerOf(h), pointerOf(out), pointerOf(gateUp), pointerOf(down), ...kept],
        ...[length, columns, inner, float(epsilon)],
      ],
    });
  }
}

/** dh, dGateUp, dDown of the above */
export function swigluBlockBackward(
  runtime: WasmRuntime,
  gradients: SwigluGradients,
  saved: SwigluSaved,
  dy: Tensor,
  axis: BlockAxis,
): void {
  if (dy.size === 0 || saved.down.size === 0) {
    for (const gradient of [gradients.gateUp, gradients.down]) gradient.backend.kernels.fill(gradient, 0);
  }
  if (dy.size === 0) return;
  if (axis === -1) backwardRows(runtime, gradients, saved, dy);
  else backwardSequence(runtime, gradients, saved, dy);
}

function backwardRows(runtime: WasmRuntime, gradients: SwigluGradients, saved: SwigluSaved, dy: Tensor): void {
  const { h, gateUp, down, out, memory } = saved;
  const [width, inner] = down.shape as [number, number];
  const rows = h.size / width;
  const part = panelRowsBytes(runtime, 1, inner);
  // An odd number of cache lines from row to row: the products below walk down columns, and rows a power of two apart
  // would all fall into the same few sets of the cache.
  const stepWide = (Math.ceil((3 * part) / 64) | 1) * 64;
  const panelsBytes = panelRowsBytes(runtime, rows, width);
  const downPanels = weightPanels(runtime, down, { depth: width, columns: inner, transposed: false });
  const half = { depth: inner, columns: width, transposed: false };
  const gatePanels = weightPanels(runtime, gateUp, half);
  const upPanels = weightPanels(runtime, gateUp, half, inner);
  runtime.temporarily(rows * stepWide + 2 * panelsBytes, (wide) => {
    const hPanels = wide + rows * stepWide;
    const dsumPanels = hPanels + panelsBytes;
    runtime.run("swigluRowsBackward", {
      items: Math.ceil(rows / blockRows),
      scratch: spareBytes(runtime) + blockRows * (width + runtime.panelColumns) * 4 + 64,
      cost: (dy.size * inner * 3) / 4,
      parameters: [
        ...[dy, out, h, memory.gateUp, memory.inverseRms].map(pointerOf),
        ...[downPanels, gatePanels, upPanels, pointerOf(gradients.h), wide, stepWide, hPanels, dsumPanels],
        ...[rows, width, inner, blockRows],
      ],
    });
    const product = { stepA: stepWide, rowMajor: false, rows: inner, columns: width, depth: rows };
    const offsets = Int32Array.of(0, 0, 0, part, 0, inner * width * 4);
    multiply(runtime, { ...product, a: wide, panels: hPanels, out: pointerOf(gradients.gateUp), offsets });
    const s = wide + 2 * part;
    multiply(runtime, { ...product, a: s, panels: dsumPanels, out: pointerOf(gradients.down), transposed: true });
  });
}

function backwardSequence(runtime: WasmRuntime, gradients: SwigluGradients, saved: SwigluSaved, dy: Tensor): void {
  const { h, gateUp, down, out, memory } = saved;
  const [length, inner] = down.shape as [number, number];
  const width = h.shape.at(-1)!;
  const batch = h.size / (length * width);
  const stepTall = panelRowsBytes(runtime, 1, width);
  const puzzleBytes = 3 * inner * stepTall;
  const panelsBytes = panelRowsBytes(runtime, batch * width, length);
  const gateUpTransposed = weightTransposed(runtime, gateUp);
  const downTransposed = weightTransposed(runtime, down);
  runtime.temporarily(batch * puzzleBytes + 2 * panelsBytes, (tall) => {
    const hPanels = tall + batch * puzzleBytes;
    const dsumPanels = hPanels + panelsBytes;
    runtime.run("swigluSequenceBackward", {
      items: batch * Math.ceil(width / groupColumns),
      scratch: spareBytes(runtime) + 64 + groupColumns * 4 * (2 * length + 2 * inner + groupBlockRows),
      cost: (dy.size * inner * 3) / 4,
      parameters: [
        ...[dy, out, h, memory.gateUp, memory.inverseRms].map(pointerOf),
        ...[gateUpTransposed, downTransposed, pointerOf(gradients.h), tall, hPanels, dsumPanels],
        ...[batch, length, width, inner],
      ],
    });
    const chunk = { depth: width, step: puzzleBytes };
    const product = { stepA: stepTall, rowMajor: true, columns: length, depth: batch * width, chunk };
    multiply(runtime, { ...product, a: tall, panels: hPanels, out: pointerOf(gradients.gateUp), rows: 2 * inner });
    const s = tall + 2 * inner * stepTall;
    multiply(runtime, {
      ...product,
      a: s,
      panels: dsumPanels,
      out: pointerOf(gradients.down),
      rows: inner,
      transposed: true,
    });
  });
}
