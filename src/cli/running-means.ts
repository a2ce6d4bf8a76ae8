// What the progress line says of the steps so far: means that follow the last few dozen steps.
import type { StepMetrics } from "../trm/index.ts";

/** Share of the old value that stays when a new one comes. */
const memory = 0.95;

export class RunningMeans {
  #loss: number | undefined;
  #halted = 0;
  #steps = 0;

  add({ loss, haltedCount, stepsSum }: StepMetrics): void {
    this.#loss = this.#loss === undefined ? loss : memory * this.#loss + (1 - memory) * loss;
    this.#halted = memory * this.#halted + haltedCount;
    this.#steps = memory * this.#steps + stepsSum;
  }

  /** Per puzzle. */
  get loss(): number | undefined {
    return this.#loss;
  }

  /** Mean number of supervision steps of the puzzles that have halted; undefined before the first. */
  get stepsUntilHalt(): number | undefined {
    return this.#halted > 0 ? this.#steps / this.#halted : undefined;
  }
}
