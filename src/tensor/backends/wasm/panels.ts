// The forms in which kernels read weights: panels and strips (assembly/panels.ts, assembly/strips.ts). A form is made when first
// needed and kept with the weight until an optimizer step changes it, so the recursion packs each weight once per step.
import type { Tensor } from "../../tensor.ts";
import type { WasmRuntime } from "./runtime.ts";
import { pointerOf, storageOf } from "./storage.ts";

/** A matrix to be read as the right side B of a product, [depth, columns]. */
export interface RightSide {
  readonly depth: number;
  readonly columns: number;
  /** It is stored as [columns, depth]. */
  readonly transposed: boolean;
}

/** Number of panels that `columns` columns fill. */
export const panelCount = ({ panelColumns }: WasmRuntime, columns: number): number => Math.ceil(columns / panelColumns);

/** Bytes of the rows of all panels: of [rows, columns] with the columns rounded up to whole panels. */
export const panelRowsBytes = (runtime: WasmRuntime, rows: number, columns: number): number =>
  panelCount(runtime, columns) * runtime.panelColumns * rows * 4;

/** Bytes that every product needs as scratch: one tile of six rows. */
export const spareBytes = (runtime: WasmRuntime): number => 6 * runtime.panelColumns * 4;

/** Of assembly/product.ts: the most rows of a product that are made at once. */
export const productBlockRows = 43;

export const panelBytes = (runtime: WasmRuntime, { depth, columns }: RightSide): number =>
  panelRowsBytes(runtime, depth, columns);

/** Packs `matrices` matrices, `sourceStep` bytes apart, into panels one after another. */
export function packPanels(
  runtime: WasmRuntime,
  panels: number,
  source: number,
  side: RightSide,
  matrices = 1,
  sourceStep = 0,
): void {
  const { depth, columns, transposed } = side;
  runtime.run("pack", {
    items: matrices * panelCount(runtime, columns),
    cost: (matrices * depth * columns) / 2,
    parameters: [source, panels, depth, columns, Number(transposed), sourceStep],
  });
}

/** The address of a weight's panels. `firstRow` is where the wanted rows of the stored matrix begin (gate and up of gateUp). */
export function weightPanels(runtime: WasmRuntime, weight: Tensor, side: RightSide, firstRow = 0): number {
  const { depth, columns, transposed } = side;
  return storageOf(weight).derive(
    `panels ${depth} ${columns} ${transposed} ${firstRow}`,
    panelBytes(runtime, side),
    (pointer) => {
      const rowLength = transposed ? depth : columns;
      packPanels(runtime, pointer, pointerOf(weight) + firstRow * rowLength * 4, side);
    },
  );
}

/** A matrix to be read as the left side A of a product, [rows, depth]. */
export interface LeftSide {
  readonly rows: number;
  readonly depth: number;
  /** It is stored as [depth, rows]. */
  readonly transposed: boolean;
}

/** The address of a weight's strips, from row `firstRow` of the stored matrix on. */
export function weightStrips(runtime: WasmRuntime, weight: Tensor, side: LeftSide, firstRow = 0): number {
  const { rows, depth, transposed } = side;
  return storageOf(weight).derive(`strips ${rows} ${depth} ${transposed} ${firstRow}`, rows * depth * 4, (pointer) => {
    const source = pointerOf(weight) + firstRow * (transposed ? rows : depth) * 4;
    runtime.run("strips", {
      items: 1,
      cost: (rows * depth) / 2,
      parameters: [source, pointer, rows, depth, Number(transposed)],
    });
  });
}
