// Results that a worker computes for a choice of the visitor, such as a model, a puzzle or the number of steps. A view sees a result only
// while the choice is the one that it was computed for.
import { computed, type ReadonlySignal, signal } from "@preact/signals";

export interface Outcome<T> {
  /** Null until there is one. */
  readonly result: T | null;
  /** What the call is doing, or why it failed; "" otherwise. */
  readonly status: string;
  readonly isRunning: boolean;
}

/** A computation. It may report what it is doing, and the part of the result that is there already. */
export type Computation<T> = (signal: AbortSignal, report: (status: string, part?: T) => void) => Promise<T>;

export interface ResultFor<T> {
  /** What was computed for the current choice. */
  readonly outcome: ReadonlySignal<Outcome<T>>;
  /** Starts a computation in place of a running one. An earlier result for the same choice stays until there is a new one. */
  start(computation: Computation<T>): void;
  /** Cancels the running computation; the result stays, and `status` says why it was cancelled. */
  cancel(status?: string): void;
}

/** A place for results. @param choice  reads the signals that a result depends on; another text is another choice */
export function resultFor<T>(choice: () => string): ResultFor<T> {
  const current = computed(choice);
  const nothing: Outcome<T> = { result: null, status: "", isRunning: false };
  const kept = signal({ choice: "", ...nothing });
  let controller: AbortController | null = null;
  const cancel = (status = ""): void => {
    controller?.abort();
    if (kept.peek().isRunning) kept.value = { ...kept.peek(), status, isRunning: false };
  };
  current.subscribe((chosen) => {
    if (kept.peek().choice !== chosen) cancel();
  });
  return {
    outcome: computed(() => (kept.value.choice === current.value ? kept.value : nothing)),
    cancel,
    start(computation) {
      cancel();
      controller = new AbortController();
      const { signal: abort } = controller;
      const [before, chosen] = [kept.peek(), current.peek()];
      const result = before.choice === chosen ? before.result : null;
      kept.value = { choice: chosen, result, status: "starting", isRunning: true };
      const show = (change: Partial<Outcome<T>>): void => {
        if (!abort.aborted) kept.value = { ...kept.peek(), ...change };
      };
      computation(abort, (status, part) => show(part === undefined ? { status } : { status, result: part })).then(
        (made) => show({ result: made, status: "", isRunning: false }),
        (error: Error) => show({ status: error.message, isRunning: false }),
      );
    },
  };
}

/** Waits before a computation while the visitor may still be moving. @throws the reason of the signal if it is aborted meanwhile */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  signal.throwIfAborted();
}
