// The backend of new tensors: that of the current scope if it has one, else the one set by `useBackend`, else WebAssembly where
// the engine has SIMD, else plain loops.
import type { Backend } from "./backend.ts";
import { ReferenceBackend } from "./backends/reference/backend.ts";
import { isWasmSupported, WasmBackend, type WasmOptions } from "./backends/wasm/backend.ts";
import { BackendError } from "./errors.ts";
import { scopedBackend, setRootBackend } from "./scope.ts";

/** The names that `useBackend` accepts. */
export const backendNames = ["reference", "wasm", "gpu", "auto"] as const;

/** The backend of the current scope. On first use, if none was chosen, the one named by TRM_BACKEND or the default is set for good. */
export function defaultBackend(): Backend {
  const chosen = scopedBackend();
  if (chosen) return chosen;
  const backend = createBackend(backendFromEnvironment());
  setRootBackend(backend);
  return backend;
}

/** The backend that the environment variable TRM_BACKEND names; undefined if it is not set, and in a page. */
export const backendFromEnvironment = (): string | undefined => globalThis.process?.env?.TRM_BACKEND;

/** Creates a backend that needs no asynchronous loading. @throws BackendError for any other name */
export function createBackend(name: string | undefined, wasmOptions: WasmOptions = {}): Backend {
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
