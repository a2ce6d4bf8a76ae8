// Enables the threads of tfjs's WebAssembly backend in Node, where tfjs disables them. Its worker scripts are Blobs, from which
// worker_threads cannot start, so they are written to files first. tfjs itself is not modified.
import { resolveObjectURL } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";

const require = createRequire(import.meta.url);
type Listener = (...values: unknown[]) => void;
type Message = { readonly urlOrBlob?: unknown };

/** The text of the worker script refers to imports of the tfjs bundle by these names. */
const imports = `var require$$0 = require("fs"), require$$1 = require("path"), require$$3 = require("perf_hooks"),
  require$$4 = require("os"), commonjsGlobal = globalThis;\n`;

/** Must be called before the backend starts. Returns a function that ends the threads. */
export function allowThreads(threads: number): () => void {
  const folder = mkdtempSync(join(tmpdir(), "tfjs-"));
  let files = 0;
  const write = (text: string): string => {
    const path = join(folder, `${files++}.cjs`);
    writeFileSync(path, text);
    return path;
  };
  const workerThreads = require("node:worker_threads") as { Worker: typeof Worker };
  const NodeWorker = workerThreads.Worker;
  const workers: BlobWorker[] = [];

  class BlobWorker {
    #listeners: [string, Listener][] = [];
    #worker: Worker | undefined;
    readonly #started: Promise<Worker>;

    constructor(url: string) {
      const script = resolveObjectURL(url);
      if (!script) throw new Error(`Worker: got ${url}, expected the URL of a Blob`);
      workers.push(this);
      this.#started = script.text().then((text) => {
        this.#worker = new NodeWorker(write(text));
        for (const [event, listener] of this.#listeners) this.#worker.on(event as "message", listener);
        return this.#worker;
      });
    }

    on(event: string, listener: Listener): this {
      if (this.#worker) this.#worker.on(event as "message", listener);
      else this.#listeners.push([event, listener]);
      return this;
    }

    postMessage(message: Message): void {
      // Synchronously if possible: the caller may wait for the thread without returning to the event loop.
      if (this.#worker && !(message.urlOrBlob instanceof Blob)) this.#worker.postMessage(message);
      else void this.#postLater(message);
    }

    async #postLater(message: Message): Promise<void> {
      const worker = await this.#started;
      const { urlOrBlob } = message;
      if (!(urlOrBlob instanceof Blob)) worker.postMessage(message);
      else worker.postMessage({ ...message, urlOrBlob: write(imports + (await urlOrBlob.text())) });
    }

    ref(): void {
      this.#worker?.ref();
    }

    unref(): void {
      this.#worker?.unref();
    }

    async terminate(): Promise<void> {
      await (await this.#started).terminate();
    }
  }

  workerThreads.Worker = BlobWorker as unknown as typeof Worker;
  // tfjs uses at most half of the processors that it sees.
  const os = require("node:os") as { cpus: () => unknown[] };
  const [processor] = os.cpus();
  os.cpus = () => Array.from({ length: 2 * threads }, () => processor);

  return () => {
    for (const worker of workers) void worker.terminate();
    rmSync(folder, { recursive: true });
  };
}
