// Chooses and compiles the build of the kernels. The builds that run in a page are embedded as text, so that no file has to be located.
import { BackendError } from "../../errors.ts";
import { plainBinary, relaxedBinary } from "./generated/binary.ts";
import {
  canJoinVectors,
  enableRelaxedSimd,
  enableWideVectors,
  hasWideBinary,
  readWideBinary,
} from "./platform.node.ts";

/**
 * "plain" SIMD; "relaxed" SIMD, which has fused multiply-add; "wide", the same with tiles twice as wide, for engines that join
 * two neighbouring vectors of four into one register of eight. "wide" computes the same bits as "relaxed", and is slow on other
 * engines.
 *
 * Joining vectors is an experimental part of V8's compiler (Node 24 or newer, x64), and its flag changes how every WebAssembly
 * module of the process is compiled, including those of other libraries. A library must not make that decision for a program, so
 * "wide" runs only on request, by name or as the "fastest". The `trm` program requests the fastest.
 */
export type Build = "wide" | "relaxed" | "plain";

const builds: readonly Build[] = ["wide", "relaxed", "plain"];

export interface KernelExports {
  runTasks(job: number, count: number, share: number): void;
}

/** The builds that this engine runs without experimental flags, the fastest first. Empty if WebAssembly has no SIMD. */
export function supportedBuilds(): Build[] {
  if (typeof WebAssembly === "undefined") return [];
  enableRelaxedSimd();
  return (["relaxed", "plain"] as const).filter((build) => WebAssembly.validate(binary(build)));
}

/**
 * @param requested  a build, or the "fastest" that runs here, including those with experimental flags. Default: the fastest that
 *   needs no flag. The environment variable TRM_WASM_BUILD takes precedence over "fastest" and the default, but not over a build.
 * @throws BackendError if the build does not exist, or this engine runs none
 */
export function chooseBuild(requested?: Build | "fastest"): Build {
  const isOpen = requested === undefined || requested === "fastest";
  const name = isOpen ? globalThis.process?.env?.TRM_WASM_BUILD || undefined : requested;
  if (name === undefined && requested === "fastest" && canJoinVectors() && hasWideBinary()) return "wide";
  const build = name === undefined ? supportedBuilds()[0] : builds.find((known) => known === name);
  if (build) return build;
  if (name === undefined) throw new BackendError("wasm backend: this engine has no WebAssembly SIMD");
  throw new BackendError(`wasm backend: got the build "${name}", expected one of ${builds.join(", ")}`);
}

/**
 * @param shared  whether the module's memory is shared between threads
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
  if (build === "wide") return readWideBinary();
  const text = build === "relaxed" ? relaxedBinary : plainBinary;
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/**
 * Rewrites the byte that declares the imported memory as shared. A page that is not cross-origin isolated has no shared memory,
 * and a module must declare the kind that it imports.
 */
function importUnsharedMemory(bytes: Uint8Array): void {
  // "env" "memory", kind 2 (memory), then the flags: 1 for a maximum plus 2 for shared.
  const pattern = [3, ...encode("env"), 6, ...encode("memory"), 2, 3];
  const at = bytes.findIndex((_, i) => pattern.every((value, j) => bytes[i + j] === value));
  bytes[at + pattern.length - 1] = 1;
}

const encode = (text: string): number[] => [...text].map((char) => char.charCodeAt(0));
