// The matrix product: B is packed into panels, which a weight keeps; A is read in place in either order.
import { broadcastStrides, type Shape, sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { packPanels, panelBytes, panelRowsBytes, type RightSide, spareBytes, weightPanels } from "./panels.ts";
import type { WasmRuntime } from "./runtime.ts";
import { pointerOf } from "./storage.ts";

/** The most rows of the result per item: eight tiles of six. */
const blockRows = 48;
/** Depth of a chunk whose panels stay in the cache. */
const chunkDepth = 256;

/** One product, or several of equal size; see the class Matmul of assembly/matmul.ts. */
export interface Product {
  readonly a: number;
  /** Bytes between the rows of A as it is stored. */
  readonly stepA: number;
  /** Whether A is stored as [rows, depth]; otherwise it is [depth, rows]. */
  readonly rowMajor: boolean;
  readonly panels: number;
  readonly out: number;
  /** Whether the result is written transposed, as [columns, rows]. */
  readonly transposed?: boolean;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Depth of a chunk of the sum, and bytes in A between chunks, if A's columns are not contiguous. */
  readonly chunk?: { readonly depth: number; readonly step: number };
  /** For several products: the offsets of A, panels and out of each product, in bytes. */
  readonly offsets?: Int32Array;
}

export function multiply(runtime: WasmRuntime, product: Product): void {
  const { a, stepA, rowMajor, panels, transposed = false, rows, columns, depth, offsets } = product;
  const chunk = product.chunk ?? { depth: chunkDepth, step: chunkDepth * (rowMajor ? 4 : stepA) };
  const products = offsets ? offsets.length / 3 : 1;
  // Few rows get smaller blocks, so that threads can share them. The sums, which run along the depth, are unaffected.
  const block = Math.min(blockRows, 6 * Math.max(1, Math.ceil((rows * products) / 6 / 16)));
  const run = (offsetsPointer: number): void =>
    runtime.run("matmul", {
      items: products * Math.ceil(rows / block),
      scratch: spareBytes(runtime) + (transposed ? panelRowsBytes(runtime, block, columns) : 0),
      cost: (products * rows * columns * depth) / 4,
      fields: {
        a,
        stepA,
        rowMajor: Number(rowMajor),
        panels,
        c: product.out,
        transposed: Number(transposed),
        rows,
        columns,
        depth,
        chunk: chunk.depth,
        chunkStep: chunk.step,
        blockRows: block,
        offsets: offsetsPointer,
      },
    });
  if (!offsets) run(0);
  else {
    runtime.temporarily(offsets.byteLength, (pointer) => {
      runtime.store(pointer, offsets);
      run(pointer);
    });
  }
}

/** out[.., m, n] = Σ_k a[.., m, k] b[.., k, n]; a flag is true if the operand is stored with its last two axes swapped */
export function matmul(
  runtime: WasmRuntime,
  out: Tensor,
  a: Tensor,
  b: Tensor,
  transposeA: boolean,
  transposeB: boolean,
): void {
  if (out.size === 0) return;
  const [rows, columns] = out.shape.slice(-2) as [number, number];
  const depth = a.shape.at(transposeA ? -2 : -1)!;
  const side: RightSide = { depth, columns, transposed: transposeB };
  const batch = out.shape.slice(0, -2);
  const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const matricesB = sizeOf(batchB);
  const product = {
    a: pointerOf(a),
    stepA: (transposeA ? rows : depth) * 4,
    rowMajor: !transposeA,
    out: pointerOf(out),
    rows,
    columns,
    depth,
  };
  const withPanels = (panels: number): void => {
    if (sizeOf(batch) === 1) multiply(runtime, { ...product, panels });
    else if (matricesB === 1 && !transposeA && sizeOf(batchA) === sizeOf(batch)) {
      // All products have the same right side, so the matrices on the left are one tall matrix.
      multiply(runtime, { ...product, panels, rows: rows * sizeOf(batch) });
    } else {
      const offsets = batchOffsets(batch, [
        [batchA, rows * depth * 4],
        [batchB, panelBytes(runtime, side)],
        [batch, rows * columns * 4],
      ]);
      multiply(runtime, { ...product, panels, offsets });
    }
  };
  // A plain matrix on the right is most likely a weight, whose panels are used again. The operand of a gradient is not.
  if (b.shape.length === 2 && !transposeA) withPanels(weightPanels(runtime, b, side));
  else {
    runtime.temporarily(matricesB * panelBytes(runtime, side), (panels) => {
      packPanels(runtime, panels, pointerOf(b), side, matricesB);
      withPanels(panels);
    });
  }
}

/** The offset of each operand's matrix for every matrix of `batch`: the bytes of one matrix times its broadcast position. */
function batchOffsets(batch: Shape, operands: readonly (readonly [Shape, number])[]): Int32Array {
  const offsets = new Int32Array(sizeOf(batch) * operands.length);
  operands.forEach(([shape, bytes], operand) => {
    const strides = broadcastStrides(shape, batch);
    for (let matrix = 0; matrix < sizeOf(batch); matrix++) {
      let left = matrix;
      let position = 0;
      for (let axis = batch.length - 1; axis >= 0; axis--) {
        position += (left % batch[axis]!) * strides[axis]!;
        left = Math.floor(left / batch[axis]!);
      }
      offsets[matrix * operands.length + operand] = position * bytes;
    }
  });
  return offsets;
}
