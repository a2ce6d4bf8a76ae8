// Which backend new tensors are made on: that of the current scope, else the chosen one, else the default: WebAssembly where
// SIMD is there, otherwise plain loops.
import type { Backend } from "./backend.ts";
import { ReferenceBackend } from "./backends/reference/backend.ts";
import { isWasmSupported, WasmBackend, type WasmOptions } from "./backends/wasm/backend.ts";
import { BackendError } from "./errors.ts";
import { scopedBackend, setRootBackend } from "./scope.ts";

export const backendNames = ["reference", "wasm", "gpu", "auto"] as const;
export type BackendName = (typeof backendNames)[number];

export interface BackendOptions {
  /** Threads that compute (wasm). Default: as many as the machine runs at once. */
  readonly threads?: number | undefined;
  /** Build of the wasm backend's kernels; "fastest" may set an experimental flag for the whole process. See WasmOptions. */
  readonly build?: WasmOptions["build"] | undefined;
  /** Told in one line why "auto" chose what it chose. */
  readonly onChoice?: ((reason: string) => void) | undefined;
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
 * Loads a backend and makes it that of all scopes that do not choose their own; the default one if no name is given, the fastest of a
 * short trial for "auto".
 *
 * @throws BackendError for a name that does not exist, or a backend that cannot run here
 */
export async function useBackend(name?: string, options: BackendOptions = {}): Promise<Backend> {
  const asked = name ?? globalThis.process?.env?.TRM_BACKEND;
  const backend = await openBackend(asked, options);
  setRootBackend(backend);
  return backend;
}

async function openBackend(name: string | undefined, options: BackendOptions): Promise<Backend> {
  if (name === "gpu") return createGpu();
  if (name !== "auto") return createBackend(name, options);
  const { fastestOf } = await import("./calibration.ts");
  const { backend, reason } = await fastestOf([
    { name: "wasm", open: () => createBackend("wasm", options) },
    { name: "gpu", open: createGpu },
    { name: "reference", open: () => new ReferenceBackend() },
  ]);
  options.onChoice?.(reason);
  return backend;
}

/** Loaded only when asked for: gpu.js is an optional dependency. */
async function createGpu(): Promise<Backend> {
  const { createGpuBackend } = await import("./backends/gpu/index.ts");
  return createGpuBackend();
}

function createBackend(name: string | undefined, { threads, build }: BackendOptions = {}): Backend {
  const wasmOptions: WasmOptions = { ...(threads !== undefined && { threads }), ...(build !== undefined && { build }) };
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
    case "auto":
      throw new BackendError(`backend: "${name}" is loaded asynchronously, call \`await useBackend("${name}")\` first`);
    default:
      throw new BackendError(`backend: got "${name}", expected one of ${backendNames.join(", ")}`);
  }
}
