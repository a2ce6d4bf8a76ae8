// The WebAssembly backend: SIMD kernels and threads for the operations of a training step, and reference loops on the same memory
// for all others, and for float64 and int32.
import { expectObject } from "../../arguments.ts";
import type { Backend, FusedKernels, Kernels } from "../../backend.ts";
import type { DType } from "../../dtype.ts";
import { BackendError } from "../../errors.ts";
import type { Tensor } from "../../tensor.ts";
import { referenceFusedKernels, referenceKernels } from "../reference/backend.ts";
import { selfAttention, selfAttentionBackward } from "./attention.ts";
import * as elementwise from "./elementwise.ts";
import type { KernelName } from "./kernel-fields.ts";
import { matmul } from "./matmul.ts";
import { type Build, chooseBuild, supportedBuilds } from "./module.ts";
import * as norms from "./norms.ts";
import { hardwareThreads } from "./platform.node.ts";
import { initialScratchBytes, type KernelTime, WasmRuntime } from "./runtime.ts";
import { WasmStorage } from "./storage.ts";
import { swigluBlock, swigluBlockBackward } from "./swiglu.ts";

/** Options of `WasmBackend`. */
export interface WasmOptions {
  /** Number of computing threads, including the calling thread: 1 to 1024. Default: as many as the machine runs at once. */
  readonly threads?: number;
  /**
   * "plain"; "relaxed", with fused multiply-add; "wide", which sets an experimental flag of V8 for the whole process (see Build);
   * or the "fastest" that runs here. Default: the environment variable TRM_WASM_BUILD, else relaxed where it runs, else plain.
   */
  readonly build?: Build | "fastest";
  /** Upper limit of the memory in bytes: 1 MB to 4 GB. Default: 4 GB. */
  readonly memoryLimit?: number;
  /** Whether the memory is shared between threads. Default: true where SharedArrayBuffer exists. */
  readonly shared?: boolean;
}

/** Whether this engine has WebAssembly SIMD, which the backend needs. */
export const isWasmSupported = (): boolean => supportedBuilds().length > 0;

/** The backend of WebAssembly kernels with SIMD and threads. */
export class WasmBackend implements Backend {
  readonly name = "wasm";
  readonly build: string;
  readonly kernels: Kernels;
  readonly fused: Partial<FusedKernels>;
  readonly fusedTypes: readonly DType[] = ["float32"];
  readonly runtime: WasmRuntime;

  /**
   * @throws BackendError if WebAssembly SIMD (see isWasmSupported) or the requested build is missing, or a number is out of range
   */
  constructor(options: WasmOptions = {}) {
    expectObject("WasmBackend", "the options", options);
    const threads = threadsFrom(options);
    const build = chooseBuild(options.build);
    const canShare = typeof SharedArrayBuffer !== "undefined";
    const shared = options.shared ?? canShare;
    if (!canShare && options.threads !== 1) {
      warnOnce("no SharedArrayBuffer here (the page is not cross-origin isolated)");
    }
    this.runtime = new WasmRuntime(build, threads, shared, options.memoryLimit);
    this.build = `${build} SIMD, ${this.runtime.threads} thread${this.runtime.threads === 1 ? "" : "s"}`;
    this.kernels = kernelsOn(this.runtime);
    this.fused = fusedKernelsOn(this.runtime);
  }

  allocate(length: number, dtype: DType): WasmStorage {
    return new WasmStorage(this, this.runtime, dtype, length);
  }

  memory(): { liveBytes: number; reservedBytes: number } {
    const { heap, ownBytes } = this.runtime;
    return { liveBytes: heap.liveBytes - ownBytes, reservedBytes: heap.reservedBytes };
  }

  /** Starts measuring the time of every kernel from zero, or stops. */
  profile(on: boolean): void {
    this.runtime.profile(on);
  }

  kernelTimes(): ReadonlyMap<KernelName, KernelTime> {
    return this.runtime.kernelTimes();
  }

  dispose(): void {
    this.runtime.dispose();
  }
}

/** Most threads: beyond it the JavaScript engines of the workers alone need gigabytes. */
const mostThreads = 1024;
/** Memory for each thread, at least: its scratch memory, which grows with the sizes of a model. */
const bytesPerThread = 4 * initialScratchBytes;

/** The number of threads. @throws BackendError for a number out of range */
function threadsFrom({ threads, memoryLimit = 2 ** 32 }: WasmOptions): number {
  if (!(memoryLimit >= 2 ** 20 && memoryLimit <= 2 ** 32)) {
    throw new BackendError(`wasm backend: got memoryLimit ${memoryLimit} bytes, expected ${2 ** 20} to ${2 ** 32}`);
  }
  const most = Math.min(mostThreads, Math.floor(memoryLimit / bytesPerThread));
  if (threads === undefined) return Math.min(hardwareThreads(), most);
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new BackendError(`wasm backend: got threads ${threads}, expected a whole number of at least 1`);
  }
  if (threads > most) {
    throw new BackendError(
      `wasm backend: got threads ${threads}, expected at most ${most} with a memory limit of ${memoryLimit / 2 ** 20} MB`,
    );
  }
  return threads;
}

const warned = new Set<string>();
function warnOnce(reason: string): void {
  if (warned.has(reason)) return;
  warned.add(reason);
  console.warn(`wasm backend: ${reason}; it runs on one thread`);
}

const isFloat32 = (tensor: Tensor): boolean => tensor.dtype === "float32";

/** Whether a number is about the same in float32: neither too large nor denormal. */
const keepsItsSize = (number: number): boolean =>
  number === 0 || !Number.isFinite(number) || (Number.isFinite(Math.fround(number)) && Math.abs(number) >= 2 ** -126);

/** The reference kernels, with fast kernels for float32. */
function kernelsOn(runtime: WasmRuntime): Kernels {
  const reference = referenceKernels;
  return {
    ...reference,
    unary(name, out, x) {
      if (!isFloat32(x) || !elementwise.unary(runtime, name, out, x)) reference.unary(name, out, x);
    },
    binary(name, out, a, b) {
      if (!isFloat32(a) || !elementwise.binary(runtime, name, out, a, b)) reference.binary(name, out, a, b);
    },
    affine(out, x, scale, shift) {
      if (isFloat32(x) && [scale, shift].every(keepsItsSize)) elementwise.affine(runtime, out, x, scale, shift);
      else reference.affine(out, x, scale, shift);
    },
    matmul(out, a, b, transposeA, transposeB) {
      if (isFloat32(a)) matmul(runtime, out, a, b, transposeA, transposeB);
      else reference.matmul(out, a, b, transposeA, transposeB);
    },
    adamAtan2(p, m, v, gradient, settings) {
      if (isFloat32(p)) elementwise.adamAtan2(runtime, p, m, v, gradient, settings);
      else reference.adamAtan2(p, m, v, gradient, settings);
    },
    movingAverage(average, value, rate) {
      if (isFloat32(average)) elementwise.movingAverage(runtime, average, value, rate);
      else reference.movingAverage(average, value, rate);
    },
  };
}

function fusedKernelsOn(runtime: WasmRuntime): Partial<FusedKernels> {
  return {
    ...referenceFusedKernels,
    siluGate: (...operands) => norms.siluGate(runtime, ...operands),
    siluGateBackward: (...operands) => norms.siluGateBackward(runtime, ...operands),
    addRmsNorm: (...operands) => norms.addRmsNorm(runtime, ...operands),
    addRmsNormBackward: (...operands) => norms.addRmsNormBackward(runtime, ...operands),
    selfAttention: (...operands) => selfAttention(runtime, ...operands),
    selfAttentionBackward: (...operands) => selfAttentionBackward(runtime, ...operands),
    swigluBlock: (...operands) => swigluBlock(runtime, ...operands),
    swigluBlockBackward: (...operands) => swigluBlockBackward(runtime, ...operands),
  };
}
