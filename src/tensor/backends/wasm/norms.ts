// The residual with its norm, and the gate, outside a SwiGLU block.
import type { BlockAxis } from "../../backend.ts";
import { aroundAxis } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { panelCount } from "./panels.ts";
import type { WasmRuntime } from "./runtime.ts";
import { pointerOf } from "./storage.ts";

const columnScratch = (runtime: WasmRuntime, length: number): number => 64 + 2 * length * runtime.panelColumns * 4;

/** out = (h + r) / √(mean (h + r)² + ε) along the axis */
export function addRmsNorm(
  runtime: WasmRuntime,
  out: Tensor,
  inverseRms: Tensor,
  h: Tensor,
  r: Tensor | null,
  axis: BlockAxis,
  epsilon: number,
): void {
  if (h.size === 0) return;
  const { outer, length, inner } = aroundAxis(h.shape, h.shape.length + axis);
  const isRows = axis === -1;
  const fields = {
    h: pointerOf(h),
    r: r ? pointerOf(r) : 0,
    y: pointerOf(out),
    inverse: pointerOf(inverseRms),
    length: isRows ? 0 : length,
    width: isRows ? length : inner,
    epsilon,
  };
  if (isRows) runtime.run("residualNormRows", { items: outer, cost: h.size, fields });
  else {
    runtime.run("residualNormColumns", {
      items: outer * panelCount(runtime, inner),
      scratch: columnScratch(runtime, length),
      cost: h.size,
      fields,
    });
  }
}

/** ds = (dy - y · mean(dy · y)) · inverseRms */
export function addRmsNormBackward(
  runtime: WasmRuntime,
  ds: Tensor,
  y: Tensor,
  inverseRms: Tensor,
  dy: Tensor,
  axis: BlockAxis,
): void {
  if (dy.size === 0) return;
  const { outer, length, inner } = aroundAxis(y.shape, y.shape.length + axis);
  const isRows = axis === -1;
  const fields = {
    ds: pointerOf(ds),
    y: pointerOf(y),
    inverse: pointerOf(inverseRms),
    dy: pointerOf(dy),
    length: isRows ? 0 : length,
    width: isRows ? length : inner,
  };
  if (isRows) runtime.run("residualNormRowsBackward", { items: outer, cost: dy.size, fields });
  else {
    runtime.run("residualNormColumnsBackward", {
      items: outer * panelCount(runtime, inner),
      scratch: columnScratch(runtime, length),
      cost: dy.size,
      fields,
    });
  }
}

/** u = [gate; up] along the axis; out = silu(gate) · up */
export function siluGate(runtime: WasmRuntime, out: Tensor, u: Tensor, axis: BlockAxis): void {
  if (out.size === 0) return;
  const { outer, length, inner } = aroundAxis(out.shape, out.shape.length + axis);
  runtime.run("siluGate", {
    items: outer,
    cost: 2 * out.size,
    fields: { u: pointerOf(u), out: pointerOf(out), dy: 0, half: length * inner },
  });
}

/** du of siluGate */
export function siluGateBackward(runtime: WasmRuntime, du: Tensor, u: Tensor, dy: Tensor, axis: BlockAxis): void {
  if (dy.size === 0) return;
  const { outer, length, inner } = aroundAxis(dy.shape, dy.shape.length + axis);
  runtime.run("siluGateBackward", {
    items: outer,
    cost: 3 * dy.size,
    fields: { u: pointerOf(u), out: pointerOf(du), dy: pointerOf(dy), half: length * inner },
  });
}
