// Which build of the kernels runs here, compiled. The binaries are embedded as text, so no file has to be found.
import { BackendError } from "../../errors.ts";
import { plainBinary, relaxedBinary } from "./generated/binary.ts";
import { enableRelaxedSimd } from "./platform.node.ts";

export type Build = "relaxed" | "plain";

export interface KernelExports {
  dispatch(job: number, kernel: number, parameters: number, items: number, grain: number): void;
  runAlone(job: number, kernel: number, parameters: number, items: number): void;
}

/** The builds that this engine accepts, the faster first; empty where WebAssembly has no SIMD. */
export function supportedBuilds(): Build[] {
  if (typeof WebAssembly === "undefined") return [];
  enableRelaxedSimd();
  return (["relaxed", "plain"] as const).filter((build) => WebAssembly.validate(binary(build)));
}

/**
 * @param shared  whether the memory will be shared between threads
 * @throws BackendError if this engine does not accept the build
 */
export function compile(build: Build, shared: boolean): WebAssembly.Module {
  if (!supportedBuilds().includes(build)) {
    throw new BackendError(`wasm backend: this engine does not run the ${build} SIMD build`);
  }
  const bytes = binary(build);
  if (!shared) importUnsharedMemory(bytes);
  return new WebAssembly.Module(bytes);
}

function binary(build: Build): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(build === "relaxed" ? relaxedBinary : plainBinary), (char) => char.charCodeAt(0));
}

/**
 * Rewrites the one byte that says whether the imported memory is shared: a page that is not cross-origin isolated has no
 * shared memory, and a module must say which kind it imports.
 */
function importUnsharedMemory(bytes: Uint8Array): void {
  // "env" "memory", kind 2 (memory), then the flags: 1 has a maximum, 2 shared.
  const pattern = [3, ...encode("env"), 6, ...encode("memory"), 2, 3];
  const at = bytes.findIndex((_, i) => pattern.every((value, j) => bytes[i + j] === value));
  bytes[at + pattern.length - 1] = 1;
}

const encode = (text: string): number[] => [...text].map((char) => char.charCodeAt(0));
