// The backend that a benchmark runs on.
import { type Backend, useBackend, WasmBackend } from "../src/tensor/index.ts";

/**
 * @param name  --backend, else TRM_BACKEND, else the default
 * @param threads  0 for as many as the machine has
 * @returns the backend, that of the root scope now, in the fastest build as in `trm`, with the number of threads that it really has
 */
export async function loadBenchBackend(name?: string, threads = 0): Promise<{ backend: Backend; threads: number }> {
  const onChoice = (reason: string): void => console.error(reason);
  const backend = await useBackend(name, { threads: threads || undefined, build: "fastest", onChoice });
  return { backend, threads: backend instanceof WasmBackend ? backend.runtime.threads : 1 };
}
