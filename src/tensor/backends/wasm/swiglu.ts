// Half a block of the network: one kernel forward; backward one kernel, and products for the gradients of the weights.
import type { BlockAxis, BlockMemory } from "../../backend.ts";
import { sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { multiply } from "./matmul.ts";
import { panelRowsBytes, productBlockRows, spareBytes, weightPanels, weightStrips } from "./panels.ts";
import type { WasmRuntime } from "./runtime.ts";
import { pointerOf } from "./storage.ts";

/** Rows that go through the block together, so that their activations stay in the second-level cache. */
const blockRows = 48;
/** The same for a group in the backward pass, where longer sums pay for adding each to the gradients of the weights. */
const groupRows = 108;
/** Rows in a block: BLOCK_ROWS of assembly/groups.ts. */
const sumRows = 16;
/** Columns in a group: GROUP panels of assembly/swiglu-sequence.ts. */
const groupColumns = 16;

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
  const u = memory ? pointerOf(memory.gateUp) : 0;
  const inverse = memory ? pointerOf(memory.inverseRms) : 0;
  if (axis === -1) {
    const rows = h.size / width;
    const half = { depth: width, columns: inner, transposed: true };
    const gatePanels = weightPanels(runtime, gateUp, half);
    const upPanels = weightPanels(runtime, gateUp, half, inner);
    const downPanels = weightPanels(runtime, down, { depth: inner, columns: width, transposed: true });
    runtime.run("swigluRows", {
      items: Math.ceil(rows / blockRows),
      scratch:
        spareBytes(runtime) +
        panelRowsBytes(runtime, blockRows, inner) +
        blockRows * (width + 2 * runtime.panelColumns) * 4,
      cost,
      fields: {
        h: pointerOf(h),
        y: pointerOf(out),
        gatePanels,
        upPanels,
        downPanels,
        u,
        inverse,
        rows,
        width,
        inner,
        blockRows,
        epsilon,
      },
    });
  } else {
    const [length, columns] = h.shape.slice(-2) as [number, number];
    const half = { rows: inner, depth: length, transposed: false };
    const gateStrips = weightStrips(runtime, gateUp, half);
    const upStrips = weightStrips(runtime, gateUp, half, inner);
    const downStrips = weightStrips(runtime, down, { rows: length, depth: inner, transposed: false });
    runtime.run("swigluSequence", {
      items: sizeOf(h.shape.slice(0, -2)) * Math.ceil(columns / groupColumns),
      scratch: spareBytes(runtime) + 64 + groupColumns * 4 * (2 * productBlockRows + 2 * length + inner),
      cost,
      fields: {
        h: pointerOf(h),
        y: pointerOf(out),
        gateStrips,
        upStrips,
        downStrips,
        u,
        inverse,
        length,
        width: columns,
        inner,
        epsilon,
      },
    });
  }
}

/** dh, dGateUp, dDown of swigluBlock */
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

/**
 * Number of groups for the gradients of the weights (assembly/groups.ts) when `count` puzzles or rows are divided into groups of
 * about `usual`. 0 if groups do not pay: with fewer than eight groups of `least` threads run idle, and large gradients do not fit
 * into the second-level cache.
 */
function groupsOf(count: number, least: number, usual: number, gradientBytes: number): number {
  if (count < 8 * least || gradientBytes > 2 ** 20) return 0;
  return Math.max(8, Math.min(32, Math.floor(count / usual)));
}

/** Runs a kernel that writes partial gradients of the weights, then adds them up. */
function sumOfGroups(
  runtime: WasmRuntime,
  gradients: SwigluGradients,
  groups: number,
  run: (partial: number) => void,
): void {
  const [columns, inner] = gradients.down.shape as [number, number];
  const step = panelRowsBytes(runtime, 1, columns);
  runtime.temporarily(groups * 3 * inner * step, (partial) => {
    run(partial);
    runtime.run("sumGroups", {
      items: 3 * Math.ceil(inner / sumRows),
      scratch: sumRows * step,
      cost: (groups * 3 * inner * step) / 16,
      fields: {
        partial,
        step,
        groups,
        gateUp: pointerOf(gradients.gateUp),
        down: pointerOf(gradients.down),
        inner,
        columns,
      },
    });
  });
}

function backwardRows(runtime: WasmRuntime, gradients: SwigluGradients, saved: SwigluSaved, dy: Tensor): void {
  const { h, gateUp, down, out, memory } = saved;
  const [width, inner] = down.shape as [number, number];
  const rows = h.size / width;
  // Rows are an odd number of cache lines apart: the products below walk down columns, and rows a power of two apart would all
  // map to the same few sets of the cache.
  const stepWide = (Math.ceil(panelRowsBytes(runtime, 1, inner) / 64) | 1) * 64;
  const downPanels = weightPanels(runtime, down, { depth: width, columns: inner, transposed: false });
  const half = { depth: inner, columns: width, transposed: false };
  const gatePanels = weightPanels(runtime, gateUp, half);
  const upPanels = weightPanels(runtime, gateUp, half, inner);
  const blockScratch = (block: number): number =>
    spareBytes(runtime) + block * (2 * width + runtime.panelColumns) * 4 + 64;
  const cost = (dy.size * inner * 3) / 4;
  const groups = groupsOf(rows, blockRows, 320, 3 * inner * panelRowsBytes(runtime, 1, width));
  const fields = {
    dy: pointerOf(dy),
    y: pointerOf(out),
    h: pointerOf(h),
    u: pointerOf(memory.gateUp),
    inverse: pointerOf(memory.inverseRms),
    downPanels,
    gatePanels,
    upPanels,
    dh: pointerOf(gradients.h),
    wide: 0,
    stepWide,
    hPanels: 0,
    dsumPanels: 0,
    rows,
    width,
    inner,
    blockRows: groups > 0 ? groupRows : blockRows,
    groups,
    partial: 0,
  };
  if (groups > 0) {
    sumOfGroups(runtime, gradients, groups, (partial) => {
      fields.partial = partial;
      runtime.run("swigluRowsGroups", {
        items: groups,
        scratch: blockScratch(groupRows) + 3 * groupRows * stepWide + 2 * panelRowsBytes(runtime, groupRows, width),
        cost: 2 * cost,
        fields,
      });
    });
    return;
  }
  const panelsBytes = panelRowsBytes(runtime, rows, width);
  const part = rows * stepWide;
  runtime.temporarily(3 * part + 2 * panelsBytes, (wide) => {
    fields.wide = wide;
    fields.hPanels = wide + 3 * part;
    fields.dsumPanels = fields.hPanels + panelsBytes;
    runtime.run("swigluRowsBackward", {
      items: Math.ceil(rows / blockRows),
      scratch: blockScratch(blockRows),
      cost,
      fields,
    });
    const { hPanels, dsumPanels } = fields;
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
  const gateUpStrips = weightStrips(runtime, gateUp, { rows: length, depth: 2 * inner, transposed: true });
  const downStrips = weightStrips(runtime, down, { rows: inner, depth: length, transposed: true });
  const columnScratch = spareBytes(runtime) + 128 + groupColumns * 4 * (2 * length + 2 * inner + productBlockRows);
  const cost = (dy.size * inner * 3) / 4;
  const groups = groupsOf(batch, 1, 4, 3 * inner * panelRowsBytes(runtime, 1, length));
  const fields = {
    dy: pointerOf(dy),
    y: pointerOf(out),
    h: pointerOf(h),
    u: pointerOf(memory.gateUp),
    inverse: pointerOf(memory.inverseRms),
    gateUpStrips,
    downStrips,
    dh: pointerOf(gradients.h),
    tall: 0,
    hPanels: 0,
    dsumPanels: 0,
    batch,
    length,
    width,
    inner,
    groups,
    partial: 0,
  };
  if (groups > 0) {
    sumOfGroups(runtime, gradients, groups, (partial) => {
      fields.partial = partial;
      runtime.run("swigluSequenceGroups", {
        items: groups,
        scratch: columnScratch + puzzleBytes + 2 * panelRowsBytes(runtime, width, length) + 4 * width,
        cost: 2 * cost,
        fields,
      });
    });
    return;
  }
  const panelsBytes = panelRowsBytes(runtime, batch * width, length);
  runtime.temporarily(batch * puzzleBytes + 2 * panelsBytes, (tall) => {
    fields.tall = tall;
    fields.hPanels = tall + batch * puzzleBytes;
    fields.dsumPanels = fields.hPanels + panelsBytes;
    runtime.run("swigluSequenceBackward", {
      items: batch * Math.ceil(width / groupColumns),
      scratch: columnScratch,
      cost,
      fields,
    });
    const { hPanels, dsumPanels } = fields;
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
