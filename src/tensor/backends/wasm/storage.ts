// A block of the WebAssembly memory, visible to JavaScript as a typed array and to kernels as an address.
import { bytesPerElement, type DType, type NumberArray, VisibleStorage } from "../../storage.ts";
import type { Tensor } from "../../tensor.ts";
import type { WasmBackend } from "./backend.ts";
import type { WasmRuntime } from "./runtime.ts";

/** Something computed from a storage's contents: valid as long as the version is the same. */
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
    backend: WasmBackend,
    private readonly runtime: WasmRuntime,
    dtype: DType,
    length: number,
  ) {
    super(backend, dtype, length);
    this.pointer = runtime.heap.allocate(length * bytesPerElement[dtype]);
  }

  /**
   * Runs the waiting kernels first: they may write it or still read it. A view is replaced when unshared memory has grown, which
   * detaches the old one.
   */
  override get array(): NumberArray {
    this.runtime.finish();
    const { buffer } = this.runtime.heap.memory;
    if (this.view?.buffer !== buffer) {
      if (this.dtype === "float32") this.view = new Float32Array(buffer, this.pointer, this.length);
      else if (this.dtype === "float64") this.view = new Float64Array(buffer, this.pointer, this.length);
      else this.view = new Int32Array(buffer, this.pointer, this.length);
    }
    return this.view;
  }

  /**
   * Data derived from the contents (a weight in panels), computed when first asked for and again after the contents were
   * changed in place. It is freed with the storage.
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
