// The gpu backend: opening it, choosing its mode, and the one instance per process. It is imported dynamically, so that gpu.js stays optional.
// Start reading at backend.ts, then kernels/elementwise.ts and launch.ts; gpujs.ts is the boundary to gpu.js.
// It may import the files of src/tensor, and gpu.js through gpujs.ts.
//
//   backend.ts          the kernels by name, memory accounting
//   storage.ts          storage of a tensor            contents.ts        reference-counted numbers on the device
//   launch.ts           describing a kernel            device.ts          running it
//   kernel-cache.ts     compiled kernels               command-queue.ts   order of asynchronous kernels
//   index-arithmetic.ts, formulas.ts                   fragments of kernel sources
//   kernels/            the kernels, one file per family
import { BackendError } from "../../errors.ts";
import { GpuBackend } from "./backend.ts";
import { availableModes, GpuJs, type GpuMode, gpuModes } from "./gpujs.ts";

export type { GpuBackend, GpuStatistics } from "./backend.ts";
export { availableModes, type GpuMode, gpuModes, kernelClasses } from "./gpujs.ts";

export interface GpuOptions {
  /** A mode, or "auto" for the best mode that runs here. Default: the environment variable TRM_GPU_MODE, else "auto". */
  readonly mode?: GpuMode | "auto" | undefined;
  /** Maximum number of compiled kernels in the cache (512). */
  readonly maxKernels?: number | undefined;
}

/** The only GPU instance of the process: with more than 16 contexts in a page, the first ones silently return zeros. */
let opened: Promise<GpuBackend> | null = null;
/** Resolves when the previous instance is closed. A context created while another one is closing may be closed with it. */
let closed: Promise<void> = Promise.resolve();

/**
 * Opens the gpu backend. There is one per process: further calls return the same backend until its `dispose()`.
 *
 * @throws BackendError if gpu.js is not installed, if the mode cannot run here, or if the backend already runs in another mode
 */
export async function createGpuBackend({ mode, maxKernels = 512 }: GpuOptions = {}): Promise<GpuBackend> {
  const requested = checkedMode(mode ?? (globalThis.process?.env?.TRM_GPU_MODE || "auto"));
  if (opened) {
    const backend = await opened;
    if (requested === "auto" || requested === backend.mode) return backend;
    throw new BackendError(
      `gpu backend: got mode ${requested} while it runs in mode ${backend.mode}, expected one mode per process (dispose the first)`,
    );
  }
  opened = open(requested, maxKernels);
  try {
    return await opened;
  } catch (error) {
    opened = null;
    throw error;
  }
}

async function open(requested: GpuMode | "auto", maxKernels: number): Promise<GpuBackend> {
  await closed;
  if (requested !== "auto") return openMode(requested, maxKernels, "");
  const { modes, reasons } = await availableModes();
  for (const mode of modes) {
    const note = reasons.length > 0 ? `chosen because ${reasons.join("; ")}` : "";
    try {
      return await openMode(mode, maxKernels, note);
    } catch (error) {
      reasons.push(`${mode}: ${(error as Error).message}`);
    }
  }
  throw new BackendError(`gpu backend: no mode runs here: ${reasons.join("; ")}`);
}

async function openMode(mode: GpuMode, maxKernels: number, note: string): Promise<GpuBackend> {
  const gpuJs = await GpuJs.open(mode);
  try {
    return await GpuBackend.open(gpuJs, maxKernels, note, (closing) => {
      opened = null;
      closed = closing.catch(() => {}); // a context that fails to close does not prevent the next one
    });
  } catch (error) {
    await gpuJs.destroy();
    throw error;
  }
}

function checkedMode(mode: string): GpuMode | "auto" {
  const found = [...gpuModes, "auto" as const].find((known) => known === mode);
  if (found) return found;
  throw new BackendError(`gpu backend: got mode "${mode}", expected one of ${gpuModes.join(", ")}, auto`);
}
