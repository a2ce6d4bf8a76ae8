// Cache of compiled kernels. Compiling takes between 1 ms (cpu) and 90 ms (headless GL). The key is everything that a kernel was
// compiled from: its source (the operation), its constants and lengths (the shapes) and the kinds of its inputs. The least
// recently used kernels are dropped first.
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
 * A kernel and the number of its live results. gpu.js reads and deletes a texture through the kernel that created it, so a kernel
 * dropped from the cache is destroyed only after the last of its results.
 */
export class CompiledKernel {
  private results = 0;
  private isDropped = false;
  private hasRun = false;

  constructor(
    readonly name: string,
    readonly call: GpuKernel,
    private readonly gpu: KernelMaker,
  ) {}

  retain(): void {
    this.results++;
  }

  release(): void {
    this.results--;
    this.destroyIfUnused();
  }

  /** Called when the kernel leaves the cache. */
  drop(): void {
    this.isDropped = true;
    this.destroyIfUnused();
  }

  /** Called after each run; the first call verifies the class. @throws BackendError if gpu.js fell back to another class */
  checkClass(): void {
    if (this.hasRun) return;
    this.gpu.checkClass(this.call, `kernel ${this.name}`);
    this.hasRun = true;
  }

  private destroyIfUnused(): void {
    if (this.isDropped && this.results === 0) this.gpu.destroyKernel(this.call);
  }
}

export class KernelCache {
  /** In order of last use: a Map preserves the order of insertion. */
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

  /** Sets the maximum number of kernels and drops those beyond it. */
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
    const call = this.gpu.createKernel(source, {
      output: [length],
      constants,
      functions,
      // Results stay on the GPU, each in separate memory.
      pipeline: true,
      immutable: true,
      precision: "single",
      tactic: "precision",
    });
    const kernel = new CompiledKernel(name, call, this.gpu);
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

  /** Empties the cache without destroying the kernels: gpu.js destroys them together with the context. */
  forget(): void {
    this.kernels.clear();
  }
}
