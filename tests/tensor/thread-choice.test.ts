import { expect, it, vi } from "vitest";
import { ReferenceBackend, ThreadChoice, WasmBackend } from "../../src/tensor/index.ts";

/** Pretends that `count` helping threads have started. */
function startHelpers(backend: WasmBackend, count: number): void {
  vi.spyOn(backend.runtime, "readyHelpers", "get").mockReturnValue(count);
}

/** Work that takes one number of milliseconds with the helping threads and another one without them. */
function clockedWork(backend: WasmBackend, { together, alone }: { together: number; alone: number }) {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  return async (): Promise<void> => {
    now += backend.runtime.usesHelpers ? together : alone;
  };
}

it.each([
  ["one thread", { together: 20, alone: 10 }, false, "1 thread: 100 steps/s, against 50 with 2 threads"],
  ["all threads", { together: 10, alone: 16 }, true, "2 threads: 100 steps/s, against 63 with 1 thread"],
])("%s are chosen if they are faster", async (_, milliseconds, usesHelpers, reason) => {
  const backend = new WasmBackend({ threads: 2 });
  try {
    startHelpers(backend, 1);
    const choice = new ThreadChoice(backend);
    const work = clockedWork(backend, milliseconds);
    for (let call = 0; call < 20 && !choice.isMade; call++) await choice.time(work);
    expect(choice.isMade).toBe(true);
    expect(backend.runtime.usesHelpers).toBe(usesHelpers);
    expect(choice.reason).toBe(reason);
  } finally {
    vi.restoreAllMocks();
    backend.dispose();
  }
});

it("calls are not counted before all helping threads have started, however slow they are", async () => {
  const backend = new WasmBackend({ threads: 3 });
  try {
    startHelpers(backend, 1);
    const choice = new ThreadChoice(backend);
    const starting = clockedWork(backend, { together: 1000, alone: 10 });
    for (let call = 0; call < 20; call++) await choice.time(starting);
    expect(choice.isMade).toBe(false);
    expect(choice.reason).toBeNull();
    startHelpers(backend, 2);
    const work = clockedWork(backend, { together: 10, alone: 20 });
    for (let call = 0; call < 20 && !choice.isMade; call++) await choice.time(work);
    expect(choice.reason).toBe("3 threads: 100 steps/s, against 50 with 1 thread");
  } finally {
    vi.restoreAllMocks();
    backend.dispose();
  }
});

it("there is nothing to choose with one thread, or on another backend", async () => {
  const single = new WasmBackend({ threads: 1 });
  for (const backend of [single, new ReferenceBackend()]) {
    const choice = new ThreadChoice(backend);
    expect(choice.isMade).toBe(true);
    expect(await choice.time(async () => 7)).toBe(7);
    expect(choice.reason).toBeNull();
  }
  single.dispose();
});
