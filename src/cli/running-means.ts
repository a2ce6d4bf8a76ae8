// The running mean of the loss, for the progress line. It follows the last few dozen steps.
import type { StepMetrics } from "../trm/index.ts";

/** Share of the previous mean that remains after one step. */
const decay = 0.95;

export class RunningMeans {
  #loss: number | undefined;

  add({ loss }: StepMetrics): void {
    this.#loss = this.#loss === undefined ? loss : decay * this.#loss + (1 - decay) * loss;
  }

  /** Loss per puzzle; undefined before the first step. */
  get loss(): number | undefined {
    return this.#loss;
  }
}
