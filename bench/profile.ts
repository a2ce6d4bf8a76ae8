// Where a step's time goes. On any backend: the calls of its kernels, timed from outside. On the WebAssembly backend also its own
// counters, which see what runs inside a fused kernel, with the arithmetic of each.
import type { Backend } from "../src/tensor/index.ts";

export interface Timed {
  calls: number;
  milliseconds: number;
}

/** In multiply-adds of four lanes, eight operations each. */
interface Work {
  readonly cost: number;
  /** Per millisecond, in the fastest call: what the kernel does while no neighbour is busy. */
  readonly best: number;
}

/** A backend that counts by itself. */
interface CountsItself {
  profile(on: boolean): void;
  kernelTimes(): ReadonlyMap<string, Timed & Work>;
}

const countsItself = (backend: Backend | (Backend & CountsItself)): backend is Backend & CountsItself =>
  "kernelTimes" in backend;

export class Profile {
  readonly #times = new Map<string, Timed>();
  readonly #backend: Backend;
  #total = 0;
  #steps = 0;

  /** Replaces the backend's kernels by timed ones, for the rest of the process. */
  constructor(backend: Backend) {
    this.#backend = backend;
    for (const table of ["kernels", "fused"] as const) {
      Object.defineProperty(backend, table, { value: this.#timed(backend[table]) });
    }
    if (countsItself(backend)) backend.profile(true);
  }

  /** Forgets what warming up took. */
  restart(): void {
    this.#times.clear();
    this.#total = 0;
    this.#steps = 0;
    if (countsItself(this.#backend)) this.#backend.profile(true);
  }

  /** A step that is counted. */
  async step(body: () => Promise<unknown>): Promise<void> {
    const start = performance.now();
    await body();
    this.#total += performance.now() - start;
    this.#steps++;
  }

  /** Lines of text: per step, the longest first. */
  report(): string {
    const perStep = this.#total / this.#steps;
    const parts = [
      `${perStep.toFixed(2)} ms per step, ${this.#steps} step(s)`,
      "kernels, as the engine calls them:",
      ...this.#lines(this.#times, perStep, "outside of kernels"),
    ];
    if (countsItself(this.#backend)) {
      parts.push("", "kernels, as the backend counts them:");
      parts.push(...this.#lines(this.#backend.kernelTimes(), perStep, "outside of them"));
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

  /** The same functions, each with a timer around it; a kernel that is called by name counts by that name. */
  #timed<Table extends object>(kernels: Table): Table {
    const timed = Object.entries(kernels).map(([name, kernel]) => {
      const run = (...operands: unknown[]): unknown => {
        const start = performance.now();
        try {
          return (kernel as (...operands: unknown[]) => unknown)(...operands);
        } finally {
          this.#count(typeof operands[0] === "string" ? `${name} ${operands[0]}` : name, performance.now() - start);
        }
      };
      return [name, run];
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
