// Signs of a diverging training, computed beside the loss so that they are part of the one read of a step: the norms of the
// gradients, and whether a gradient or a weight is not finite.
import * as t from "../tensor/index.ts";

/** What a training step read about its gradients and weights. */
export interface StepCheck {
  /** Norm of the gradient of the loss with respect to all weights. */
  readonly gradientNorm: number;
  /** The first tensor with a number that is not finite, as "gradient of NAME" or "weight NAME"; null if there is none. */
  readonly notFinite: string | null;
}

/** The sum of squares of every tensor, [count] float64. A sum of squares above the range of float32 is infinite. */
export const squaredNorms = (tensors: readonly t.Tensor[]): t.Tensor =>
  t.scope(() => joined(tensors.map((tensor) => t.sum(t.multiply(tensor, tensor)))));

/** The sum of every tensor, [count] float64. It is not finite if an element is not. */
export const sums = (tensors: readonly t.Tensor[]): t.Tensor =>
  t.scope(() => joined(tensors.map((tensor) => t.sum(tensor))));

const joined = (scalars: readonly t.Tensor[]): t.Tensor =>
  t.cast(
    t.concat(
      scalars.map((scalar) => t.reshape(scalar, [1])),
      0,
    ),
    "float64",
  );

/**
 * @param gradients  `squaredNorms` of the gradients, in the order of the names; followed by that of the puzzle rows, if there are any
 * @param weights  `sums` of the updated weights
 */
export function readCheck(names: readonly string[], gradients: Float64Array, weights: Float64Array): StepCheck {
  const ofWeights = gradients.subarray(0, names.length);
  const gradient = gradients.findIndex((value) => !Number.isFinite(value));
  const weight = weights.findIndex((value) => !Number.isFinite(value));
  const notFinite =
    gradient >= 0
      ? `gradient of ${names[gradient] ?? "the puzzle embedding"}`
      : weight >= 0
        ? `weight ${names[weight]}`
        : null;
  return { gradientNorm: Math.sqrt(ofWeights.reduce((total, value) => total + value, 0)), notFinite };
}
