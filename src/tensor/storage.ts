// Storage: a reference-counted block of a backend's memory. Several tensors may share one (a reshape, a value kept by the tape);
// the block is freed with its last reference.
import type { Backend } from "./backend.ts";
import { bytesPerElement, type DType, type NumberArray } from "./dtype.ts";
import { MemoryError } from "./errors.ts";

/** A block of a backend's memory that one or several tensors use; the last reference frees it. */
export abstract class Storage {
  private references = 0;
  /** Counts the changes of the contents (writing, optimizer steps), so that data derived from them can be recognized as stale. */
  version = 0;

  constructor(
    readonly backend: Backend,
    readonly dtype: DType,
    readonly length: number,
  ) {}

  get byteLength(): number {
    return this.length * bytesPerElement[this.dtype];
  }

  retain(): void {
    this.references++;
  }

  release(): void {
    if (this.references <= 0) throw new MemoryError("release: this memory was already released");
    this.references--;
    if (this.references === 0) this.free();
  }

  /** Returns the memory to the backend. */
  protected abstract free(): void;

  /** A copy of the contents in JavaScript memory. Asynchronous, because reading from a GPU is. */
  abstract read(): Promise<NumberArray>;

  /** Replaces the contents and increments `version`. `values` has `length` elements. */
  abstract write(values: ArrayLike<number>): void;
}

/** Storage that JavaScript can see directly: plain typed arrays, or views on WebAssembly memory. */
export abstract class VisibleStorage extends Storage {
  /** The elements. Read this property again for every use: memory may have grown, and kernels may be waiting to change it. */
  abstract readonly array: NumberArray;

  override read(): Promise<NumberArray> {
    return Promise.resolve(this.array.slice());
  }

  override write(values: ArrayLike<number>): void {
    this.array.set(values);
    this.version++;
  }
}
