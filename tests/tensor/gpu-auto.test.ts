// The backend "auto": a short calibration of all backends that can run, and the reason that it reports.
import { afterEach, expect, it, vi } from "vitest";
import { fastestOf } from "../../src/tensor/calibration.ts";
import { type Backend, ReferenceBackend, setRootBackend, tensor, useBackend } from "../../src/tensor/index.ts";

afterEach(() => {
  setRootBackend(new ReferenceBackend());
  vi.unstubAllEnvs();
});

it("auto times every backend, uses the fastest for new tensors, and reports the times", async () => {
  vi.stubEnv("TRM_GPU_MODE", "cpu");
  let reason = "";
  const backend = await useBackend("auto", {
    threads: 1,
    onChoice: (text) => {
      reason = text;
    },
  });
  const all = reason.match(/^(\w+) chosen; a sample of training took: (.*)$/)!;
  expect(all[1]).toBe(backend.name);
  const times = [...all[2]!.matchAll(/(\w+) (\S+) ms/g)].map(([, name, time]) => ({ name, time: Number(time) }));
  expect(times.map(({ name }) => name).toSorted()).toEqual(["gpu", "reference", "wasm"]);
  expect(times[0]).toEqual({ name: backend.name, time: Math.min(...times.map(({ time }) => time)) });
  backend.dispose();
});

it("auto reports backends that cannot run and disposes those that it does not choose", async () => {
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

it("auto keeps a backend open that holds tensors, because it was in use before", async () => {
  const [used, unused] = [new ReferenceBackend(), new ReferenceBackend()];
  const disposals = [vi.spyOn(used, "dispose"), vi.spyOn(unused, "dispose")];
  const weights = tensor([1, 2], { backend: used });
  const matmul = (): void => {
    throw new Error("no products here");
  };
  for (const each of [used, unused]) Object.assign(each.kernels, { matmul });
  await fastestOf([
    { name: "used", open: () => used },
    { name: "unused", open: () => unused },
    { name: "sound", open: () => new ReferenceBackend() },
  ]);
  expect(disposals.map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
  weights.dispose();
});

it("auto disposes a backend that fails during the calibration and releases the tensors of the sample", async () => {
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

it("auto refuses wrong options instead of choosing a backend that ignores them", async () => {
  await expect(useBackend("auto", { threads: 0 })).rejects.toThrow(
    "wasm backend: got threads 0, expected a whole number",
  );
  await expect(useBackend("auto", { build: "narrow" as "plain" })).rejects.toThrow("narrow");
});

it("auto is rejected where the default backend must be created synchronously", async () => {
  const { defaultBackend } = await import("../../src/tensor/index.ts");
  vi.stubEnv("TRM_BACKEND", "auto");
  setRootBackend(undefined as unknown as Backend);
  expect(() => defaultBackend()).toThrow(
    'backend: "auto" is loaded asynchronously, call `await useBackend("auto")` first',
  );
});
