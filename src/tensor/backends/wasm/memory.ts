// The backend's memory: one WebAssembly memory that grows, allocated in blocks, with a free list per size class.
import { MemoryError } from "../../errors.ts";

const pageBytes = 65_536;
/** Blocks start on a cache line. */
const alignment = 64;
/** Kernels read whole vectors, and so up to one cache line past the end of a block. */
const slack = 64;
/** The first page holds the job that threads share, and the waiting kernels with their parameters. */
const heapStart = pageBytes;

export class WasmMemory {
  readonly memory: WebAssembly.Memory;
  private readonly free = new Map<number, number[]>();
  private top = heapStart;
  private end: number;
  liveBytes = 0;

  /** @param limitBytes  upper limit of the memory, at most 4 GB. Only addresses are reserved. */
  constructor(
    readonly shared: boolean,
    limitBytes = 65_536 * pageBytes,
  ) {
    this.memory = reserve(shared, Math.floor(limitBytes / pageBytes));
    this.end = this.memory.buffer.byteLength;
  }

  get reservedBytes(): number {
    return this.end;
  }

  /** The address of a block of at least `bytes` bytes with undefined contents. */
  allocate(bytes: number): number {
    const size = sizeClass(bytes);
    const pointer = this.free.get(size)?.pop() ?? this.extend(size);
    this.liveBytes += size;
    return pointer;
  }

  /** @param bytes  as given to `allocate` */
  release(pointer: number, bytes: number): void {
    const size = sizeClass(bytes);
    this.liveBytes -= size;
    const list = this.free.get(size);
    if (list) list.push(pointer);
    else this.free.set(size, [pointer]);
  }

  private extend(size: number): number {
    const needed = this.top + size + slack - this.end;
    if (needed > 0) this.grow(needed);
    const pointer = this.top;
    this.top += size;
    return pointer;
  }

  private grow(needed: number): void {
    // In steps of an eighth, so that the memory of a growing program does not grow with every tensor.
    for (const bytes of [Math.max(needed, this.end / 8), needed]) {
      try {
        this.memory.grow(Math.ceil(bytes / pageBytes));
        this.end = this.memory.buffer.byteLength;
        return;
      } catch {
        // The second attempt adds no more than is needed.
      }
    }
    throw new MemoryError(
      `wasm backend: memory is full, could not add ${megabytes(needed)} to ${megabytes(this.end)} (${megabytes(this.liveBytes)} in use)`,
    );
  }
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** The size rounded up to one of eight steps between powers of two: at most an eighth is lost. */
function sizeClass(bytes: number): number {
  const step = Math.max(alignment, 2 ** (Math.floor(Math.log2(Math.max(bytes, 1))) - 3));
  return Math.max(alignment, Math.ceil(bytes / step) * step);
}

/** Reserves addresses, fewer on systems that refuse to reserve 4 GB. */
function reserve(shared: boolean, maximum: number): WebAssembly.Memory {
  for (; ; maximum = Math.floor(maximum / 2)) {
    try {
      return new WebAssembly.Memory({ initial: Math.min(16, maximum), maximum, shared });
    } catch (cause) {
      if (maximum < 1024) throw new MemoryError("wasm backend: could not reserve 64 MB of memory", { cause });
    }
  }
}
