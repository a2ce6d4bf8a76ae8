// Compiled kernels. Compiling costs from one millisecond (cpu) to ninety (headless GL), so a kernel is kept under what it was
// compiled from: its source (the operation), its constants and lengths (the shapes) and the kind of its inputs. The least
// recently used ones go when there are too many.
import type { GpuKernel, KernelMaker } from "./gpujs.ts";

export interface KernelDescription {
  /** For messages: "sum" */
  readonly name: string;
  readonly source: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly functions: readonly string[];
  /** Elements of the output. */
  readonly length: number;
}

export type InputKind = "host" | "device" | "number";

/**
 * A kernel and a count of its living results. gpu.js reads and deletes a texture through the kernel that made it, so a kernel
 * that the cache has let go is destroyed only when the last of its results is gone.
 */
export class CompiledKernel {
  private results = 0;
  private isDropped = false;
  private hasRun = false;

  constructor(
    readonly name: string,
    readonly run: GpuKernel,
    private readonly gpu: KernelMaker,
  ) {}

  retain(): void {
    this.results++;
  }

  release(): void {
    this.results--;
    this.destroyIfUnused();
  }

  /** The cache lets go. */
  drop(): void {
    this.isDropped = true;
    this.destroyIfUnused();
  }

  /** After each run: the first one tells whether gpu.js fell back to another class of kernel. @throws BackendError if it did */
  checkClass(): void {
    if (this.hasRun) return;
    this.gpu.checkClass(this.run, `kernel ${this.name}`);
    this.hasRun = true;
  }

  private destroyIfUnused(): void {
    if (this.isDropped && this.results === 0) this.gpu.destroyKernel(this.run);
  }
}

export class KernelCache {
  /** In the order of last use: a Map keeps the order of insertion. */
  private readonly kernels = new Map<string, CompiledKernel>();
  /** Kernels compiled so far, for reports. */
  compiled = 0;

  constructor(
    private readonly gpu: KernelMaker,
    private capacity: number,
  ) {}

  get size(): number {
    return this.kernels.size;
  }

  /** How many kernels are kept from now on; those that are too many go at once. */
  resize(capacity: number): void {
    this.capacity = capacity;
    this.dropOldest();
  }

  kernelFor(description: KernelDescription, lengths: readonly number[], kinds: readonly InputKind[]): CompiledKernel {
    const { name, source, constants, functions, length } = description;
    const key = `${source} ${length} ${Object.values(constants)} ${lengths} ${kinds}`;
    const found = this.kernels.get(key);
    if (found) {
      this.kernels.delete(key);
      this.kernels.set(key, found);
      return found;
    }
    const run = this.gpu.createKernel(source, {
      output: [length],
      constants,
      functions,
      // Results stay on the GPU, each in memory of its own.
      pipeline: true,
      immutable: true,
      precision: "single",
      tactic: "precision",
    });
    const kernel = new CompiledKernel(name, run, this.gpu);
    this.compiled++;
    this.kernels.set(key, kernel);
    this.dropOldest();
    return kernel;
  }

  private dropOldest(): void {
    for (const [key, kernel] of this.kernels) {
      if (this.kernels.size <= this.capacity) return;
      this.kernels.delete(key);
      kernel.drop();
    }
  }

  /** Forgets all kernels: gpu.js is about to destroy them itself, with the context, which it finds through them. */
  forget(): void {
    this.kernels.clear();
  }
}
