/** A gradient that cannot be computed: the tape is consumed, a rule returns the wrong shape, or an operation is not registered. */
export class GradientError extends Error {
  override name = "GradientError";
}
