// What the plain loops share: the typed array behind a tensor, and walking several tensors in step.
import { BackendError, ShapeError } from "../../errors.ts";
import type { Shape } from "../../shape.ts";
import { type NumberArray, VisibleStorage } from "../../storage.ts";
import type { Tensor } from "../../tensor.ts";

/** The elements of a tensor whose memory JavaScript can see. */
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
 * Calls `row(start, offsets)` for every innermost row of `shape`: `start` is the flat index of its first element, and
 * `offsets[t]` where tensor t (read with `strides[t]`) has it. The caller walks the row with the last strides.
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
    // Advance like an odometer: the last outer axis first, carrying where an axis is full.
    for (let axis = outerRank - 1; axis >= 0; axis--) {
      index[axis]!++;
      for (let t = 0; t < strides.length; t++) offsets[t]! += strides[t]![axis]!;
      if (index[axis]! < shape[axis]!) break;
      for (let t = 0; t < strides.length; t++) offsets[t]! -= strides[t]![axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

/** A row index of a table. @throws ShapeError naming the position of a bad one */
export function checkedRow(kernel: string, row: number, rows: number, position: number): number {
  if (row >= 0 && row < rows) return row;
  throw new ShapeError(`${kernel}: got index ${row} at position ${position}, expected 0..${rows - 1}`);
}
