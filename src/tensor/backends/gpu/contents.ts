// Contents: the immutable numbers behind a storage, in the form that gpu.js keeps them. A kernel that works in place creates new
// contents and puts them in the storage. Several storages can therefore share one contents (after a cast, for example); a reference
// count frees it.

import { type DeviceArray, isHandle } from "./gpujs.ts";
import type { CompiledKernel } from "./kernel-cache.ts";

/** Arrays that exist on the device, counted for leak tests. */
export interface LiveArrays {
  count: number;
  bytes: number;
}

export class Contents {
  private references = 1;
  private array: DeviceArray | null = null;
  private failure: { readonly error: unknown } | null = null;

  /** @param maker  the kernel that computes the numbers, or null; it must outlive them */
  constructor(
    readonly length: number,
    private readonly live: LiveArrays,
    private readonly maker: CompiledKernel | null,
  ) {
    maker?.retain();
  }

  retain(): this {
    this.references++;
    return this;
  }

  release(): void {
    this.references--;
    if (this.references > 0) return;
    if (this.array) {
      this.live.count--;
      this.live.bytes -= 4 * this.length;
      if (isHandle(this.array)) this.array.delete();
    }
    this.array = null;
    this.maker?.release();
  }

  /** Sets the computed numbers. */
  resolve(array: DeviceArray): void {
    this.array = array;
    this.live.count++;
    this.live.bytes += 4 * this.length;
  }

  /** Records that the computation failed; reading `value` throws the error. */
  fail(error: unknown): void {
    this.failure = { error };
  }

  throwIfFailed(): void {
    if (this.failure) throw this.failure.error;
  }

  /** @throws the error of the computation, if it failed */
  get value(): DeviceArray {
    this.throwIfFailed();
    return this.array!;
  }

  /** The numbers in JavaScript memory; not a copy if they are already there. */
  async read(): Promise<Float32Array> {
    const { value } = this;
    return isHandle(value) ? value.toArray() : value;
  }
}
