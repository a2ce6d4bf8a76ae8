// The gpu backend runs its kernels through gpu.js: on WebGPU or WebGL2 in a page, on headless GL in Node, and in gpu.js's webasm and
// cpu modes anywhere. docs/adding-a-backend.md explains these files.
import type { Backend, FusedKernels, Kernels } from "../../backend.ts";
import type { DType } from "../../dtype.ts";
import { BackendError } from "../../errors.ts";
import { Device } from "./device.ts";
import { type GpuMode, gpuName, type KernelMaker, kernelClasses } from "./gpujs.ts";
import * as attention from "./kernels/attention.ts";
import * as data from "./kernels/data.ts";
import * as elementwise from "./kernels/elementwise.ts";
import * as losses from "./kernels/losses.ts";
import { matmul } from "./kernels/matmul.ts";
import * as optimizers from "./kernels/optimizers.ts";
import * as reductions from "./kernels/reductions.ts";
import * as rows from "./kernels/rows.ts";
import { GpuStorage } from "./storage.ts";

const { fill, cast, unary, affine, binary, select } = elementwise;
const { copyStrided, insert, gatherRows, scatterAddRows } = data;
const { siluGate, siluGateBackward, addRmsNorm, addRmsNormBackward } = rows;

/** Counters of the device, for reports and leak tests. */
export interface GpuStatistics {
  /** Number of kernel launches, of arrays copied to the device, and of arrays copied back. */
  readonly launches: number;
  readonly uploads: number;
  readonly downloads: number;
  /** Number of kernels compiled so far, and of kernels in the cache. */
  readonly compiled: number;
  readonly cached: number;
  /** Number of existing textures, buffers or arrays, and their size in bytes (4 per element). */
  readonly liveArrays: number;
  readonly liveArrayBytes: number;
}

export class GpuBackend implements Backend {
  readonly name = "gpu";
  readonly kernels: Kernels = {
    fill,
    cast,
    unary,
    affine,
    binary,
    select,
    copyStrided,
    insert,
    gatherRows,
    scatterAddRows,
    ...reductions,
    matmul,
    ...optimizers,
  };
  readonly fused: Partial<FusedKernels> = {
    siluGate,
    siluGateBackward,
    addRmsNorm,
    addRmsNormBackward,
    ...losses,
    ...attention,
  };
  /** float64 is computed as float32: see storage.ts. */
  readonly fusedTypes: readonly DType[] = ["float32", "float64"];
  readonly mode: GpuMode;
  private description = "";
  private gpu: string | null = null;
  private liveBytes = 0;
  private isDisposed = false;
  private readonly device: Device;

  private constructor(
    maker: KernelMaker,
    maxKernels: number,
    private readonly onDispose: (closed: Promise<void>) => void,
  ) {
    this.mode = maker.mode;
    this.device = new Device(maker, maxKernels);
  }

  /**
   * Opens the backend and runs one kernel to verify that the mode works and which class of kernels runs.
   * @param note  the reason for choosing this mode, appended to `build`
   */
  static async open(
    maker: KernelMaker,
    maxKernels: number,
    note: string,
    onDispose: (closed: Promise<void>) => void,
  ): Promise<GpuBackend> {
    const backend = new GpuBackend(maker, maxKernels, onDispose);
    const { device } = backend;
    const squares = { name: "probe", source: probeSource, constants: {}, functions: [], length: 3 };
    const numbers = device.upload(Float32Array.of(1, 2, 3));
    const result = device.launch(squares, [numbers]);
    const got = await device.download(result);
    if (got.join() !== "1,4,9") {
      throw new BackendError(
        `gpu backend: the squares of 1, 2, 3 are ${got.join(", ")} in mode ${backend.mode}, expected 1, 4, 9`,
      );
    }
    backend.gpu = gpuName(device.cache.kernelFor(squares, [3], ["device"]).call);
    backend.description = [
      `gpu.js ${backend.mode}`,
      kernelClasses[backend.mode],
      ...(backend.gpu ? [backend.gpu] : []),
      ...(note ? [note] : []),
    ].join(", ");
    numbers.release();
    result.release();
    return backend;
  }

  /** Mode, class of the kernels (verified on each kernel's first run), GPU, and the reason for this mode. */
  get build(): string {
    return this.description;
  }

  /** The gpu.js class of the kernels. */
  get kernelClass(): string {
    return kernelClasses[this.mode];
  }

  /** Name of the GPU, or null if there is none or the platform does not reveal it. */
  get gpuName(): string | null {
    return this.gpu;
  }

  allocate(length: number, dtype: DType): GpuStorage {
    const bytes = 4 * length;
    const storage = new GpuStorage(this, dtype, length, this.device, () => {
      this.liveBytes -= bytes;
    });
    this.liveBytes += bytes;
    return storage;
  }

  /** Bytes of the live tensors, and of the arrays on the device (contents shared by several tensors count once). */
  memory(): { liveBytes: number; reservedBytes: number } {
    return { liveBytes: this.liveBytes, reservedBytes: this.device.live.bytes };
  }

  /** Limits the number of compiled kernels in the cache. */
  keepKernels(limit: number): void {
    this.device.cache.resize(limit);
  }

  statistics(): GpuStatistics {
    const { counts, cache, live } = this.device;
    return {
      ...counts,
      compiled: cache.compiled,
      cached: cache.size,
      liveArrays: live.count,
      liveArrayBytes: live.bytes,
    };
  }

  /** Releases the context and all memory. A second call has no effect. */
  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    this.onDispose(this.device.destroy());
  }
}

const probeSource = `function (x) {
  return x[this.thread.x] * x[this.thread.x];
}`;
