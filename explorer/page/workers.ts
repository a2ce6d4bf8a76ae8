// The workers of the page: one for the model that is shown, one for every training.
import type { Calls } from "../shared/calls.ts";
import { type Caller, callerOf, type Port, type Reply, type Request } from "../shared/protocol.ts";

export interface WorkerHandle {
  readonly call: Caller<Calls>;
  stop(): void;
}

export function startWorker(name: string): WorkerHandle {
  const worker = new Worker(new URL("../worker/main.ts", import.meta.url), { type: "module", name });
  return { call: callerOf<Calls>(worker as unknown as Port<Request, Reply>), stop: () => worker.terminate() };
}

const main = startWorker("model");

/** Calls the worker of the model that is shown. */
export const callWorker = main.call;
