// Contents: the numbers behind a storage, as gpu.js holds them. They are never changed: a kernel that works in place makes new
// contents and puts them in the storage. So several storages may share one (a cast), and they are freed when nobody is left.

import { type DeviceArray, isHandle } from "./gpujs.ts";
import type { CompiledKernel } from "./kernel-cache.ts";

/** Arrays that exist on the device now: what leak tests watch. */
export interface LiveArrays {
  count: number;
  bytes: number;
}

export class Contents {
  private references = 1;
  private array: DeviceArray | null = null;
  private failure: { readonly error: unknown } | null = null;

  /** @param maker  the kernel that the numbers come from, if one made them; it must outlive them */
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

  /** The numbers have been computed. */
  resolve(array: DeviceArray): void {
    this.array = array;
    this.live.count++;
    this.live.bytes += 4 * this.length;
  }

  /** The numbers cannot be computed. Whoever asks for them is told why. */
  fail(error: unknown): void {
    this.failure = { error };
  }

  throwIfFailed(): void {
    if (this.failure) throw this.failure.error;
  }

  /** @throws what made the computation fail */
  get value(): DeviceArray {
    this.throwIfFailed();
    return this.array!;
  }

  /** The numbers in JavaScript memory (not a copy, where they are there already). */
  async read(): Promise<Float32Array> {
    const { value } = this;
    return isHandle(value) ? value.toArray() : value;
  }
}
