// Running means of the training metrics, for the progress line. They follow the last few dozen steps.
import type { StepMetrics } from "../trm/index.ts";

/** Share of the previous mean that remains after one step. */
const decay = 0.95;

export class RunningMeans {
  #loss: number | undefined;
  #halted = 0;
  #steps = 0;

  add({ loss, haltedCount, stepsSum }: StepMetrics): void {
    this.#loss = this.#loss === undefined ? loss : decay * this.#loss + (1 - decay) * loss;
    this.#halted = decay * this.#halted + haltedCount;
    this.#steps = decay * this.#steps + stepsSum;
  }

  /** Loss per puzzle. */
  get loss(): number | undefined {
    return this.#loss;
  }

  /** Mean number of supervision steps of the puzzles that have halted; undefined before the first puzzle halts. */
  get stepsUntilHalt(): number | undefined {
    return this.#halted > 0 ? this.#steps / this.#halted : undefined;
  }
}
