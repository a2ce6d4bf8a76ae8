// Which backend new tensors are made on: that of the current scope, else the chosen one, else the default: WebAssembly where
// SIMD is there, otherwise plain loops.
import type { Backend } from "./backend.ts";
import { ReferenceBackend } from "./backends/reference/backend.ts";
import { isWasmSupported, WasmBackend } from "./backends/wasm/backend.ts";
import { BackendError } from "./errors.ts";
import { scopedBackend, setRootBackend } from "./scope.ts";

export const backendNames = ["reference", "wasm", "gpu"] as const;
export type BackendName = (typeof backendNames)[number];

export interface BackendOptions {
  /** Threads that compute (wasm). Default: as many as the machine runs at once. */
  readonly threads?: number | undefined;
}

/** The backend of the current scope; on first use outside any choice, that of TRM_BACKEND or the default, which is then kept. */
export function defaultBackend(): Backend {
  const chosen = scopedBackend();
  if (chosen) return chosen;
  const backend = createBackend(globalThis.process?.env?.TRM_BACKEND);
  setRootBackend(backend);
  return backend;
}

/**
 * Loads a backend and makes it that of all scopes that do not choose their own; the default one if no name is given.
 *
 * @throws BackendError for a name that does not exist, or a backend that cannot run here
 */
export async function useBackend(name?: string, options: BackendOptions = {}): Promise<Backend> {
  const asked = name ?? globalThis.process?.env?.TRM_BACKEND;
  const backend = asked === "gpu" ? await createGpu() : createBackend(asked, options);
  setRootBackend(backend);
  return backend;
}

/** Loaded only when asked for: gpu.js is an optional dependency. */
async function createGpu(): Promise<Backend> {
  const { createGpuBackend } = await import("./backends/gpu/index.ts");
  return createGpuBackend();
}

function createBackend(name: string | undefined, { threads }: BackendOptions = {}): Backend {
  const wasmOptions = threads === undefined ? {} : { threads };
  switch (name) {
    case undefined:
    case "":
      if (isWasmSupported()) return new WasmBackend(wasmOptions);
      console.warn("trm-ts: this engine has no WebAssembly SIMD; the plain reference backend runs instead");
      return new ReferenceBackend();
    case "wasm":
      return new WasmBackend(wasmOptions);
    case "reference":
      return new ReferenceBackend();
    case "gpu":
      throw new BackendError('backend: "gpu" is loaded asynchronously, call `await useBackend("gpu")` first');
    default:
      throw new BackendError(`backend: got "${name}", expected one of ${backendNames.join(", ")}`);
  }
}
