// Measures whether the helping threads of the wasm backend speed up the work at hand. For a small model, or on a busy machine, one
// thread can be faster than two.
import type { Backend } from "./backend.ts";
import { WasmBackend } from "./backends/wasm/backend.ts";

/** Calls that are not timed, because the compiler of the engine has not finished with them. */
const warmUps = 2;
/** Timed calls with each number of threads. */
const samples = 4;

/**
 * Times repeated work, such as training steps, with one thread and with all threads in turn, and keeps the faster. Timing begins when
 * all helping threads have started. The results are the same bits, because every sum runs in a fixed order whatever the number of
 * threads.
 */
export class ThreadChoice {
  readonly #backend: WasmBackend | null;
  readonly #alone: number[] = [];
  readonly #together: number[] = [];
  #calls = 0;

  constructor(backend: Backend) {
    this.#backend = backend instanceof WasmBackend && backend.runtime.threads > 1 ? backend : null;
  }

  /** Whether the choice is made, or there is nothing to choose. */
  get isMade(): boolean {
    return this.#backend === null || this.#alone.length === samples;
  }

  /** The choice in one line; null until it is made, and if there is nothing to choose. */
  get reason(): string | null {
    if (this.#backend === null || !this.isMade) return null;
    const { runtime } = this.#backend;
    const [alone, together] = [rate(this.#alone), rate(this.#together)];
    const all = `${runtime.threads} threads`;
    return runtime.usesHelpers
      ? `${all}: ${together} steps/s, against ${alone} with 1 thread`
      : `1 thread: ${alone} steps/s, against ${together} with ${all}`;
  }

  /** Does the work, and times it until the choice is made. */
  async time<T>(work: () => Promise<T>): Promise<T> {
    if (this.#backend === null || this.isMade) return work();
    const { runtime } = this.#backend;
    // Until all helping threads have started, the time says nothing about their speed.
    if (runtime.readyHelpers < runtime.threads - 1) return work();
    const usesHelpers = this.#calls % 2 === 0;
    runtime.usesHelpers = usesHelpers;
    const start = performance.now();
    const result = await work();
    const milliseconds = performance.now() - start;
    if (this.#calls++ >= warmUps) (usesHelpers ? this.#together : this.#alone).push(milliseconds);
    if (this.#alone.length === samples) runtime.usesHelpers = median(this.#together) <= median(this.#alone);
    return result;
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const rate = (milliseconds: readonly number[]): string => String(Number((1000 / median(milliseconds)).toPrecision(2)));
