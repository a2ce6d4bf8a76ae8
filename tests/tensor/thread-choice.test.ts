import { expect, it, vi } from "vitest";
import { ReferenceBackend, ThreadChoice, WasmBackend } from "../../src/tensor/index.ts";

/** Work that takes so many milliseconds with the helping threads, or without. */
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
