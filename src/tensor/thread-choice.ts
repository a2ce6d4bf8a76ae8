// Measures whether the helping threads of the wasm backend speed up the work at hand. For a small model, or on a busy machine, one
// thread can be faster than two.
import type { Backend } from "./backend.ts";
import { WasmBackend } from "./backends/wasm/backend.ts";

/** Calls and milliseconds before the first round, in which the engine compiles on the cores that the helping threads need. */
const warmUp = { calls: 2, milliseconds: 1000 };
/** Timed calls per round with each number of threads. */
const samples = 4;
/** The next round begins after this many times as many calls. The cost of all rounds is thus negligible in a long training. */
const growth = 4;

/**
 * Times repeated work, such as training steps, with one thread and with all threads in turn, and keeps the faster. Timing begins one
 * second after all helping threads have started, and is repeated whenever there have been four times as many calls, because another
 * program may use the cores for a while. The results are the same bits whatever the choice, because every sum runs in a fixed order.
 */
export class ThreadChoice {
  readonly #backend: WasmBackend | null;
  readonly #onChoice: (reason: string) => void;
  #alone: number[] = [];
  #together: number[] = [];
  #calls = 0;
  #nextRound = warmUp.calls;
  #start: number | null = null;
  #chosen: "alone" | "together" | null = null;

  /** @param onChoice called with the first choice and with every later one that differs from the one before, in one line */
  constructor(backend: Backend, onChoice: (reason: string) => void = () => {}) {
    this.#backend = backend instanceof WasmBackend && backend.runtime.threads > 1 ? backend : null;
    this.#onChoice = onChoice;
  }

  /** Does the work, and times it if a round is in progress. */
  async time<T>(work: () => Promise<T>): Promise<T> {
    if (this.#backend === null) return work();
    const { runtime } = this.#backend;
    // Until all helping threads have started, the time says nothing about their speed.
    if (runtime.readyHelpers < runtime.threads - 1) return work();
    this.#start ??= performance.now();
    const isWarm = performance.now() - this.#start >= warmUp.milliseconds;
    if (this.#calls++ < this.#nextRound || !isWarm) return work();
    const chosen = runtime.usesHelpers;
    const usesHelpers = this.#alone.length === this.#together.length;
    runtime.usesHelpers = usesHelpers;
    try {
      const start = performance.now();
      const result = await work();
      (usesHelpers ? this.#together : this.#alone).push(performance.now() - start);
      return result;
    } finally {
      runtime.usesHelpers = chosen;
      if (this.#alone.length === samples) this.#choose(runtime);
    }
  }

  #choose(runtime: WasmBackend["runtime"]): void {
    const [alone, together] = [median(this.#alone), median(this.#together)];
    const chosen = together <= alone ? "together" : "alone";
    runtime.usesHelpers = chosen === "together";
    if (chosen !== this.#chosen) {
      const all = `${runtime.threads} threads`;
      this.#onChoice(
        chosen === "together"
          ? `${all}: ${rate(together)} steps/s, against ${rate(alone)} with 1 thread`
          : `1 thread: ${rate(alone)} steps/s, against ${rate(together)} with ${all}`,
      );
    }
    this.#chosen = chosen;
    [this.#alone, this.#together] = [[], []];
    this.#nextRound = growth * this.#calls;
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const rate = (milliseconds: number): string => String(Number((1000 / milliseconds).toPrecision(2)));
