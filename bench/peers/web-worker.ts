// Web Workers for engines that expect a browser: implements the global `Worker` with worker_threads, for scripts from Blob URLs. It
// lets jax-js use as many threads in Node as in a page.
import { resolveObjectURL } from "node:buffer";
import { Worker as NodeWorker } from "node:worker_threads";

/** Defines the global scope of a Web Worker. */
const prelude = `
const { parentPort } = require("node:worker_threads");
globalThis.self = globalThis;
globalThis.postMessage = (message) => parentPort.postMessage(message);
parentPort.on("message", (data) => globalThis.onmessage({ data }));
`;

class WebWorker {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((error: Error) => void) | null = null;
  readonly #worker: Promise<NodeWorker>;

  constructor(url: string) {
    const script = resolveObjectURL(url); // immediately, because the URL may be revoked
    if (!script) throw new Error(`Worker: got ${url}, expected the URL of a Blob`);
    this.#worker = script.text().then((source) => {
      const worker = new NodeWorker(prelude + source, { eval: true });
      worker.on("message", (data) => this.onmessage?.({ data }));
      worker.on("error", (error) => this.onerror?.(error instanceof Error ? error : new Error(String(error))));
      return worker;
    });
  }

  postMessage(message: unknown): void {
    void this.#worker.then((worker) => worker.postMessage(message));
  }

  terminate(): void {
    void this.#worker.then((worker) => worker.terminate());
  }
}

/** Defines `Worker` and the number of threads like a browser. Returns a function that ends the workers, which keep the process running. */
export function installWebWorkers(threads: number): () => void {
  const workers: WebWorker[] = [];
  class Counted extends WebWorker {
    constructor(url: string) {
      super(url);
      workers.push(this);
    }
  }
  Object.assign(globalThis, { Worker: Counted });
  Object.defineProperty(globalThis.navigator, "hardwareConcurrency", { value: threads });
  return () => {
    for (const worker of workers) worker.terminate();
  };
}
