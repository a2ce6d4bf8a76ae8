// Storage: a counted block of a backend's memory. Several tensors may share one (a reshape, a value kept by the tape);
// the block goes back to its backend when the last of them lets go.
import type { Backend } from "./backend.ts";
import { MemoryError } from "./errors.ts";

export type DType = "float32" | "float64" | "int32";
export type NumberArray = Float32Array | Float64Array | Int32Array;

export const bytesPerElement: Record<DType, number> = { float32: 4, float64: 8, int32: 4 };

/** A typed array of `length` zeros of the element type. */
export function newArray(dtype: DType, length: number): NumberArray {
  if (dtype === "float32") return new Float32Array(length);
  return dtype === "float64" ? new Float64Array(length) : new Int32Array(length);
}

export abstract class Storage {
  private references = 0;
  /** Counts the writes in place (optimizer steps), so that data derived from the contents can tell when it is stale. */
  version = 0;

  constructor(
    readonly backend: Backend,
    readonly dtype: DType,
    readonly length: number,
  ) {}

  get byteLength(): number {
    return this.length * bytesPerElement[this.dtype];
  }

  get isLive(): boolean {
    return this.references > 0;
  }

  retain(): void {
    this.references++;
  }

  release(): void {
    if (this.references <= 0) throw new MemoryError("release: this memory was given back already");
    this.references--;
    if (this.references === 0) this.free();
  }

  /** Gives the memory back to the backend. */
  protected abstract free(): void;

  /** A copy of the contents in JavaScript memory. Asynchronous because a GPU answers late. */
  abstract read(): Promise<NumberArray>;

  /** Replaces the contents. `values` has `length` elements. */
  abstract write(values: ArrayLike<number>): void;
}

/** Storage that JavaScript can see directly: plain typed arrays, or views on WebAssembly memory. */
export abstract class VisibleStorage extends Storage {
  /** The elements. Fetch it anew whenever they are needed: memory can grow, and kernels that change it may still be waiting. */
  abstract readonly array: NumberArray;

  override read(): Promise<NumberArray> {
    return Promise.resolve(this.array.slice());
  }

  override write(values: ArrayLike<number>): void {
    this.array.set(values);
  }
}
