// The WebAssembly backend: SIMD kernels and threads for what a training step is made of, reference loops on the same memory
// for the rest (and for float64 and int32).
import type { Backend, FusedKernels, Kernels } from "../../backend.ts";
import { BackendError } from "../../errors.ts";
import type { DType } from "../../storage.ts";
import type { Tensor } from "../../tensor.ts";
import { referenceFusedKernels, referenceKernels } from "../reference/backend.ts";
import { selfAttention, selfAttentionBackward } from "./attention.ts";
import * as elementwise from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { type Build, chooseBuild, supportedBuilds } from "./module.ts";
import * as norms from "./norms.ts";
import { hardwareThreads } from "./platform.node.ts";
import { type KernelName, type KernelTime, WasmRuntime } from "./runtime.ts";
import { WasmStorage } from "./storage.ts";
import { swigluBlock, swigluBlockBackward } from "./swiglu.ts";

export interface WasmOptions {
  /** Threads that compute, the calling one included: 1 or more. Default: as many as the machine runs at once. */
  readonly threads?: number;
  /**
   * "plain"; "relaxed", with fused multiply-add; "wide", which sets an experimental flag of V8 for the whole process (see Build);
   * or the "fastest" of them here. Default: the environment variable TRM_WASM_BUILD, else relaxed where it runs, else plain.
   */
  readonly build?: Build | "fastest";
  /** How far memory may grow, in bytes: 1 MB to 4 GB, which is the default. */
  readonly memoryLimit?: number;
  /** Whether threads share the memory. Default: wherever SharedArrayBuffer exists. */
  readonly shared?: boolean;
}

/** Whether this engine runs the backend at all: whether it has WebAssembly SIMD. */
export const isWasmSupported = (): boolean => supportedBuilds().length > 0;

export class WasmBackend implements Backend {
  readonly name = "wasm";
  readonly build: string;
  readonly kernels: Kernels;
  readonly fused: Partial<FusedKernels>;
  readonly fusedTypes: readonly DType[] = ["float32"];
  readonly runtime: WasmRuntime;

  /**
   * @throws BackendError where WebAssembly SIMD is missing (see isWasmSupported) or the build that was asked for, and for numbers
   *   out of range
   */
  constructor(options: WasmOptions = {}) {
    checkNumbers(options);
    const build = chooseBuild(options.build);
    const canShare = typeof SharedArrayBuffer !== "undefined";
    const shared = options.shared ?? canShare;
    if (!canShare && options.threads !== 1)
      sayOnce("no SharedArrayBuffer here (the page is not cross-origin isolated)");
    this.runtime = new WasmRuntime(build, options.threads ?? hardwareThreads(), shared, options.memoryLimit);
    const { threads } = this.runtime;
    this.build = `${build} SIMD, ${threads} thread${threads === 1 ? "" : "s"}`;
    this.kernels = kernelsOn(this.runtime);
    this.fused = fusedKernelsOn(this.runtime);
  }

  allocate(length: number, dtype: DType): WasmStorage {
    return new WasmStorage(this, this.runtime, dtype, length);
  }

  memory(): { liveBytes: number; reservedBytes: number } {
    const { liveBytes, reservedBytes } = this.runtime.heap;
    return { liveBytes, reservedBytes };
  }

  /** Starts counting the time of every kernel from zero, or stops counting. */
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

function checkNumbers({ threads = 1, memoryLimit = 2 ** 32 }: WasmOptions): void {
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new BackendError(`wasm backend: got ${threads} threads, expected a whole number of at least 1`);
  }
  if (!(memoryLimit >= 2 ** 20 && memoryLimit <= 2 ** 32)) {
    throw new BackendError(
      `wasm backend: got a memory limit of ${memoryLimit} bytes, expected ${2 ** 20} to ${2 ** 32}`,
    );
  }
}

const said = new Set<string>();
function sayOnce(reason: string): void {
  if (said.has(reason)) return;
  said.add(reason);
  console.warn(`wasm backend: ${reason}; it runs on one thread`);
}

const isFloat32 = (tensor: Tensor): boolean => tensor.dtype === "float32";

/** The reference kernels, overridden for float32. */
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
      if (isFloat32(x)) elementwise.affine(runtime, out, x, scale, shift);
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
