// The functions that differ between Node and a page or Web Worker. Node's modules are loaded through `process.getBuiltinModule`,
// which bundlers do not resolve and which does not exist elsewhere.
import type { Worker as NodeWorker } from "node:worker_threads";
import { BackendError } from "../../errors.ts";

const builtin: typeof process.getBuiltinModule | undefined = globalThis.process?.getBuiltinModule?.bind(process);

/** 0 outside Node. Bun and Deno report the version of Node that they imitate. */
const nodeMajor = Number.parseInt(globalThis.process?.versions?.node ?? "0", 10);

/** In Node 20 relaxed SIMD needs a flag, which can be set until the first module that uses it is compiled. */
export function enableRelaxedSimd(): void {
  if (nodeMajor < 22) builtin?.("node:v8").setFlagsFromString("--experimental-wasm-relaxed-simd");
}

/**
 * Whether V8's revectorizer works here. It joins pairs of 128-bit operations into 256-bit operations, on x64 with AVX2, from V8 13
 * (Node 24) on. Node 22 has the flag, but its version does not change our loops. In Bun and Deno the flag cannot be set.
 */
export const canJoinVectors = (): boolean =>
  nodeMajor >= 24 && !("Bun" in globalThis || "Deno" in globalThis) && globalThis.process?.arch === "x64" && hasAvx2();

/** Read from /proc on Linux, assumed elsewhere. If the assumption is wrong, the wide build is slow; use TRM_WASM_BUILD=relaxed. */
function hasAvx2(): boolean {
  try {
    return /\bavx2\b/.test(builtin?.("node:fs").readFileSync("/proc/cpuinfo", "utf8") ?? "");
  } catch {
    return true; // no /proc/cpuinfo: not Linux
  }
}

/** Turns the revectorizer on for the whole process. @throws BackendError if it does not work here */
export function enableWideVectors(): void {
  if (!canJoinVectors()) {
    const { arch, version } = globalThis.process ?? {};
    const other = "Bun" in globalThis ? "Bun" : "Deno" in globalThis ? "Deno" : undefined;
    const here = other ?? (nodeMajor ? `Node ${version} on ${arch}` : "no Node");
    throw new BackendError(
      `wasm backend: the wide SIMD build needs Node 24 or newer on x64 with AVX2; this is ${here}`,
    );
  }
  builtin?.("node:v8").setFlagsFromString("--experimental-wasm-revectorize");
}

/**
 * The wide build is a separate file: only Node runs it, so no page should load it. The address is not written as
 * `new URL(..., import.meta.url)`, because bundlers copy a file that is named like that into the bundle.
 */
function wideBinaryFile(): URL {
  const here = import.meta.url;
  return new URL("generated/wide.wasm", here);
}

/** Whether the file of the wide build is there. It is not if a bundler has moved this module. */
export function hasWideBinary(): boolean {
  try {
    return builtin?.("node:fs").existsSync(wideBinaryFile()) ?? false;
  } catch {
    return false; // no import.meta.url: a bundle in CommonJS
  }
}

/** @throws BackendError if the file is missing */
export function readWideBinary(): Uint8Array<ArrayBuffer> {
  if (!builtin || !hasWideBinary()) {
    throw new BackendError("wasm backend: generated/wide.wasm, the wide SIMD build, is not beside this module");
  }
  return Uint8Array.from(builtin("node:fs").readFileSync(wideBinaryFile()));
}

/** Number of threads that can run at once. */
export function hardwareThreads(): number {
  return builtin?.("node:os").availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Whether a helping thread can fail to start without an error event. Node reports every failure. */
export const helpersMayFailSilently = builtin === undefined;

/** A helping thread: a Worker of Node or of the Web. */
export interface Helper {
  terminate(): void;
}

/** The message that starts a helping thread. */
export interface HelperMessage {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly job: number;
  readonly thread: number;
  /** Address of the word that becomes 1 if the thread traps. */
  readonly trapped: number;
}

// Source text, so that it runs the same from TypeScript, compiled files and bundles. `serve` never returns. The caller waits in
// WebAssembly, so a trap is reported through memory.
const serve = `({ module, memory, job, thread, trapped }) => {
  const { serve } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  try {
    serve(job, thread);
  } catch {
    Atomics.store(new Int32Array(memory.buffer), trapped / 4, 1);
  }
}`;

/**
 * Starts a helping thread, which does not keep Node's process alive.
 *
 * @param onFailure  called with the reason if the thread cannot start, for example because a Content-Security-Policy forbids workers
 *   from a blob: address, or Node's permission model forbids threads; the other threads then do its work
 */
export function startHelper(message: HelperMessage, onFailure: (reason: string) => void): Helper {
  try {
    return builtin ? startInNode(builtin, message, onFailure) : startInPage(message, onFailure);
  } catch (error) {
    onFailure(String(error));
    return { terminate: () => {} };
  }
}

function startInNode(
  load: typeof process.getBuiltinModule,
  message: HelperMessage,
  onFailure: (reason: string) => void,
): Helper {
  const { Worker } = load("node:worker_threads");
  const source = `(${serve})(require("node:worker_threads").workerData)`;
  // An empty execArgv keeps the thread from loading the hooks of the main thread (tsx, test runners).
  const worker: NodeWorker = new Worker(source, { eval: true, workerData: message, execArgv: [], stderr: false });
  worker.unref();
  worker.on("error", (error) => onFailure(String(error)));
  return { terminate: () => void worker.terminate() };
}

function startInPage(message: HelperMessage, onFailure: (reason: string) => void): Helper {
  const source = `onmessage = ({ data }) => (${serve})(data)`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    const worker = new Worker(url);
    worker.onerror = ({ message: reason }) => onFailure(reason || "the page refuses workers from blob: addresses");
    worker.postMessage(message);
    return worker;
  } finally {
    URL.revokeObjectURL(url);
  }
}
