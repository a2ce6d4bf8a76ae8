// A block of the WebAssembly memory: a typed array for JavaScript and an address for kernels.
import type { Backend } from "../../backend.ts";
import { arrayIn, bytesPerElement, type DType, type NumberArray } from "../../dtype.ts";
import { VisibleStorage } from "../../storage.ts";
import type { Tensor } from "../../tensor.ts";
import type { WasmRuntime } from "./runtime.ts";

/** Data computed from a storage's contents. It is valid while the storage has the same version. */
interface Derived {
  readonly pointer: number;
  readonly bytes: number;
  version: number;
}

export class WasmStorage extends VisibleStorage {
  readonly pointer: number;
  private view: NumberArray | null = null;
  private derived: Map<string, Derived> | null = null;

  constructor(
    backend: Backend,
    private readonly runtime: WasmRuntime,
    dtype: DType,
    length: number,
  ) {
    super(backend, dtype, length);
    this.pointer = runtime.heap.allocate(length * bytesPerElement[dtype]);
  }

  /** Runs the waiting kernels first, because they may read or write it. Unshared memory that grows detaches the old view. */
  override get array(): NumberArray {
    this.runtime.finish();
    const { buffer } = this.runtime.heap.memory;
    if (this.view?.buffer !== buffer) this.view = arrayIn(this.dtype, buffer, this.pointer, this.length);
    return this.view;
  }

  /**
   * Address of data derived from the contents (a weight in panels). `compute` fills it on first use and again after the contents
   * have changed in place. It is freed with the storage.
   */
  derive(form: string, bytes: number, compute: (pointer: number) => void): number {
    this.derived ??= new Map();
    let entry = this.derived.get(form);
    if (entry?.version === this.version) return entry.pointer;
    entry ??= { pointer: this.runtime.heap.allocate(bytes), bytes, version: this.version };
    entry.version = this.version;
    this.derived.set(form, entry);
    compute(entry.pointer);
    return entry.pointer;
  }

  protected override free(): void {
    for (const { pointer, bytes } of this.derived?.values() ?? []) this.runtime.heap.release(pointer, bytes);
    this.derived = null;
    this.runtime.heap.release(this.pointer, this.byteLength);
  }
}

export const storageOf = (tensor: Tensor): WasmStorage => tensor.storage as WasmStorage;
export const pointerOf = (tensor: Tensor): number => storageOf(tensor).pointer;
