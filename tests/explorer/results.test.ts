// Results of the worker: a view sees one only for the choice that it was computed for.
import { effect, signal } from "@preact/signals";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Computation, resultFor } from "../../explorer/page/results.ts";

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** A computation that ends when the test says so. */
function pending() {
  const seen: { signal?: AbortSignal; report?: (status: string, part?: string) => void } = {};
  let resolve = (_: string): void => {};
  const ended = new Promise<string>((end) => {
    resolve = end;
  });
  const computation: Computation<string> = (signal, report) => {
    Object.assign(seen, { signal, report });
    return ended;
  };
  return { computation, resolve, seen };
}

const nothing = { result: null, status: "", isRunning: false };

describe("the result for a choice", () => {
  it("is shown once it is there, and not after another choice", async () => {
    const steps = signal(8);
    const { outcome, start } = resultFor<string>(() => String(steps.value));
    expect(outcome.value).toEqual(nothing);
    start(async () => "for 8 steps");
    expect(outcome.value).toMatchObject({ result: null, status: "starting", isRunning: true });
    await settled();
    expect(outcome.value).toMatchObject({ result: "for 8 steps", status: "", isRunning: false });
    steps.value = 4;
    expect(outcome.value).toEqual(nothing);
    steps.value = 8;
    expect(outcome.value.result).toBe("for 8 steps");
  });

  it("is given up when the choice changes, even if the computation does not stop", async () => {
    const steps = signal(8);
    const { outcome, start } = resultFor<string>(() => String(steps.value));
    const { computation, resolve, seen } = pending();
    start(computation);
    seen.report!("step 1 of 8", "a part");
    expect(outcome.value).toMatchObject({ result: "a part", status: "step 1 of 8", isRunning: true });
    steps.value = 4;
    expect(seen.signal!.aborted).toBe(true);
    resolve("for 8 steps");
    seen.report!("step 2 of 8");
    await settled();
    expect(outcome.value).toEqual(nothing);
  });

  it("stays while the same choice is computed again, and when that is cancelled or fails", async () => {
    const { outcome, start, cancel } = resultFor<string>(() => "the only choice");
    start(async () => "first");
    await settled();
    start(pending().computation);
    expect(outcome.value).toMatchObject({ result: "first", isRunning: true });
    cancel();
    expect(outcome.value).toMatchObject({ result: "first", status: "", isRunning: false });
    start(() => Promise.reject(new Error("no model is open")));
    await settled();
    expect(outcome.value).toMatchObject({ result: "first", status: "no model is open", isRunning: false });
  });

  it("is that of the computation that was started last, whichever ends last", async () => {
    const { outcome, start } = resultFor<string>(() => "the only choice");
    const [first, second] = [pending(), pending()];
    start(first.computation);
    start(second.computation);
    second.resolve("second");
    await settled();
    first.resolve("first");
    await settled();
    expect(outcome.value.result).toBe("second");
  });

  it("belongs to the new choice if an effect starts it as soon as the choice changes", async () => {
    const model = signal("sudoku4");
    const choice = signal("sudoku4");
    const made = resultFor<string>(() => choice.value);
    const stop = effect(() => {
      choice.value = model.value;
      const own = choice.value;
      made.start(async () => own);
    });
    model.value = "sudoku6";
    await settled();
    expect(made.outcome.value).toMatchObject({ result: "sudoku6", isRunning: false });
    stop();
  });

  it("never differs from the current choice, in any order of choices, starts and ends", async () => {
    const actions = fc.array(fc.oneof(fc.nat(3), fc.constantFrom("start", "end", "cancel")), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(actions, async (all) => {
        const steps = signal(0);
        const { outcome, start, cancel } = resultFor<number>(() => String(steps.value));
        const ends: (() => void)[] = [];
        const states: (readonly [choice: number, result: number | null])[] = [];
        const stop = effect(() => void states.push([steps.value, outcome.value.result]));
        for (const action of all) {
          const own = steps.peek();
          if (typeof action === "number") steps.value = action;
          else if (action === "start") start(() => new Promise((resolve) => ends.push(() => resolve(own))));
          else if (action === "end") ends.shift()?.();
          else cancel();
          await Promise.resolve();
        }
        stop();
        for (const [choice, result] of states) expect([choice, null]).toContain(result);
      }),
    );
  });
});
