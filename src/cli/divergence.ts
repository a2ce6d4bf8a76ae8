// Recognizes a training that diverges, so that it stops before a bad checkpoint replaces a good one.
import type { StepMetrics } from "../trm/index.ts";

/**
 * A gradient norm explodes if it exceeds the largest earlier one of the session by this factor. The network normalizes its
 * activations, so that healthy norms stay within about three orders of magnitude, and the optimizer ignores the scale of the
 * gradients, so that a moderate rise does no harm.
 */
const explosion = 1_000;
/** Steps of a session before the norms are compared. */
const firstSteps = 10;

export class DivergenceCheck {
  #steps = 0;
  #largestNorm = 0;

  /** What is wrong with a step, as a clause; undefined if nothing is. */
  problemOf({ loss, gradientNorm, notFinite }: StepMetrics): string | undefined {
    if (!Number.isFinite(loss))
      return `the loss is ${loss}${notFinite === null ? "" : `, the ${notFinite} is not finite`}`;
    if (notFinite !== null) return `the ${notFinite} is not finite`;
    const before = this.#largestNorm;
    if (this.#steps++ >= firstSteps && gradientNorm > explosion * before) {
      return `the gradient norm is ${gradientNorm.toPrecision(3)}, at most ${before.toPrecision(3)} in the steps before`;
    }
    this.#largestNorm = Math.max(before, gradientNorm);
    return undefined;
  }
}
