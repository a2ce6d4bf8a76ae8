// Which build of the kernels runs.
import { afterEach, describe, expect, it, vi } from "vitest";
import { WasmBackend } from "../../src/tensor/backends/wasm/backend.ts";
import { chooseBuild, supportedBuilds } from "../../src/tensor/backends/wasm/module.ts";
import { canJoinVectors } from "../../src/tensor/backends/wasm/platform.node.ts";
import { BackendError } from "../../src/tensor/index.ts";

describe("the build that runs", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("is never wide unless asked for", () => {
    vi.stubEnv("TRM_WASM_BUILD", "");
    expect(supportedBuilds()).toEqual(["relaxed", "plain"]);
    expect(chooseBuild()).toBe("relaxed");
  });

  it("is, as the fastest, wide where V8 joins vectors, unless TRM_WASM_BUILD names another", () => {
    vi.stubEnv("TRM_WASM_BUILD", "");
    expect(chooseBuild("fastest")).toBe(canJoinVectors() ? "wide" : "relaxed");
    vi.stubEnv("TRM_WASM_BUILD", "plain");
    expect(chooseBuild("fastest")).toBe("plain");
  });

  it("is the one that TRM_WASM_BUILD names, or the option, which comes first", () => {
    vi.stubEnv("TRM_WASM_BUILD", "plain");
    const [fromEnvironment, fromOption] = [undefined, "relaxed" as const].map(
      (build) => new WasmBackend({ threads: 1, ...(build && { build }) }),
    );
    expect(fromEnvironment!.build).toBe("plain SIMD, 1 thread");
    expect(fromOption!.build).toBe("relaxed SIMD, 1 thread");
    vi.stubEnv("TRM_WASM_BUILD", "wide");
    expect(chooseBuild()).toBe("wide");
  });

  it("must be one that there is", () => {
    vi.stubEnv("TRM_WASM_BUILD", "fast");
    expect(() => new WasmBackend({ threads: 1 })).toThrow(BackendError);
    expect(() => new WasmBackend({ threads: 1 })).toThrow('got the build "fast", expected one of wide, relaxed, plain');
  });

  it.skipIf(canJoinVectors())("is refused where V8 cannot join vectors", () => {
    expect(() => new WasmBackend({ threads: 1, build: "wide" })).toThrow(BackendError);
    expect(() => new WasmBackend({ threads: 1, build: "wide" })).toThrow(
      `the wide SIMD build needs Node 24 or newer on x64 with AVX2; this is Node ${process.version}`,
    );
  });
});

describe("numbers out of range are refused, before a thread is started", () => {
  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("%d threads", (threads) => {
    expect(() => new WasmBackend({ threads })).toThrow(
      new BackendError(`wasm backend: got ${threads} threads, expected a whole number of at least 1`),
    );
  });

  it.each([0, -1, 1e5, 2 ** 33, Number.NaN, Number.POSITIVE_INFINITY])("a limit of %d bytes", (memoryLimit) => {
    expect(() => new WasmBackend({ threads: 1, memoryLimit })).toThrow(
      new BackendError(`wasm backend: got a memory limit of ${memoryLimit} bytes, expected 1048576 to 4294967296`),
    );
  });
});
