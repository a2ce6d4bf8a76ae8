// Storage on the GPU: a mutable reference to contents. All element types are stored as float32: integers are exact up to 2^24, and
// float64 has only single precision, because WebGL and WebGPU have no doubles. This is the only exception to the rule that the
// cross-entropy is computed in float64.
import type { Backend } from "../../backend.ts";
import { type DType, type NumberArray, newArray } from "../../dtype.ts";
import { BackendError, MemoryError } from "../../errors.ts";
import { Storage } from "../../storage.ts";
import type { Tensor } from "../../tensor.ts";
import type { Contents } from "./contents.ts";
import { type Device, largestInteger, maxLength } from "./device.ts";

export class GpuStorage extends Storage {
  /** null until the first write. */
  private contents: Contents | null = null;
  /** The integers last written from JavaScript, kept so that indices can be checked without a read-back. */
  private integers: Int32Array | null = null;

  constructor(
    backend: Backend,
    dtype: DType,
    length: number,
    readonly device: Device,
    private readonly onFree: () => void,
  ) {
    super(backend, dtype, length);
    if (length > maxLength) {
      throw new MemoryError(
        `gpu backend: got a tensor of ${length} elements, expected at most ${maxLength} (kernels compute indices in float32): use a smaller batch or model`,
      );
    }
  }

  override get byteLength(): number {
    return 4 * this.length;
  }

  /** The current contents; zeros before the first write. Callers that keep them must call `retain()`. */
  get current(): Contents {
    this.contents ??= this.device.upload(new Float32Array(this.length));
    return this.contents;
  }

  /** The integers, if they were written from JavaScript and have not changed since; else null. */
  get knownIntegers(): Int32Array | null {
    return this.integers;
  }

  /** Replaces and releases the contents. The storage takes ownership of the caller's reference. */
  replace(contents: Contents): void {
    this.contents?.release();
    this.contents = contents;
    this.integers = null;
  }

  override async read(): Promise<NumberArray> {
    const numbers = newArray(this.dtype, this.length);
    if (this.length > 0) numbers.set(await this.device.download(this.current));
    return numbers;
  }

  override write(values: ArrayLike<number>): void {
    if (this.length === 0) return;
    const integers = this.dtype === "int32" ? Int32Array.from(values) : null;
    integers?.forEach(checkExact);
    this.replace(this.device.upload(Float32Array.from(integers ?? values)));
    this.integers = integers;
    this.version++;
  }

  protected override free(): void {
    this.contents?.release();
    this.contents = null;
    this.onFree();
  }
}

/** @throws MemoryError for an integer that float32 does not hold */
export function checkExact(value: number, position: number): void {
  if (Math.abs(value) <= largestInteger) return;
  throw new MemoryError(
    `gpu backend: got integer ${value} at position ${position}, expected at most ±${largestInteger} (the largest exact integer of float32)`,
  );
}

/** The storage of a tensor of this backend. @throws BackendError for a tensor of another backend */
export function storageOf(tensor: Tensor): GpuStorage {
  const { storage } = tensor;
  if (storage instanceof GpuStorage) return storage;
  throw new BackendError(`gpu kernel: got a tensor on ${tensor.backend.name}, expected one on gpu`);
}
