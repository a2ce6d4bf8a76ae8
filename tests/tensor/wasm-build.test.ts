// Which build of the kernels runs, and the options of the backend.
import { afterEach, describe, expect, it, vi } from "vitest";
import { WasmBackend } from "../../src/tensor/backends/wasm/backend.ts";
import { chooseBuild, supportedBuilds } from "../../src/tensor/backends/wasm/module.ts";
import { canJoinVectors } from "../../src/tensor/backends/wasm/platform.node.ts";
import { BackendError } from "../../src/tensor/index.ts";

describe("the build that runs", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("the wide build never runs by default", () => {
    vi.stubEnv("TRM_WASM_BUILD", "");
    expect(supportedBuilds()).toEqual(["relaxed", "plain"]);
    expect(chooseBuild()).toBe("relaxed");
  });

  it("the fastest build is the wide one where V8 joins vectors, unless TRM_WASM_BUILD names another", () => {
    vi.stubEnv("TRM_WASM_BUILD", "");
    expect(chooseBuild("fastest")).toBe(canJoinVectors() ? "wide" : "relaxed");
    vi.stubEnv("TRM_WASM_BUILD", "plain");
    expect(chooseBuild("fastest")).toBe("plain");
  });

  it("TRM_WASM_BUILD chooses the build, and an explicit option takes precedence", () => {
    vi.stubEnv("TRM_WASM_BUILD", "plain");
    const [fromEnvironment, fromOption] = [undefined, "relaxed" as const].map(
      (build) => new WasmBackend({ threads: 1, ...(build && { build }) }),
    );
    expect(fromEnvironment!.build).toBe("plain SIMD, 1 thread");
    expect(fromOption!.build).toBe("relaxed SIMD, 1 thread");
    vi.stubEnv("TRM_WASM_BUILD", "wide");
    expect(chooseBuild()).toBe("wide");
  });

  it("a build that does not exist is refused", () => {
    vi.stubEnv("TRM_WASM_BUILD", "fast");
    expect(() => new WasmBackend({ threads: 1 })).toThrow(BackendError);
    expect(() => new WasmBackend({ threads: 1 })).toThrow('got the build "fast", expected one of wide, relaxed, plain');
  });

  it("the wide build is not chosen in Bun, which reports a version of Node but cannot set V8's flags", () => {
    vi.stubEnv("TRM_WASM_BUILD", "");
    vi.stubGlobal("Bun", {});
    expect([canJoinVectors(), chooseBuild("fastest")]).toEqual([false, "relaxed"]);
    vi.unstubAllGlobals();
  });

  it.skipIf(canJoinVectors())("the wide build is refused where V8 cannot join vectors", () => {
    expect(() => new WasmBackend({ threads: 1, build: "wide" })).toThrow(BackendError);
    expect(() => new WasmBackend({ threads: 1, build: "wide" })).toThrow(
      `the wide SIMD build needs Node 24 or newer on x64 with AVX2; this is Node ${process.version}`,
    );
  });
});

describe("options out of range are refused before a thread is started", () => {
  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("%d threads are refused", (threads) => {
    expect(() => new WasmBackend({ threads })).toThrow(
      new BackendError(`wasm backend: got threads ${threads}, expected a whole number of at least 1`),
    );
  });

  it("more threads than memory can serve are refused with the limit", () => {
    expect(() => new WasmBackend({ threads: 100_000 })).toThrow(
      new BackendError("wasm backend: got threads 100000, expected at most 1024 with a memory limit of 4096 MB"),
    );
    expect(() => new WasmBackend({ threads: 1025 })).toThrow("got threads 1025, expected at most 1024");
    expect(() => new WasmBackend({ threads: 5, memoryLimit: 2 ** 22 })).toThrow(
      new BackendError("wasm backend: got threads 5, expected at most 4 with a memory limit of 4 MB"),
    );
  });

  it("a small memory limit lowers the default number of threads, and the most that are allowed start", () => {
    const backends = [new WasmBackend({ memoryLimit: 2 ** 20 }), new WasmBackend({ threads: 4, memoryLimit: 2 ** 22 })];
    expect(backends.map(({ runtime }) => runtime.threads)).toEqual([1, 4]);
    for (const backend of backends) backend.dispose();
  });

  it.each([0, -1, 1e5, 2 ** 33, Number.NaN, Number.POSITIVE_INFINITY])(
    "a memory limit of %d bytes is refused",
    (memoryLimit) => {
      expect(() => new WasmBackend({ threads: 1, memoryLimit })).toThrow(
        new BackendError(`wasm backend: got memoryLimit ${memoryLimit} bytes, expected 1048576 to 4294967296`),
      );
    },
  );
});
