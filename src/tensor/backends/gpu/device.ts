// The device: runs kernels on contents and gives new contents. Everything that calls gpu.js at run time is here.
import { AsyncQueue, type CommandQueue, ImmediateQueue } from "./command-queue.ts";
import { Contents, type LiveArrays } from "./contents.ts";
import type { DeviceArray, KernelMaker } from "./gpujs.ts";
import { type CompiledKernel, type InputKind, KernelCache, type KernelDescription } from "./kernel-cache.ts";

/** Index arithmetic in kernels is done in float32, which counts exactly up to here. */
export const maxLength = 2 ** 24;

/** Below this many kernels, lack of memory has another reason. */
const fewestKernels = 8;

export class Device {
  readonly cache: KernelCache;
  readonly live: LiveArrays = { count: 0, bytes: 0 };
  /** What was done so far, for reports: kernels run, arrays brought to the device, arrays brought back. */
  readonly counts = { launches: 0, uploads: 0, downloads: 0 };
  private readonly queue: CommandQueue;

  constructor(
    private readonly gpu: KernelMaker,
    maxKernels: number,
  ) {
    this.cache = new KernelCache(gpu, maxKernels);
    this.queue = gpu.mode === "webgpu" ? new AsyncQueue() : new ImmediateQueue();
  }

  /** Whether numbers are plain arrays in JavaScript memory. */
  get isHost(): boolean {
    return this.gpu.mode === "cpu" || this.gpu.mode === "webasm";
  }

  /** Runs a kernel. The inputs may be freed or replaced by the caller at once: they are kept until it has run. */
  launch(description: KernelDescription, inputs: readonly (Contents | number)[]): Contents {
    const arrays = inputs.filter((input) => typeof input !== "number");
    const kernel = this.cache.kernelFor(
      description,
      arrays.map((input) => input.length),
      inputs.map((input): InputKind => (typeof input === "number" ? "number" : "device")),
    );
    for (const array of arrays) array.retain();
    return this.run(
      kernel,
      description.length,
      () => inputs.map((input) => (typeof input === "number" ? input : input.value)),
      () => {
        for (const array of arrays) array.release();
      },
    );
  }

  /** Numbers from JavaScript memory. `values` is taken over: it must not be changed afterwards. */
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
    return this.run(kernel, length, () => [values]);
  }

  /** A copy of numbers in JavaScript memory, once all that was launched before has run. */
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

  private run(
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
    // Where kernels run at once, their errors are told at once.
    out.throwIfFailed();
    return out;
  }

  private call(kernel: CompiledKernel, inputs: (DeviceArray | number)[]): DeviceArray | Promise<DeviceArray> {
    try {
      return kernel.run(...inputs);
    } catch (error) {
      // Each webasm kernel has a memory of its own, and a page may have about a hundred: keep fewer kernels, and try once more.
      const isFull = error instanceof RangeError && this.cache.size > fewestKernels;
      if (!isFull) throw error;
      this.cache.resize(Math.max(fewestKernels, Math.floor(this.cache.size / 2)));
      return kernel.run(...inputs);
    }
  }

  /** What waits in the queue is lost. */
  destroy(): Promise<void> {
    this.cache.forget();
    return this.gpu.destroy();
  }
}

const uploadSource = `function (x) {
  return x[this.thread.x];
}`;
