// The gpu.js backend. (Its engineer replaces this file; see docs/adding-a-backend.md.)
import type { Backend } from "../../backend.ts";
import { BackendError } from "../../errors.ts";

export async function createGpuBackend(): Promise<Backend> {
  throw new BackendError('backend: "gpu" is not built yet');
}
