import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { ReferenceBackend, ThreadChoice, WasmBackend } from "../../src/tensor/index.ts";

/** Pretends that `count` helping threads have started. */
function startHelpers(backend: WasmBackend, count: number): void {
  vi.spyOn(backend.runtime, "readyHelpers", "get").mockReturnValue(count);
}

/** Milliseconds of a call with the helping threads and without them. */
interface Speed {
  readonly together: number;
  readonly alone: number;
}

/** Work that takes one number of milliseconds with the helping threads and another one without them. */
function clockedWork(backend: WasmBackend, speed: () => Speed) {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  return async (): Promise<void> => {
    now += backend.runtime.usesHelpers ? speed().together : speed().alone;
  };
}

/** A backend and a choice, with the reasons that it has given so far. */
function newChoice(threads: number) {
  const backend = new WasmBackend({ threads });
  const reasons: string[] = [];
  const choice = new ThreadChoice(backend, (reason) => reasons.push(reason));
  return { backend, reasons, choice, [Symbol.dispose]: () => backend.dispose() };
}

afterEach(() => vi.restoreAllMocks());

it.each([
  ["one thread", { together: 20, alone: 10 }, false, "1 thread: 100 steps/s, against 50 with 2 threads"],
  ["all threads", { together: 10, alone: 16 }, true, "2 threads: 100 steps/s, against 63 with 1 thread"],
])("%s are chosen if they are faster", async (_, speed, usesHelpers, reason) => {
  using made = newChoice(2);
  startHelpers(made.backend, 1);
  const work = clockedWork(made.backend, () => speed);
  for (let call = 0; call < 120; call++) await made.choice.time(work);
  expect(made.backend.runtime.usesHelpers).toBe(usesHelpers);
  expect(made.reasons).toEqual([reason]);
});

it("threads are not timed in the first second, in which the engine compiles on the core of the helping thread", async () => {
  using made = newChoice(2);
  startHelpers(made.backend, 1);
  let call = 0;
  const work = clockedWork(made.backend, () => ({ together: call < 50 ? 20 : 5, alone: 10 }));
  for (; call < 60; call++) await made.choice.time(work);
  expect(made.reasons).toEqual(["2 threads: 200 steps/s, against 100 with 1 thread"]);
});

it("a choice made while the helping threads were slow is corrected after four times as many calls", async () => {
  using made = newChoice(2);
  startHelpers(made.backend, 1);
  let call = 0;
  const work = clockedWork(made.backend, () => ({ together: call < 60 ? 20 : 5, alone: 10 }));
  for (; call < 4 * 60; call++) await made.choice.time(work);
  expect(made.backend.runtime.usesHelpers).toBe(true);
  expect(made.reasons).toEqual([
    "1 thread: 100 steps/s, against 50 with 2 threads",
    "2 threads: 200 steps/s, against 100 with 1 thread",
  ]);
});

it("whenever the speeds change, the faster number of threads is in use four times as many calls later", async () => {
  const speeds = fc.record({ together: fc.integer({ min: 1, max: 50 }), alone: fc.integer({ min: 51, max: 99 }) });
  await fc.assert(
    fc.asyncProperty(speeds, fc.integer({ min: 0, max: 300 }), fc.boolean(), async (fast, change, swap) => {
      using made = newChoice(2);
      startHelpers(made.backend, 1);
      const slow = { together: fast.alone, alone: fast.together };
      const [before, after] = swap ? [slow, fast] : [fast, slow];
      let call = 0;
      const work = clockedWork(made.backend, () => (call < change ? before : after));
      for (; call < 4 * (change + 1100); call++) await made.choice.time(work);
      expect(made.backend.runtime.usesHelpers).toBe(after.together < after.alone);
    }),
    { numRuns: 20 },
  );
});

it("less than 2% of 2,000 calls use the slower number of threads", async () => {
  using made = newChoice(2);
  startHelpers(made.backend, 1);
  const work = clockedWork(made.backend, () => ({ together: 10, alone: 20 }));
  let slower = 0;
  for (let call = 0; call < 2000; call++) {
    await made.choice.time(async () => {
      if (!made.backend.runtime.usesHelpers) slower++;
      await work();
    });
  }
  expect(slower).toBeLessThan(40);
});

it("work that throws leaves the number of threads that was chosen", async () => {
  using made = newChoice(2);
  startHelpers(made.backend, 1);
  const work = clockedWork(made.backend, () => ({ together: 10, alone: 20 }));
  let calls = 0;
  for (; made.reasons.length === 0; calls++) await made.choice.time(work);
  const inTheNextRound = 4 * calls + 1;
  for (; calls < inTheNextRound; calls++) await made.choice.time(work);
  await expect(made.choice.time(() => Promise.reject(new Error("no memory")))).rejects.toThrow("no memory");
  expect(made.backend.runtime.usesHelpers).toBe(true);
});

it("calls are not counted before all helping threads have started, however slow they are", async () => {
  using made = newChoice(3);
  startHelpers(made.backend, 1);
  const starting = clockedWork(made.backend, () => ({ together: 1000, alone: 10 }));
  for (let call = 0; call < 200; call++) await made.choice.time(starting);
  expect(made.reasons).toEqual([]);
  startHelpers(made.backend, 2);
  const work = clockedWork(made.backend, () => ({ together: 10, alone: 20 }));
  for (let call = 0; call < 200; call++) await made.choice.time(work);
  expect(made.reasons).toEqual(["3 threads: 100 steps/s, against 50 with 1 thread"]);
});

it("the number of threads is not chosen with one thread, or on another backend", async () => {
  const single = new WasmBackend({ threads: 1 });
  for (const backend of [single, new ReferenceBackend()]) {
    const choice = new ThreadChoice(backend, () => expect.unreachable());
    for (let call = 0; call < 20; call++) expect(await choice.time(async () => call)).toBe(call);
  }
  single.dispose();
});
