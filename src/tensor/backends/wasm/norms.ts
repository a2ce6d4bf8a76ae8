// The residual with its norm, and the gate, as kernels of their own.
import type { BlockAxis } from "../../backend.ts";
import { aroundAxis } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { panelCount } from "./panels.ts";
import { float, type WasmRuntime } from "./runtime.ts";
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
  const pointers = [pointerOf(h), r ? pointerOf(r) : 0, pointerOf(out), pointerOf(inverseRms)];
  const { outer, length, inner } = aroundAxis(h.shape, h.shape.length + axis);
  if (axis === -1) {
    runtime.run("residualNormRows", {
      items: outer,
      cost: h.size,
      parameters: [...pointers, 0, length, float(epsilon)],
    });
  } else {
    runtime.run("residualNormColumns", {
      items: outer * panelCount(runtime, inner),
      scratch: columnScratch(runtime, length),
      cost: h.size,
      parameters: [...pointers, length, inner, float(epsilon)],
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
  const pointers = [ds, y, inverseRms, dy].map(pointerOf);
  const { outer, length, inner } = aroundAxis(y.shape, y.shape.length + axis);
  if (axis === -1) {
    runtime.run("residualNormRowsBackward", { items: outer, cost: dy.size, parameters: [...pointers, 0, length] });
  } else {
    runtime.run("residualNormColumnsBackward", {
      items: outer * panelCount(runtime, inner),
      scratch: columnScratch(runtime, length),
      cost: dy.size,
      parameters: [...pointers, length, inner],
    });
  }
}

/** u = [gate; up] along the axis; out = silu(gate) · up */
export function siluGate(runtime: WasmRuntime, out: Tensor, u: Tensor, axis: BlockAxis): void {
  if (out.size === 0) return;
  const { outer, length, inner } = aroundAxis(out.shape, out.shape.length + axis);
  const parameters = [pointerOf(u), pointerOf(out), 0, length * inner];
  runtime.run("siluGate", { items: outer, cost: 2 * out.size, parameters });
}

/** du of the above */
export function siluGateBackward(runtime: WasmRuntime, du: Tensor, u: Tensor, dy: Tensor, axis: BlockAxis): void {
  if (dy.size === 0) return;
  const { outer, length, inner } = aroundAxis(dy.shape, dy.shape.length + axis);
  const parameters = [pointerOf(u), pointerOf(du), pointerOf(dy), length * inner];
  runtime.run("siluGateBackward", { items: outer, cost: 3 * dy.size, parameters });
}
