// What the backend asks of Node, and what it does instead in a page or a Web Worker. Node's modules are fetched through
// `process.getBuiltinModule`, which bundlers leave alone and which does not exist elsewhere.
import type { Worker as NodeWorker } from "node:worker_threads";
import { BackendError } from "../../errors.ts";

const builtin: typeof process.getBuiltinModule | undefined = globalThis.process?.getBuiltinModule?.bind(process);

/** 0 outside Node. */
const nodeMajor = Number.parseInt(globalThis.process?.versions?.node ?? "0", 10);

/** Node 20 hides relaxed SIMD behind a flag that may be set until the first module that uses it is compiled. */
export function enableRelaxedSimd(): void {
  if (nodeMajor < 22) builtin?.("node:v8").setFlagsFromString("--experimental-wasm-relaxed-simd");
}

/**
 * Whether V8's revectorizer works here: it joins pairs of 128-bit operations into 256-bit ones on x64 with AVX2, from V8 13
 * (Node 24) on. Node 22 has the flag, but its version leaves our loops alone.
 */
export const canJoinVectors = (): boolean => nodeMajor >= 24 && globalThis.process?.arch === "x64" && hasAvx2();

/** Only Linux can be asked. Elsewhere it is assumed; TRM_WASM_BUILD=relaxed helps where that is wrong, and slow. */
function hasAvx2(): boolean {
  try {
    return /\bavx2\b/.test(builtin?.("node:fs").readFileSync("/proc/cpuinfo", "utf8") ?? "");
  } catch {
    return true; // no /proc/cpuinfo: not Linux
  }
}

/** Turns the revectorizer on, for the whole process. @throws BackendError where it does not work */
export function enableWideVectors(): void {
  if (!canJoinVectors()) {
    const { arch, version } = globalThis.process ?? {};
    const here = nodeMajor ? `Node ${version} on ${arch}` : "no Node";
    throw new BackendError(
      `wasm backend: the wide SIMD build needs Node 24 or newer on x64 with AVX2; this is ${here}`,
    );
  }
  builtin?.("node:v8").setFlagsFromString("--experimental-wasm-revectorize");
}

/** How many threads can run at once. */
export function hardwareThreads(): number {
  return builtin?.("node:os").availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** A helping thread of either platform. */
export interface Helper {
  terminate(): void;
}

/** What a helping thread is sent. */
export interface HelperMessage {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly job: number;
  readonly thread: number;
  /** Address of the word that becomes 1 if the thread traps. */
  readonly trapped: number;
}

// Source text, so that it runs alike from TypeScript, compiled files and bundles. `serve` never returns; if it traps, the caller, who
// waits in WebAssembly, can learn it from memory alone.
const serve = `({ module, memory, job, thread, trapped }) => {
  const { serve } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  try {
    serve(job, thread);
  } catch {
    Atomics.store(new Int32Array(memory.buffer), trapped / 4, 1);
  }
}`;

/** Starts a helping thread. It does not keep Node's process alive. */
export function startHelper(message: HelperMessage): Helper {
  if (builtin) {
    const { Worker } = builtin("node:worker_threads");
    const source = `(${serve})(require("node:worker_threads").workerData)`;
    // Without execArgv the thread would first load what the main thread was started with (tsx, test hooks).
    const worker: NodeWorker = new Worker(source, { eval: true, workerData: message, execArgv: [], stderr: false });
    worker.unref();
    return { terminate: () => void worker.terminate() };
  }
  const source = `onmessage = ({ data }) => (${serve})(data)`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.postMessage(message);
  URL.revokeObjectURL(url);
  return worker;
}
