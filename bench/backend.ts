// The backend that a benchmark runs on, by name.
import { type Backend, BackendError, ReferenceBackend } from "../src/tensor/index.ts";

/**
 * @param name  --backend, else TRM_BACKEND, else the fastest that runs here
 * @param threads  0 for as many as the machine has
 */
export async function loadBenchBackend(
  name = process.env.TRM_BACKEND ?? "wasm",
  threads = 0,
): Promise<{ backend: Backend; threads: number }> {
  if (name === "reference") return { backend: new ReferenceBackend(), threads: 1 };
  if (name === "wasm") {
    const { WasmBackend } = await import("../src/tensor/backends/wasm/backend.ts");
    const backend = new WasmBackend(threads > 0 ? { threads } : {});
    return { backend, threads: backend.runtime.threads };
  }
  throw new BackendError(`--backend: got "${name}", expected reference or wasm`);
}
