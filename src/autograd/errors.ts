/** A derivative that cannot be had: a consumed tape, a rule that returns the wrong shape, an operation outside the registry. */
export class GradientError extends Error {
  override name = "GradientError";
}
