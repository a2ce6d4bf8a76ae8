// The device runs kernels on contents and returns new contents. All calls of gpu.js kernels are in this file.
import { AsyncQueue, type CommandQueue, ImmediateQueue } from "./command-queue.ts";
import { Contents, type LiveArrays } from "./contents.ts";
import type { DeviceArray, KernelMaker } from "./gpujs.ts";
import { type CompiledKernel, type InputKind, KernelCache, type KernelDescription } from "./kernel-cache.ts";

/** Most elements of a tensor: kernels divide index + 0.5 in float32, which has halves below this number only. */
export const maxLength = 2 ** 23;

/** The largest integer up to which float32 is exact. */
export const largestInteger = 2 ** 24;

/** With this many kernels or fewer, running out of memory has another cause. */
const minimumKernels = 8;

export class Device {
  readonly cache: KernelCache;
  readonly live: LiveArrays = { count: 0, bytes: 0 };
  /** Kernel launches, arrays copied to the device, and arrays copied back, for reports. */
  readonly counts = { launches: 0, uploads: 0, downloads: 0 };
  private readonly queue: CommandQueue;

  constructor(
    private readonly gpu: KernelMaker,
    maxKernels: number,
  ) {
    this.cache = new KernelCache(gpu, maxKernels);
    this.queue = gpu.mode === "webgpu" ? new AsyncQueue() : new ImmediateQueue();
  }

  /** Whether contents are plain arrays in JavaScript memory. */
  get isHost(): boolean {
    return this.gpu.mode === "cpu" || this.gpu.mode === "webasm";
  }

  /** Launches a kernel. Its inputs are retained until it has run, so the caller may free or replace them immediately. */
  launch(description: KernelDescription, inputs: readonly (Contents | number)[]): Contents {
    const arrays = inputs.filter((input) => typeof input !== "number");
    const kernel = this.cache.kernelFor(
      description,
      arrays.map((input) => input.length),
      inputs.map((input): InputKind => (typeof input === "number" ? "number" : "device")),
    );
    for (const array of arrays) array.retain();
    return this.enqueue(
      kernel,
      description.length,
      () => inputs.map((input) => (typeof input === "number" ? input : input.value)),
      () => {
        for (const array of arrays) array.release();
      },
    );
  }

  /** Copies numbers from JavaScript memory. The device keeps `values`; the caller must not change it afterwards. */
  upload(values: Float32Array): Contents {
    const { length } = values;
    this.counts.uploads++;
    if (this.isHost) {
      const contents = new Contents(length, this.live, null);
      contents.resolve(values);
      return contents;
    }
    const description = { name: "upload", source: uploadSource, constants: {}, functions: [], length };
    const kernel = this.cache.kernelFor(description, [length], ["host"]);
    return this.enqueue(kernel, length, () => [values]);
  }

  /** Reads numbers back after all earlier launches have run. */
  async download(contents: Contents): Promise<Float32Array> {
    this.counts.downloads++;
    contents.retain();
    try {
      await this.queue.idle();
      return await contents.read();
    } finally {
      contents.release();
    }
  }

  private enqueue(
    kernel: CompiledKernel,
    length: number,
    inputs: () => (DeviceArray | number)[],
    afterwards = () => {},
  ): Contents {
    const out = new Contents(length, this.live, kernel);
    out.retain(); // for the command, until it has run
    const succeed = (result: DeviceArray): void => {
      out.resolve(result);
      kernel.checkClass();
    };
    const fail = (error: unknown): void => out.fail(error);
    const finish = (): void => {
      afterwards();
      out.release();
    };
    this.counts.launches++;
    this.queue.push(() => {
      try {
        const result = this.call(kernel, inputs());
        if (result instanceof Promise) return result.then(succeed).catch(fail).finally(finish);
        succeed(result);
      } catch (error) {
        fail(error);
      }
      finish();
    });
    // If the kernel has run already, its error is thrown here.
    out.throwIfFailed();
    return out;
  }

  private call(kernel: CompiledKernel, inputs: (DeviceArray | number)[]): DeviceArray | Promise<DeviceArray> {
    try {
      return kernel.call(...inputs);
    } catch (error) {
      // Each webasm kernel has its own WebAssembly memory, and a page can have about a hundred of them. Halve the cache and retry once.
      const isOutOfMemory = error instanceof RangeError && this.cache.size > minimumKernels;
      if (!isOutOfMemory) throw error;
      this.cache.resize(Math.max(minimumKernels, Math.floor(this.cache.size / 2)));
      return kernel.call(...inputs);
    }
  }

  /** Destroys all kernels and the context. Commands that are still queued run before that, or fail. */
  destroy(): Promise<void> {
    this.cache.forget();
    return this.gpu.destroy();
  }
}

const uploadSource = `function (x) {
  return x[this.thread.x];
}`;
