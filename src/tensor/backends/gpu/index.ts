// The gpu backend's door. It is imported dynamically (see load-backend.ts), so that whoever does not ask for it needs no gpu.js.
//
//   index.ts            which mode, and the one instance of the process
//   gpujs.ts            the boundary to gpu.js: its types, its classes of kernels, what can run here
//   backend.ts          the kernels by name, and how memory is counted
//   storage.ts          a place for contents          contents.ts        numbers on the device, counted
//   launch.ts           how a kernel is written       device.ts          how it runs
//   kernel-cache.ts     what has been compiled        command-queue.ts   modes that answer late
//   index-arithmetic.ts, formulas.ts                  what kernel sources are composed of
//   kernels/            the kernels, one file per family
import { BackendError } from "../../errors.ts";
import { GpuBackend } from "./backend.ts";
import { availableModes, GpuJs, type GpuMode, gpuModes } from "./gpujs.ts";

export type { GpuBackend, GpuStatistics } from "./backend.ts";
export { availableModes, type GpuMode, gpuModes, kernelClasses } from "./gpujs.ts";

export interface GpuOptions {
  /** A mode, or "auto" for the best that runs here; by default what the environment variable TRM_GPU_MODE says, else "auto". */
  readonly mode?: GpuMode | "auto" | undefined;
  /** How many compiled kernels are kept (512). */
  readonly maxKernels?: number | undefined;
}

/** One GPU instance per process: beyond 16 contexts in a page, the first ones silently give zeros. */
let opened: Promise<GpuBackend> | null = null;
/** Settles when the instance before is gone: a context that is made while another is being closed may be closed with it. */
let closed: Promise<void> = Promise.resolve();

/**
 * The gpu backend. The process has one: asking again gives the same, until its `dispose()`.
 *
 * @throws BackendError if gpu.js is not installed (it says what to install), if the mode cannot run here (it says why), or if
 *   the backend runs in another mode already
 */
export async function createGpuBackend({ mode, maxKernels = 512 }: GpuOptions = {}): Promise<GpuBackend> {
  const wanted = checkedMode(mode ?? modeOfEnvironment() ?? "auto");
  if (opened) {
    const backend = await opened;
    if (wanted === "auto" || wanted === backend.mode) return backend;
    throw new BackendError(
      `gpu backend: got mode ${wanted} while it runs in mode ${backend.mode}, expected one mode per process (dispose the first)`,
    );
  }
  opened = open(wanted, maxKernels);
  try {
    return await opened;
  } catch (error) {
    opened = null;
    throw error;
  }
}

async function open(wanted: GpuMode | "auto", maxKernels: number): Promise<GpuBackend> {
  await closed;
  if (wanted !== "auto") return openMode(wanted, maxKernels, "");
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
      closed = closing.catch(() => {}); // what cannot be closed is not needed any more either
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

/** TRM_GPU_MODE, where there is an environment. */
function modeOfEnvironment(): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.TRM_GPU_MODE || undefined;
}
