// Which build of the kernels runs here, compiled. The binaries are embedded as text, so no file has to be found.
import { BackendError } from "../../errors.ts";
import { plainBinary, relaxedBinary, wideBinary } from "./generated/binary.ts";
import { canJoinVectors, enableRelaxedSimd, enableWideVectors } from "./platform.node.ts";

/**
 * "plain" SIMD; "relaxed" SIMD, which has fused multiply-add; "wide", the same with twice as wide tiles for engines that join
 * neighbouring vectors of four into registers of eight (and much too wide for others). It computes the same bits as "relaxed".
 *
 * The joining is an experimental part of V8's compiler (Node 24 or newer, x64), and its flag changes how every WebAssembly
 * module of the process is compiled, also those of other libraries. That is the program's decision, which a library does not take
 * behind its user's back: "wide" runs only when asked for, by name or as the "fastest". The `trm` program asks for that.
 */
export type Build = "wide" | "relaxed" | "plain";

const builds: readonly Build[] = ["wide", "relaxed", "plain"];

export interface KernelExports {
  runTasks(job: number, count: number, share: number): void;
}

/** The builds that this engine accepts as it is, the fastest first; empty where WebAssembly has no SIMD. */
export function supportedBuilds(): Build[] {
  if (typeof WebAssembly === "undefined") return [];
  enableRelaxedSimd();
  return (["relaxed", "plain"] as const).filter((build) => WebAssembly.validate(binary(build)));
}

/**
 * @param asked  a build, or the "fastest" that works here, experimental flags included; if left out, the fastest that needs
 *   none. The environment variable TRM_WASM_BUILD comes before these two, not before a name.
 * @throws BackendError if there is no such build, or none that this engine runs
 */
export function chooseBuild(asked?: Build | "fastest"): Build {
  const isOpen = asked === undefined || asked === "fastest";
  const name = isOpen ? globalThis.process?.env?.TRM_WASM_BUILD || undefined : asked;
  if (name === undefined && asked === "fastest" && canJoinVectors()) return "wide";
  const build = name === undefined ? supportedBuilds()[0] : builds.find((known) => known === name);
  if (build) return build;
  if (name === undefined) throw new BackendError("wasm backend: this engine has no WebAssembly SIMD");
  throw new BackendError(`wasm backend: got the build "${name}", expected one of ${builds.join(", ")}`);
}

/**
 * @param shared  whether the memory will be shared between threads
 * @throws BackendError if this engine does not run the build
 */
export function compile(build: Build, shared: boolean): WebAssembly.Module {
  enableRelaxedSimd();
  if (build === "wide") enableWideVectors();
  const bytes = binary(build);
  if (!WebAssembly.validate(bytes)) {
    throw new BackendError(`wasm backend: this engine does not run the ${build} SIMD build`);
  }
  if (!shared) importUnsharedMemory(bytes);
  return new WebAssembly.Module(bytes);
}

function binary(build: Build): Uint8Array<ArrayBuffer> {
  const text = { wide: wideBinary, relaxed: relaxedBinary, plain: plainBinary }[build];
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
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
