// Choosing the backend of the program by name, including the gpu backend, which is loaded on demand, and "auto", which measures.

import { expectObject } from "./arguments.ts";
import type { Backend } from "./backend.ts";
import { ReferenceBackend } from "./backends/reference/backend.ts";
import { isWasmSupported, type WasmOptions } from "./backends/wasm/backend.ts";
import { fastestOf } from "./calibration.ts";
import { backendFromEnvironment, backendNames, createBackend } from "./default-backend.ts";
import { BackendError, showValue } from "./errors.ts";
import { setRootBackend } from "./scope.ts";

/** Options of `useBackend`. */
export interface BackendOptions {
  /** Number of computing threads (wasm). Default: as many as the machine runs at once. */
  readonly threads?: number | undefined;
  /** Build of the wasm backend's kernels; "fastest" may set an experimental flag for the whole process. See WasmOptions. */
  readonly build?: WasmOptions["build"] | undefined;
  /** Called with one line that explains the choice of "auto". */
  readonly onChoice?: ((reason: string) => void) | undefined;
}

/**
 * Opens a backend and sets it for all scopes that do not choose their own. Without a name it opens the default backend, and for
 * "auto" the fastest of a short trial.
 *
 * @throws BackendError for a name that does not exist, or a backend that cannot run here
 */
export async function useBackend(
  name: string | undefined = backendFromEnvironment(),
  options: BackendOptions = {},
): Promise<Backend> {
  expectObject("useBackend", "the options", options);
  if (name !== undefined && typeof name !== "string") {
    throw new BackendError(`useBackend: got ${showValue(name)}, expected one of ${backendNames.join(", ")}`);
  }
  const backend = await openBackend(name, options);
  setRootBackend(backend);
  return backend;
}

async function openBackend(name: string | undefined, { threads, build, onChoice }: BackendOptions): Promise<Backend> {
  const wasmOptions: WasmOptions = { ...(threads !== undefined && { threads }), ...(build !== undefined && { build }) };
  if (name === "gpu") return createGpu();
  if (name !== "auto") return createBackend(name, wasmOptions);
  const openWasm = (): Backend => createBackend("wasm", wasmOptions);
  // Opened here where it is supported, so that a wrong option is an error instead of a reason to choose another backend.
  const wasm = isWasmSupported() ? openWasm() : null;
  const { backend, reason } = await fastestOf([
    { name: "wasm", open: () => wasm ?? openWasm() },
    { name: "gpu", open: createGpu },
    { name: "reference", open: () => new ReferenceBackend() },
  ]);
  onChoice?.(reason);
  return backend;
}

/** Imported dynamically, because gpu.js is an optional dependency. */
async function createGpu(): Promise<Backend> {
  const { createGpuBackend } = await import("./backends/gpu/index.ts");
  return createGpuBackend();
}
