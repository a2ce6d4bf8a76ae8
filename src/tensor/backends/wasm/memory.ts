// The backend's memory: one WebAssembly memory that grows, allocated in blocks, with a free list per size class. Before it grows,
// free blocks that touch are merged, so that memory which was used for tensors of other sizes is used again.
import { MemoryError } from "../../errors.ts";

const pageBytes = 65_536;
/** Blocks start on a cache line. */
const alignment = 64;
/** Kernels read whole vectors, and so up to one cache line past the end of a block. */
const slack = 64;
/** The first page holds the job that threads share, and the waiting kernels with their parameters. */
const heapStart = pageBytes;

/** Free memory of any size. */
interface Hole {
  start: number;
  size: number;
}

export class WasmMemory {
  readonly memory: WebAssembly.Memory;
  /** Addresses of free blocks by size class. */
  private readonly free = new Map<number, number[]>();
  /** Free memory that has been merged, by address. */
  private holes: Hole[] = [];
  /** Everything from here on is unused. */
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
    const pointer = this.free.get(size)?.pop() ?? this.carve(size) ?? this.extend(size);
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

  /** Takes a block from the first hole that is large enough. Returns undefined if there is none. */
  private carve(size: number): number | undefined {
    const i = this.holes.findIndex((hole) => hole.size >= size);
    const hole = this.holes[i];
    if (!hole) return undefined;
    const pointer = hole.start;
    hole.start += size;
    hole.size -= size;
    if (hole.size === 0) this.holes.splice(i, 1);
    return pointer;
  }

  private extend(size: number): number {
    const missing = (): number => this.top + size + slack - this.end;
    if (missing() > 0) {
      this.merge();
      const pointer = this.carve(size);
      if (pointer !== undefined) return pointer;
      if (missing() > 0) this.grow(missing());
    }
    const pointer = this.top;
    this.top += size;
    return pointer;
  }

  /** Turns all free blocks into holes, merges holes that touch, and gives the last one back if it ends at `top`. */
  private merge(): void {
    const parts = [...this.holes];
    for (const [size, starts] of this.free) for (const start of starts) parts.push({ start, size });
    this.free.clear();
    this.holes = [];
    for (const { start, size } of parts.sort((a, b) => a.start - b.start)) {
      const before = this.holes.at(-1);
      if (before && before.start + before.size === start) before.size += size;
      else this.holes.push({ start, size });
    }
    const last = this.holes.at(-1);
    if (!last || last.start + last.size < this.top) return;
    this.top = last.start;
    this.holes.pop();
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
