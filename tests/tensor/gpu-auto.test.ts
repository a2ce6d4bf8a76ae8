// The backend "auto": a short trial of those that run here, and what is said of it.
import { afterEach, expect, it, vi } from "vitest";
import { fastestOf } from "../../src/tensor/calibration.ts";
import { type Backend, ReferenceBackend, setRootBackend, useBackend } from "../../src/tensor/index.ts";

afterEach(() => {
  setRootBackend(new ReferenceBackend());
  vi.unstubAllEnvs();
});

it("tries all backends, makes the fastest that of new tensors, and says why", async () => {
  vi.stubEnv("TRM_GPU_MODE", "cpu");
  let reason = "";
  const backend = await useBackend("auto", {
    threads: 1,
    onChoice: (told) => {
      reason = told;
    },
  });
  const all = reason.match(/^(\w+) chosen; a sample of training took: (.*)$/)!;
  expect(all[1]).toBe(backend.name);
  const times = [...all[2]!.matchAll(/(\w+) (\S+) ms/g)].map(([, name, time]) => ({ name, time: Number(time) }));
  expect(times.map(({ name }) => name).toSorted()).toEqual(["gpu", "reference", "wasm"]);
  expect(times[0]).toEqual({ name: backend.name, time: Math.min(...times.map(({ time }) => time)) });
  backend.dispose();
});

it("names those that cannot run, and disposes those that were not chosen", async () => {
  const made: (Backend & { isDisposed?: boolean })[] = [];
  const open = (): Backend => {
    const backend: Backend & { isDisposed?: boolean } = new ReferenceBackend();
    backend.dispose = () => {
      backend.isDisposed = true;
    };
    made.push(backend);
    return backend;
  };
  const refuse = (): Backend => {
    throw new Error("no such thing");
  };
  const { backend, reason } = await fastestOf([
    { name: "a", open },
    { name: "b", open: refuse },
    { name: "c", open },
  ]);
  expect(reason).toContain("b cannot run (no such thing)");
  expect(made.map((each) => each.isDisposed ?? false)).toEqual(made.map((each) => each !== backend));
  await expect(fastestOf([{ name: "b", open: refuse }])).rejects.toThrow("no such thing");
});

it("disposes a backend that opens and then fails in the sample, and leaves nothing of the sample", async () => {
  class Failing extends ReferenceBackend {
    override readonly kernels = {
      ...new ReferenceBackend().kernels,
      matmul(): void {
        throw new Error("no products here");
      },
    };
  }
  const failing = new Failing();
  const dispose = vi.spyOn(failing, "dispose");
  const { reason } = await fastestOf([
    { name: "failing", open: () => failing },
    { name: "sound", open: () => new ReferenceBackend() },
  ]);
  expect(reason).toContain("failing cannot run (no products here)");
  expect(dispose).toHaveBeenCalledOnce();
  expect(failing.memory().liveBytes).toBe(0);
});

it("is not possible where nothing can be awaited", async () => {
  const { defaultBackend } = await import("../../src/tensor/index.ts");
  vi.stubEnv("TRM_BACKEND", "auto");
  setRootBackend(undefined as unknown as Backend);
  expect(() => defaultBackend()).toThrow(
    'backend: "auto" is loaded asynchronously, call `await useBackend("auto")` first',
  );
});
