// The backend of this worker, and how the page names it beside every number.
import * as tensor from "trm-ts/tensor";
import type { BackendChoice } from "../shared/calls.ts";
import type { Machine } from "../shared/models.ts";

let current: tensor.Backend | null = null;
let chosen = "";

/** Opens a backend and disposes the one before. Does nothing if the choice is the same. */
export async function chooseBackend(choice: BackendChoice): Promise<void> {
  const key = JSON.stringify(choice);
  if (key === chosen) return;
  const { backend, threads } = choice;
  const isShared = typeof SharedArrayBuffer !== "undefined";
  const next = await tensor.useBackend(backend, backend === "wasm" ? { threads: isShared ? threads : 1 } : {});
  if (current !== next) current?.dispose();
  current = next;
  chosen = key;
  if (next instanceof tensor.WasmBackend) await helpersOf(next);
}

/** Waits until the helping threads have started, or two seconds: a page may forbid them, and then they never come. */
async function helpersOf({ runtime }: tensor.WasmBackend): Promise<void> {
  for (let i = 0; i < 80 && runtime.readyHelpers < runtime.threads - 1; i++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** What computes here, in words. Threads are those that have started. */
export function machineOf(model: string): Machine {
  if (!current) throw new Error("machine: no backend is open");
  const threads = current instanceof tensor.WasmBackend ? 1 + current.runtime.readyHelpers : 1;
  return { model, backend: current.name, build: current.build, threads };
}

export const kernelBytes = (): number => current?.memory().liveBytes ?? 0;
