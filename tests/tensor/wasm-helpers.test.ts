// Helping threads that cannot start, as in a page whose Content-Security-Policy forbids workers from blob: addresses.
import { afterEach, expect, it, vi } from "vitest";
import { matmul, scope, tensor, WasmBackend } from "../../src/tensor/index.ts";
import { valuesOf } from "./naive.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.resetModules();
});

const numbers = Float32Array.from({ length: 300 * 300 }, (_, i) => Math.sin(i));
const productOn = (backend: WasmBackend): number[] =>
  scope(() => {
    const x = tensor(numbers, { shape: [300, 300], backend });
    return Array.from(valuesOf(matmul(x, x)));
  });

it("a thread that Node refuses is reported once, and the results are the same", async () => {
  const one = new WasmBackend({ threads: 1 });
  const expected = productOn(one);
  one.dispose();

  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  class Refused {
    constructor() {
      throw new Error("Access to this API has been restricted");
    }
  }
  const node = process; // not the stub below
  const load = (name: string) => (name === "node:worker_threads" ? { Worker: Refused } : node.getBuiltinModule(name));
  vi.stubGlobal("process", { ...process, getBuiltinModule: load });
  vi.resetModules();
  const { WasmBackend: Restricted } = await import("../../src/tensor/index.ts");
  const backend = new Restricted({ threads: 3, build: one.runtime.build });
  expect(productOn(backend)).toEqual(expected);
  expect(warn.mock.calls).toEqual([
    [
      "wasm backend: a helping thread does not run (Error: Access to this API has been restricted); the work continues with fewer threads",
    ],
  ]);
  backend.dispose();
});

it.each([
  ["throws", "SecurityError: blocked"],
  ["reports an error event", "blocked by the policy"],
])("a Worker that %s is reported once, and the results are the same", async (how, reason) => {
  const one = new WasmBackend({ threads: 1 });
  const expected = productOn(one);
  one.dispose();

  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  class Refused {
    onerror: ((event: { message: string }) => void) | null = null;
    constructor() {
      if (how === "throws") throw Object.assign(new Error("blocked"), { name: "SecurityError" });
      setTimeout(() => this.onerror?.({ message: reason }), 1);
    }
    postMessage(): void {}
    terminate(): void {}
  }
  vi.stubGlobal("Worker", Refused);
  // Outside Node, the helpers are Workers of the Web.
  vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
  vi.resetModules();
  const { WasmBackend: InPage } = await import("../../src/tensor/index.ts");
  const page = new InPage({ threads: 3, build: one.runtime.build });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(warn.mock.calls).toEqual([
    [`wasm backend: a helping thread does not run (${reason}); the work continues with fewer threads`],
  ]);
  expect(productOn(page)).toEqual(expected);
  expect(page.runtime.readyHelpers).toBe(0);
  page.dispose();
});

/** A page whose workers neither start nor report an error, with a clock that the test moves. */
async function pageOfSilentWorkers() {
  class Silent {
    postMessage(): void {}
    terminate(): void {}
  }
  vi.stubGlobal("Worker", Silent);
  vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
  vi.resetModules();
  const { WasmBackend: InPage } = await import("../../src/tensor/index.ts");
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.useFakeTimers();
  return { InPage, warn };
}

it("Workers that neither start nor report an error are reported after a second, once, and the results are the same", async () => {
  const one = new WasmBackend({ threads: 1 });
  const expected = productOn(one);
  one.dispose();

  const { InPage, warn } = await pageOfSilentWorkers();
  const page = new InPage({ threads: 2, build: one.runtime.build });
  vi.advanceTimersByTime(999);
  expect(productOn(page)).toEqual(expected);
  expect(warn).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60_000);
  for (let repeat = 0; repeat < 2; repeat++) expect(productOn(page)).toEqual(expected);
  expect(warn.mock.calls).toEqual([
    [
      "wasm backend: no helping thread has started yet, after 1 s; the work continues with fewer threads until one starts",
    ],
  ]);
  page.dispose();
});

it("a main thread that was busy for a minute, or threads that have started, raise no false alarm", async () => {
  const { InPage, warn } = await pageOfSilentWorkers();
  const busy = new InPage({ threads: 2 });
  vi.setSystemTime(Date.now() + 60_000); // The clock has moved, but the event loop has not turned.
  vi.spyOn(performance, "now").mockReturnValue(60_000);
  productOn(busy);
  vi.advanceTimersByTime(100);
  productOn(busy);
  expect(warn).not.toHaveBeenCalled();

  vi.spyOn(busy.runtime, "readyHelpers", "get").mockReturnValue(1);
  vi.advanceTimersByTime(60_000);
  expect(warn).not.toHaveBeenCalled();
  busy.dispose();
});
