// The gpu backend apart from its kernels: opening it, its error messages, asynchronous modes, index arithmetic, kernel memory.
import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, it, vi } from "vitest";
import { GpuBackend } from "../../src/tensor/backends/gpu/backend.ts";
import { AsyncQueue } from "../../src/tensor/backends/gpu/command-queue.ts";
import {
  type DeviceArray,
  type DeviceHandle,
  GpuJs,
  isHandle,
  type KernelMaker,
  type KernelSettings,
} from "../../src/tensor/backends/gpu/gpujs.ts";
import { createGpuBackend } from "../../src/tensor/backends/gpu/index.ts";
import { collapse, coordinates, position } from "../../src/tensor/backends/gpu/index-arithmetic.ts";
import { launch } from "../../src/tensor/backends/gpu/launch.ts";
import { BackendError, empty, scope, sum, tanh, tensor } from "../../src/tensor/index.ts";
import { runCase } from "../gpu/suite/case.ts";
import { kernelCases } from "../gpu/suite/kernels.ts";
import { memoryCases } from "../gpu/suite/memory.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.doUnmock("gpu.js");
});

describe("loading gpu.js", () => {
  it("importing trm-ts does not load gpu.js; opening the backend does", () => {
    const script = `
      import { createRequire } from "node:module";
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes("gpu.js"));
      await import("./src/index.ts");
      const before = loaded();
      const { createGpuBackend } = await import("./src/tensor/backends/gpu/index.ts");
      const imported = loaded();
      await createGpuBackend({ mode: "cpu" });
      console.log(before, imported, loaded());`;
    const run = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    expect(run.stderr).toBe("");
    expect(run.stdout.trim()).toBe("false false true");
  });

  it("opening the backend without gpu.js reports how to install it", async () => {
    vi.doMock("gpu.js", () => {
      throw new Error("Cannot find package 'gpu.js'");
    });
    await expect(createGpuBackend({ mode: "cpu" })).rejects.toThrow(
      new BackendError("gpu backend: gpu.js is not installed, expected it beside trm-ts: npm install gpu.js"),
    );
  });
});

describe("modes of the gpu backend", () => {
  const build = async (mode?: "auto"): Promise<string> => {
    const backend = await createGpuBackend(mode ? { mode } : {});
    backend.dispose();
    return backend.build;
  };

  it("TRM_GPU_MODE chooses the mode, and an option overrides it", async () => {
    vi.stubEnv("TRM_GPU_MODE", "cpu");
    expect(await build()).toBe("gpu.js cpu, CPUKernel");
    expect(await build("auto")).toMatch(/^gpu\.js webasm, WebAssemblyKernel, chosen because /);
  });

  it("auto reports why it did not choose a better mode", async () => {
    expect(await build()).toBe(
      "gpu.js webasm, WebAssemblyKernel, chosen because webgpu: no WebGPU adapter (a page or worker with WebGPU is needed); webgl2: no WebGL2 context (a page or worker with WebGL2 is needed); headlessgl: no headless GL (npm install gl, and an X display: xvfb-run -a)",
    );
  });

  it("after dispose, the backend opens again in the same or another mode", async () => {
    for (const mode of ["cpu", "webasm", "cpu"] as const) {
      const backend = await createGpuBackend({ mode });
      const x = tensor([1, 2], { backend });
      expect(await scope(() => sum(x)).item()).toBe(3);
      backend.dispose();
      backend.dispose();
      x.dispose();
    }
  });

  it("an unknown mode and a mode that cannot run here are rejected", async () => {
    vi.stubEnv("TRM_GPU_MODE", "cuda");
    await expect(createGpuBackend()).rejects.toThrow(
      'gpu backend: got mode "cuda", expected one of webgpu, webgl2, headlessgl, webasm, cpu, auto',
    );
    await expect(createGpuBackend({ mode: "webgl2" })).rejects.toThrow(
      "gpu backend: got mode webgl2, which cannot run here: no WebGL2 context",
    );
  });

  it("a kernel that gpu.js runs as another class is an error", async () => {
    const gpu = await GpuJs.open("webasm");
    const quiet = vi.spyOn(console, "warn").mockImplementation(() => {});
    // A constant of a type that webasm does not support makes gpu.js fall back to the cpu.
    const pair = { constants: { pair: [1, 2] }, constantTypes: { pair: "Array(2)" } };
    const settings = { output: [2], ...pair } as unknown as KernelSettings;
    const kernel = gpu.createKernel("function () { return 1; }", settings);
    await kernel();
    expect(quiet).toHaveBeenCalled();
    quiet.mockRestore();
    expect(() => gpu.checkClass(kernel, "kernel one")).toThrow(
      /^gpu backend: kernel one ran as CPUKernel, expected WebAssemblyKernel \(constant "pair" of type Array\(2\) is not supported/,
    );
    await gpu.destroy();
  });
});

describe("asynchronous modes", () => {
  type Input = DeviceArray | number;

  /** The cpu mode, but returning promises of handles instead of arrays, as WebGPU does (and every mode of gpu.js 3 will). */
  async function asyncBackend(): Promise<GpuBackend> {
    const gpu = await GpuJs.open("cpu");
    const asyncMaker: KernelMaker = {
      mode: "webgpu",
      createKernel: (source, settings) => {
        const kernel = gpu.createKernel(source, settings);
        const run = async (...inputs: readonly Input[]): Promise<DeviceHandle> => {
          await new Promise((resolve) => setTimeout(resolve, 0));
          const arrays = inputs.map((input) =>
            typeof input === "object" && isHandle(input) ? input.toArray() : input,
          );
          const result = (await kernel(...((await Promise.all(arrays)) as Input[]))) as Float32Array;
          return { toArray: () => Promise.resolve(result), delete: () => {} };
        };
        return Object.assign(run, { kernel: kernel.kernel, destroy: () => kernel.destroy() });
      },
      checkClass: () => {},
      destroyKernel: (kernel) => kernel.destroy(),
      destroy: () => gpu.destroy(),
    };
    return GpuBackend.open(asyncMaker, 64, "", () => {});
  }

  const some = kernelCases.filter(({ name }) => /optimizer|rows by index|in-place|empty/.test(name));
  it.each([...some, memoryCases[1]!].map((one) => [one.name, one] as const))(
    "in an asynchronous mode: %s",
    async (_, one) => {
      const backend = await asyncBackend();
      await runCase(one, backend);
      backend.dispose();
    },
  );

  it("an error is thrown when a dependent tensor is read, and not by other tensors", async () => {
    const backend = await asyncBackend();
    const x = tensor([1, 2], { backend });
    const good = scope(() => tanh(x));
    const bad = scope(() => {
      const broken = empty([2], "float32", backend);
      launch({ name: "broken", out: broken, inputs: [x], source: "function (x) { return nothing(x); }" });
      return tanh(broken);
    });
    await expect(bad.data()).rejects.toThrow();
    expect(await good.data()).toEqual(Float32Array.of(Math.fround(Math.tanh(1)), Math.fround(Math.tanh(2))));
    backend.dispose();
  });

  it("queued commands run in order, including commands pushed while others run", async () => {
    const queue = new AsyncQueue();
    const order: number[] = [];
    const command = (i: number, wait: number) => async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, wait));
      order.push(i);
      if (i < 3) queue.push(command(i + 10, 0));
    };
    [5, 0, 2].forEach((wait, i) => {
      queue.push(command(i, wait));
    });
    await queue.idle();
    expect(order).toEqual([0, 1, 2, 10, 11, 12]);
    await queue.idle();
  });
});

describe("index arithmetic", () => {
  it("coordinates and positions of a matrix and of its transpose are the expected expressions", () => {
    expect(coordinates([2, 3])).toBe(
      "const i0 = Math.floor((this.thread.x + 0.5) / 3);\n  const i0Rest = this.thread.x - i0 * 3;\n  const i1 = i0Rest;",
    );
    expect(position([3, 1])).toBe("i0 * 3 + i1");
    expect(position([1, 2], 5)).toBe("5 + i0 + i1 * 2");
    expect(position([0, 0])).toBe("0");
  });

  it("contiguous neighbouring axes are merged and axes of length 1 are dropped", () => {
    expect(collapse({ shape: [2, 1, 3, 4], strides: [[12, 12, 4, 1]] })).toEqual({ shape: [24], strides: [[1]] });
    expect(
      collapse({
        shape: [2, 3, 4],
        strides: [
          [12, 4, 1],
          [0, 0, 1],
        ],
      }),
    ).toEqual({
      shape: [6, 4],
      strides: [
        [4, 1],
        [0, 1],
      ],
    });
    expect(collapse({ shape: [], strides: [[]] })).toEqual({ shape: [], strides: [[]] });
  });
});

describe("memory of compiled kernels", () => {
  it("when a kernel runs out of memory, the cache shrinks and the kernel runs again", async () => {
    const gpu = await GpuJs.open("cpu");
    let alive = 0;
    const scarce: KernelMaker = {
      mode: "webasm",
      createKernel: (source, settings) => {
        const kernel = gpu.createKernel(source, settings);
        let isBuilt = false;
        const run = (...inputs: readonly (DeviceArray | number)[]) => {
          if (!isBuilt && alive >= 20) throw new RangeError("WebAssembly.Memory(): could not allocate memory");
          if (!isBuilt) alive++;
          isBuilt = true;
          return kernel(...inputs);
        };
        return Object.assign(run, { kernel: kernel.kernel, destroy: () => alive-- });
      },
      checkClass: () => {},
      destroyKernel: (kernel) => kernel.destroy(),
      destroy: () => gpu.destroy(),
    };
    const backend = await GpuBackend.open(scarce, 512, "", () => {});
    for (let length = 1; length <= 50; length++) {
      const x = tensor(new Float32Array(length).fill(1), { backend });
      const total = scope(() => sum(x));
      expect(await total.item()).toBe(length);
      for (const each of [x, total]) each.dispose();
    }
    expect(backend.statistics().cached).toBeLessThan(20);
    backend.dispose();
  });
});

describe("synchronous failures", () => {
  it("a kernel that does not compile throws at its launch and leaks nothing", async () => {
    const backend = await createGpuBackend({ mode: "cpu" });
    const out = tensor([1], { backend });
    const before = backend.statistics().liveArrays;
    expect(() => launch({ name: "bad", out, inputs: [out], source: "function (x) { return nothing(x); }" })).toThrow();
    expect(backend.statistics().liveArrays).toBe(before);
    expect(await scope(() => sum(out)).item()).toBe(1);
    backend.dispose();
  });
});
