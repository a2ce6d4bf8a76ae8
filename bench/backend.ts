// Opens the backend for a benchmark.
import { type Backend, useBackend, WasmBackend } from "../src/tensor/index.ts";

/**
 * Opens a backend in its fastest build, as the command line does, and makes it the backend of the root scope.
 *
 * @param name  default: TRM_BACKEND, else the default backend
 * @param threads  0 for all processors
 * @returns the backend and its actual number of threads
 */
export async function loadBenchBackend(name?: string, threads = 0): Promise<{ backend: Backend; threads: number }> {
  const onChoice = (reason: string): void => console.error(reason);
  const backend = await useBackend(name, { threads: threads || undefined, build: "fastest", onChoice });
  return { backend, threads: backend instanceof WasmBackend ? backend.runtime.threads : 1 };
}
