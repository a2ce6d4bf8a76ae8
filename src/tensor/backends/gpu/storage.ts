// Storage on the GPU: a place for contents. All element types are float32 there: whole numbers are exact to 2^24, and float64
// is asked for but not given (the one exception to "the cross-entropy in float64"; WebGL and WebGPU have no doubles).
import type { Backend } from "../../backend.ts";
import { BackendError, MemoryError } from "../../errors.ts";
import { type DType, type NumberArray, newArray, Storage } from "../../storage.ts";
import type { Tensor } from "../../tensor.ts";
import type { Contents } from "./contents.ts";
import { type Device, maxLength } from "./device.ts";

export class GpuStorage extends Storage {
  /** null until written. */
  private contents: Contents | null = null;
  /** Whole numbers as they came from JavaScript, so that indices can be checked without asking the GPU. */
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
        `gpu backend: got a tensor of ${length} elements, expected at most ${maxLength} (kernels count in float32): use a smaller batch or model`,
      );
    }
  }

  override get byteLength(): number {
    return 4 * this.length;
  }

  /** The numbers; zeros if nothing was written. Not to be kept without `retain()`. */
  get current(): Contents {
    this.contents ??= this.device.upload(new Float32Array(this.length));
    return this.contents;
  }

  /** The whole numbers if they came from JavaScript and were not changed since. */
  get knownIntegers(): Int32Array | null {
    return this.integers;
  }

  /** Puts other contents in place, and lets go of those before. Takes over the caller's reference. */
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
  }

  protected override free(): void {
    this.contents?.release();
    this.contents = null;
    this.onFree();
  }
}

function checkExact(value: number, position: number): void {
  if (Math.abs(value) <= maxLength) return;
  throw new MemoryError(
    `gpu backend: got whole number ${value} at position ${position}, expected within ±${maxLength} (float32 is exact to there)`,
  );
}

/** The storage behind a tensor of this backend. */
export function storageOf(tensor: Tensor): GpuStorage {
  const { storage } = tensor;
  if (storage instanceof GpuStorage) return storage;
  throw new BackendError(`gpu kernel: got a tensor on ${tensor.backend.name}, expected one on gpu`);
}
