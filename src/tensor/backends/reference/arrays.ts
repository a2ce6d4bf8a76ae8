// Helpers of the plain loops: the typed array behind a tensor, and a walk over several tensors in step.
import type { NumberArray } from "../../dtype.ts";
import { BackendError, ShapeError } from "../../errors.ts";
import type { Shape } from "../../shape.ts";
import { VisibleStorage } from "../../storage.ts";
import type { Tensor } from "../../tensor.ts";

/** The elements of a tensor. @throws BackendError if JavaScript cannot see its memory */
export function arrayOf(tensor: Tensor): NumberArray {
  const { storage } = tensor;
  if (!(storage instanceof VisibleStorage)) {
    throw new BackendError(
      `reference kernel: got a tensor on ${tensor.backend.name}, expected memory that JavaScript can see`,
    );
  }
  return storage.array;
}

/**
 * Calls `row(start, offsets)` for every innermost row of `shape`. `start` is the flat index of the row's first element in a
 * contiguous tensor, and `offsets[t]` its index in tensor t, which is read with `strides[t]`. The caller walks along the row with
 * the last strides.
 */
export function forEachRow(
  shape: Shape,
  strides: readonly (readonly number[])[],
  row: (start: number, offsets: Int32Array) => void,
): void {
  const outerRank = Math.max(shape.length - 1, 0);
  const width = shape[outerRank] ?? 1;
  let rows = 1;
  for (let axis = 0; axis < outerRank; axis++) rows *= shape[axis]!;
  const index = new Int32Array(outerRank);
  const offsets = new Int32Array(strides.length);
  for (let r = 0; r < rows; r++) {
    row(r * width, offsets);
    // Advance like an odometer: the last outer axis first, with a carry when an axis is full.
    for (let axis = outerRank - 1; axis >= 0; axis--) {
      index[axis]!++;
      for (let t = 0; t < strides.length; t++) offsets[t]! += strides[t]![axis]!;
      if (index[axis]! < shape[axis]!) break;
      for (let t = 0; t < strides.length; t++) offsets[t]! -= strides[t]![axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

/** A row index of a table. @throws ShapeError with the position of an index out of range */
export function checkedRow(kernel: string, row: number, rows: number, position: number): number {
  if (row >= 0 && row < rows) return row;
  throw new ShapeError(`${kernel}: got index ${row} at position ${position}, expected 0..${rows - 1}`);
}
