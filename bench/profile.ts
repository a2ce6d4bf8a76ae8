// Profiles a step. On every backend, the calls of its kernels are timed from outside. The WebAssembly backend also has counters that
// see the parts of a fused kernel, with their arithmetic.
import type { Backend } from "../src/tensor/index.ts";

export interface Timed {
  calls: number;
  milliseconds: number;
}

/** Arithmetic in four-lane multiply-adds, which are eight operations each. */
interface Work {
  readonly cost: number;
  /** Cost per millisecond in the fastest call. */
  readonly best: number;
}

/** A backend with its own counters. */
interface SelfProfiling {
  profile(on: boolean): void;
  kernelTimes(): ReadonlyMap<string, Timed & Work>;
}

const isSelfProfiling = (backend: Backend | (Backend & SelfProfiling)): backend is Backend & SelfProfiling =>
  "kernelTimes" in backend;

export class Profile {
  readonly #times = new Map<string, Timed>();
  readonly #backend: Backend;
  #total = 0;
  #steps = 0;

  /** Replaces the kernels of the backend by timed ones for the rest of the process. */
  constructor(backend: Backend) {
    this.#backend = backend;
    for (const table of ["kernels", "fused"] as const) {
      Object.defineProperty(backend, table, { value: this.#timed(backend[table]) });
    }
    if (isSelfProfiling(backend)) backend.profile(true);
  }

  /** Resets all counters, after warming up. */
  restart(): void {
    this.#times.clear();
    this.#total = 0;
    this.#steps = 0;
    if (isSelfProfiling(this.#backend)) this.#backend.profile(true);
  }

  /** Runs and times one step. */
  async step(body: () => Promise<unknown>): Promise<void> {
    const start = performance.now();
    await body();
    this.#total += performance.now() - start;
    this.#steps++;
  }

  /** The report as text: times per step, longest first. */
  report(): string {
    const perStep = this.#total / this.#steps;
    const parts = [
      `${perStep.toFixed(2)} ms per step, ${this.#steps} step(s)`,
      "kernels, as called by the engine:",
      ...this.#lines(this.#times, perStep, "outside kernels"),
    ];
    if (isSelfProfiling(this.#backend)) {
      parts.push("", "kernels, as counted by the backend:");
      parts.push(...this.#lines(this.#backend.kernelTimes(), perStep, "outside these"));
    }
    return parts.join("\n");
  }

  #lines(times: ReadonlyMap<string, Timed & Partial<Work>>, perStep: number, rest: string): string[] {
    const sorted = [...times].sort(([, a], [, b]) => b.milliseconds - a.milliseconds);
    const line = (name: string, milliseconds: number, note: string): string =>
      `  ${name.padEnd(32)} ${milliseconds.toFixed(2).padStart(10)} ms ${((100 * milliseconds) / perStep).toFixed(1).padStart(6)}%  ${note}`;
    const counted = sorted.reduce((sum, [, { milliseconds }]) => sum + milliseconds, 0) / this.#steps;
    return [
      ...sorted.map(([name, { calls, milliseconds, cost, best }]) => {
        const gigaflops = (rate: number): string => ((8 * rate) / 1e6).toFixed(1);
        const rate = cost && best ? `, ${gigaflops(cost / milliseconds)} GFLOP/s, at best ${gigaflops(best)}` : "";
        return line(name, milliseconds / this.#steps, `${Math.round(calls / this.#steps)} calls${rate}`);
      }),
      line(rest, perStep - counted, ""),
    ];
  }

  /** Wraps each kernel in a timer. Elementwise kernels are counted separately by the name of their function. */
  #timed<Table extends object>(kernels: Table): Table {
    const timed = Object.entries(kernels).map(([name, kernel]) => {
      const call = (...operands: unknown[]): unknown => {
        const start = performance.now();
        try {
          return (kernel as (...operands: unknown[]) => unknown)(...operands);
        } finally {
          this.#count(typeof operands[0] === "string" ? `${name} ${operands[0]}` : name, performance.now() - start);
        }
      };
      return [name, call];
    });
    return Object.fromEntries(timed) as Table;
  }

  #count(name: string, milliseconds: number): void {
    const time = this.#times.get(name) ?? { calls: 0, milliseconds: 0 };
    time.calls++;
    time.milliseconds += milliseconds;
    this.#times.set(name, time);
  }
}
