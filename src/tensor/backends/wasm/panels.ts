// The layouts in which kernels read weights: panels and strips (assembly/panels.ts, assembly/strips.ts). A weight is packed on first
// use, and the result is kept with the weight until an optimizer step changes it, so the recursion packs each weight once per step.
import type { Tensor } from "../../tensor.ts";
import type { WasmRuntime } from "./runtime.ts";
import { pointerOf, storageOf } from "./storage.ts";

/** A matrix to be read as the right side B of a product, [depth, columns]. */
export interface RightSide {
  readonly depth: number;
  readonly columns: number;
  /** Whether it is stored as [columns, depth]. */
  readonly transposed: boolean;
}

/** Number of panels for `columns` columns. */
export const panelCount = ({ panelColumns }: WasmRuntime, columns: number): number => Math.ceil(columns / panelColumns);

/** Bytes of a matrix [rows, columns] with the columns rounded up to whole panels. */
export const panelRowsBytes = (runtime: WasmRuntime, rows: number, columns: number): number =>
  panelCount(runtime, columns) * runtime.panelColumns * rows * 4;

/** Scratch bytes of every product: one tile of six rows. */
export const spareBytes = (runtime: WasmRuntime): number => 6 * runtime.panelColumns * 4;

/** The most rows of a product that are computed at once: BLOCK_ROWS of assembly/product.ts. */
export const productBlockRows = 43;

export const panelBytes = (runtime: WasmRuntime, { depth, columns }: RightSide): number =>
  panelRowsBytes(runtime, depth, columns);

/** Packs `count` matrices, which lie one after another from `source` on, into panels one after another from `panels` on. */
export function packPanels(runtime: WasmRuntime, panels: number, source: number, side: RightSide, count = 1): void {
  const { depth, columns, transposed } = side;
  runtime.run("pack", {
    items: count * panelCount(runtime, columns),
    cost: (count * depth * columns) / 2,
    fields: { source, panels, depth, columns, transposed: Number(transposed), sourceStep: depth * columns * 4 },
  });
}

/** The address of a weight's panels, packed from row `firstRow` of the stored matrix on (gateUp holds gate above up). */
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
  /** Whether it is stored as [depth, rows]. */
  readonly transposed: boolean;
}

/** The address of a weight's strips, packed from row `firstRow` of the stored matrix on. */
export function weightStrips(runtime: WasmRuntime, weight: Tensor, side: LeftSide, firstRow = 0): number {
  const { rows, depth, transposed } = side;
  return storageOf(weight).derive(`strips ${rows} ${depth} ${transposed} ${firstRow}`, rows * depth * 4, (pointer) => {
    const source = pointerOf(weight) + firstRow * (transposed ? rows : depth) * 4;
    runtime.run("strips", {
      items: 1,
      cost: (rows * depth) / 2,
      fields: { source, strips: pointer, rows, depth, transposed: Number(transposed) },
    });
  });
}
