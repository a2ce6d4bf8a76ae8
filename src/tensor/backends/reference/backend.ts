// The reference backend: every kernel as a plain loop over typed arrays, for every element type. It is the specification that the
// fast backends are tested against, so its code is written in the most obvious form; only the matrix product is blocked.
import type { Backend, FusedKernels, Kernels } from "../../backend.ts";
import { arrayIn, bytesPerElement, type DType, type NumberArray } from "../../dtype.ts";
import { MemoryError } from "../../errors.ts";
import { VisibleStorage } from "../../storage.ts";
import * as data from "./data.ts";
import * as elementwise from "./elementwise.ts";
import * as fused from "./fused.ts";
import * as fusedBlocks from "./fused-blocks.ts";
import { matmul } from "./matmul.ts";
import * as optimizers from "./optimizers.ts";
import * as reductions from "./reductions.ts";

export const referenceKernels: Kernels = { ...elementwise, ...data, ...reductions, matmul, ...optimizers };
export const referenceFusedKernels: Partial<FusedKernels> = { ...fused, ...fusedBlocks };

/** The backend of plain loops, which specifies what the others compute. */
export class ReferenceBackend implements Backend {
  readonly name = "reference";
  readonly build = "plain loops, 1 thread";
  // Copies, because a backend may replace kernels of its own.
  readonly kernels = { ...referenceKernels };
  readonly fused = { ...referenceFusedKernels };
  readonly fusedTypes = ["float32", "float64"] as const;
  private readonly free = new FreeLists();
  private liveBytes = 0;

  allocate(length: number, dtype: DType): ArrayStorage {
    const buffer = this.free.take(length * bytesPerElement[dtype]);
    this.liveBytes += buffer.byteLength;
    return new ArrayStorage(this, dtype, length, buffer, () => {
      this.liveBytes -= buffer.byteLength;
      this.free.add(buffer);
    });
  }

  memory(): { liveBytes: number; reservedBytes: number } {
    return { liveBytes: this.liveBytes, reservedBytes: this.liveBytes + this.free.bytes };
  }

  dispose(): void {
    this.free.clear();
  }
}

class ArrayStorage extends VisibleStorage {
  readonly array: NumberArray;
  constructor(
    backend: Backend,
    dtype: DType,
    length: number,
    buffer: ArrayBuffer,
    private readonly onFree: () => void,
  ) {
    super(backend, dtype, length);
    this.array = arrayIn(dtype, buffer, 0, length);
  }
  protected override free(): void {
    this.onFree();
  }
}

/** Released buffers by size class (powers of two), so that a loop in its steady state allocates nothing. */
class FreeLists {
  private readonly classes = new Map<number, ArrayBuffer[]>();
  bytes = 0;

  take(bytes: number): ArrayBuffer {
    const size = sizeClass(bytes);
    const buffer = this.classes.get(size)?.pop();
    if (!buffer) return newBuffer(size);
    this.bytes -= size;
    return buffer;
  }

  add(buffer: ArrayBuffer): void {
    const list = this.classes.get(buffer.byteLength);
    if (list) list.push(buffer);
    else this.classes.set(buffer.byteLength, [buffer]);
    this.bytes += buffer.byteLength;
  }

  clear(): void {
    this.classes.clear();
    this.bytes = 0;
  }
}

function newBuffer(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch {
    throw new MemoryError(`reference: cannot allocate ${bytes} bytes`);
  }
}

/** The next power of two, at least 64 bytes. */
const sizeClass = (bytes: number): number => Math.max(64, 2 ** Math.ceil(Math.log2(Math.max(bytes, 1))));
