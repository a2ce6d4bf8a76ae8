// The gradient check: the gradient that backward gives against a difference quotient, in float64, along random directions.
// A random direction exercises every entry at once: the derivative along d is the dot product of the gradient with d.
import {
  Random,
  ReferenceBackend,
  type Shape,
  scope,
  showShape,
  sizeOf,
  type Tensor,
  tensor,
  type VisibleStorage,
} from "../tensor/index.ts";
import { gradients } from "./backward.ts";
import { GradientError } from "./errors.ts";
import { Variable } from "./variable.ts";

export interface CheckInput {
  readonly shape: Shape;
  readonly values: ArrayLike<number>;
  /** Indices and constants: not differentiated. int32 where `dtype` says so. */
  readonly fixed?: boolean;
  readonly dtype?: "float64" | "int32";
}

export interface GradientReport {
  /** Largest relative error over all inputs and directions. */
  readonly worst: number;
}

/**
 * Compares the gradient of `f` with central differences of fourth order, (8 Δ(h) - Δ(2h)) / 12h with
 * Δ(h) = f(x + h d) - f(x - h d) and h = `step` (where that disagrees, a tenth of it), for every input that is not fixed, along
 * `directions` random directions d each; a non-scalar output is weighted with random numbers.
 *
 * @param f  a differentiable function of variables; called many times, each time in a scope of its own
 * @returns the worst relative error
 * @throws GradientError naming function, input, received and expected if the error exceeds `tolerance`, or if all inputs are
 *   fixed, so that nothing would be checked
 */
export function checkGradient(
  name: string,
  f: (...inputs: Variable[]) => Variable,
  inputs: readonly CheckInput[],
  { seed = 1, directions = 2, step = 1e-4, tolerance = 1e-6 } = {},
): GradientReport {
  const random = new Random(seed);
  const backend = new ReferenceBackend();
  const numbers = (length: number): Float64Array => Float64Array.from({ length }, () => random.normal());

  const asVariable = ({ shape, values, fixed = false, dtype = "float64" }: CheckInput): Variable =>
    new Variable(tensor(values, { shape, dtype, backend }), null, !fixed && dtype === "float64");

  return scope(
    () => {
      const variables = inputs.map(asVariable);
      const checked = variables.filter((variable) => variable.requiresGradient);
      if (checked.length === 0) {
        throw new GradientError(`${name}: got no input to differentiate, expected at least one`);
      }
      const output = f(...variables);
      const weights = numbers(output.value.size);
      const seedTensor = tensor(weights, { shape: output.shape, dtype: output.dtype, backend });
      const computed = gradients(output, checked, seedTensor).map(arrayOf);

      /** Σ weights · f with one input replaced. */
      const weighted = (input: number, values: Float64Array): number =>
        scope(() => {
          const moved = inputs.map((own, i) => asVariable(i === input ? { ...own, values } : own));
          return dot(arrayOf(f(...moved).value), weights);
        });

      let worst = 0;
      checked.forEach((variable, i) => {
        const gradient = computed[i]!;
        const input = variables.indexOf(variable);
        const { shape, values } = inputs[input]!;
        for (let k = 0; k < directions; k++) {
          const direction = numbers(sizeOf(shape));
          const at = (distance: number): Float64Array =>
            Float64Array.from(direction, (d, j) => values[j]! + distance * d);
          const difference = (h: number): number => weighted(input, at(h)) - weighted(input, at(-h));
          const quotient = (h: number): number => (8 * difference(h) - difference(2 * h)) / (12 * h);
          const received = dot(gradient, direction);
          // Relative to the size of the terms that were summed, so that cancellation is not taken for an error.
          const errorAgainst = (expected: number): number =>
            Math.abs(received - expected) / Math.max(1e-3, absoluteDot(gradient, direction), Math.abs(expected));
          let expected = quotient(step);
          // Where the function bends sharply the quotient is off, by h⁴: a tenth of the step tells that from a wrong gradient.
          if (!(errorAgainst(expected) <= tolerance)) expected = quotient(step / 10);
          const error = errorAgainst(expected);
          if (!(error <= tolerance)) {
            throw new GradientError(
              `${name}: gradient of input ${input} ${showShape(shape)} along a random direction: got ${show(received)}, expected ${show(expected)} (relative error ${error.toExponential(1)}, tolerance ${tolerance})`,
            );
          }
          worst = Math.max(worst, error);
        }
      });
      return { worst };
    },
    { backend, recording: true },
  );
}

/** Seven digits: further ones are noise of the difference quotient. */
const show = (value: number): string => `${Number(value.toPrecision(7))}`;

/** The numbers of a tensor on the reference backend, whose memory can be read at once. */
const arrayOf = (t: Tensor): Float64Array => Float64Array.from((t.storage as VisibleStorage).array);

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

function absoluteDot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += Math.abs(a[i]! * b[i]!);
  return total;
}
