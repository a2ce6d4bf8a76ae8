// The gradient check: compares the computed gradient with a difference quotient, in float64, along random directions. The
// derivative along a direction d is the dot product of the gradient with d, so one random direction tests every entry at once.
import {
  BackendError,
  DTypeError,
  expectArray,
  expectFunction,
  expectObject,
  expectWhole,
  Random,
  ReferenceBackend,
  type Shape,
  scope,
  showShape,
  showValue,
  sizeOf,
  type Tensor,
  tensor,
  type VisibleStorage,
} from "../tensor/index.ts";
import { gradients } from "./backward.ts";
import { GradientError } from "./errors.ts";
import { differenceQuotient, explainGradient, showNumber, showNumbers } from "./explain-gradient.ts";
import { reachableNodes } from "./tape.ts";
import { Variable } from "./variable.ts";

/** One input of the checked function: its shape and its numbers in row-major order. */
export interface CheckInput {
  readonly shape: Shape;
  readonly values: ArrayLike<number>;
  /** Marks a constant, which is not differentiated. */
  readonly fixed?: boolean;
  /** An int32 input, such as indices or labels, is not differentiated. */
  readonly dtype?: "float64" | "int32";
}

/** What `checkGradient` measured. */
export interface GradientReport {
  /** Largest relative error over all inputs and directions. */
  readonly worst: number;
}

/**
 * Compares the gradient of `f` with central differences of fourth order, (8 Δ(h) - Δ(2h)) / 12h with
 * Δ(h) = f(x + h d) - f(x - h d) and h = `step`, along `directions` random directions d for every input that is not fixed.
 * If the two disagree, a tenth of the step decides. An output of several numbers is multiplied by random weights dy and summed.
 *
 * @param f  a differentiable function of variables; called many times, each time in a new scope
 * @throws GradientError if the error exceeds `tolerance`. The message names function, input, entry, received and expected derivative
 *   and the likely cause (a sign, a factor, a kink, ...), and shows the inputs.
 * @throws GradientError if there is nothing to check: every input is fixed, an input or the output is empty, or the output does not
 *   depend on an input; and if `f` mixes its inputs with numbers of another element type or backend
 */
export function checkGradient(
  name: string,
  f: (...inputs: Variable[]) => Variable,
  inputs: readonly CheckInput[],
  { seed = 1, directions = 2, step = 1e-4, tolerance = 1e-6 } = {},
): GradientReport {
  expectFunction("checkGradient", "the function", f);
  expectArray("checkGradient", "the inputs", inputs);
  for (const input of inputs) expectObject("checkGradient", "an input", input, ["shape", "values"]);
  expectWhole("checkGradient", "directions", directions);
  const random = new Random(seed);
  const backend = new ReferenceBackend();
  const normals = (length: number): Float64Array => Float64Array.from({ length }, () => random.normal());

  const asVariable = ({ shape, values, fixed = false, dtype = "float64" }: CheckInput): Variable =>
    new Variable(tensor(values, { shape, dtype, backend }), null, !fixed && dtype === "float64");

  return scope(
    () => {
      const variables = inputs.map(asVariable);
      const checked = variables.filter((variable) => variable.requiresGradient);
      if (checked.length === 0) {
        throw new GradientError(`${name}: got no input to differentiate, expected at least one`);
      }
      const output = callWith(name, f, variables);
      expectElements(name, variables, output);
      const isOnTape = leavesOf(output);
      const weights = output.value.size === 1 ? Float64Array.of(1) : normals(output.value.size);
      const seedTensor = tensor(weights, { shape: output.shape, dtype: output.dtype, backend });
      const computed = gradients(output, checked, seedTensor).map(arrayOf);

      /** Σ weights · f with one input replaced. */
      const weighted = (input: number, values: Float64Array): number =>
        scope(() => {
          const moved = inputs.map((own, i) => asVariable(i === input ? { ...own, values } : own));
          return dot(arrayOf(callWith(name, f, moved).value), weights);
        });

      let worst = 0;
      checked.forEach((variable, i) => {
        const gradient = computed[i]!;
        const input = variables.indexOf(variable);
        const where = `input ${input} ${showShape(variable.shape)}`;
        const { values } = inputs[input]!;
        for (let k = 0; k < directions; k++) {
          const direction = normals(variable.value.size);
          const at = (distance: number): Float64Array =>
            Float64Array.from(direction, (d, j) => values[j]! + distance * d);
          const quotient = (h: number): number => differenceQuotient((distance) => weighted(input, at(distance)), h);
          const received = dot(gradient, direction);
          // Relative to the size of the summed terms, so that cancellation does not count as an error.
          const errorAgainst = (expected: number): number =>
            Math.abs(received - expected) / Math.max(1e-3, absoluteDot(gradient, direction), Math.abs(expected));
          let expected = quotient(step);
          // Where the function bends sharply, the quotient has an error of order h⁴; a wrong gradient stays wrong for smaller steps.
          if (!(errorAgainst(expected) <= tolerance)) expected = quotient(step / 10);
          if (expected === 0 && !isOnTape.has(variable)) {
            throw new GradientError(
              `${name}: the output does not depend on ${where}, expected a function of it, or fixed: true`,
            );
          }
          const error = errorAgainst(expected);
          if (!(error <= tolerance)) {
            const fault =
              explainGradient({
                shape: variable.shape,
                values,
                gradient,
                steps: direction.map((d) => (step / 10) * Math.abs(d)),
                valueAt: (moved) => weighted(input, moved),
              }) ?? `along a random direction: got ${showNumber(received)}, expected ${showNumber(expected)}`;
            const given = inputs.map((own) => showNumbers(own.values)).join(", ");
            throw new GradientError(
              `${name}: gradient of ${where} ${fault} (relative error ${error.toExponential(1)}, tolerance ${tolerance}); inputs: ${given}; dy: ${showNumbers(weights)}`,
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

/**
 * Calls f.
 * @throws GradientError if f returns no Variable, or mixes its inputs with numbers of another element type or backend
 */
function callWith(name: string, f: (...inputs: Variable[]) => Variable, variables: Variable[]): Variable {
  let output: unknown;
  try {
    output = f(...variables);
  } catch (cause) {
    if (!(cause instanceof DTypeError || cause instanceof BackendError)) throw cause;
    throw new GradientError(
      `${name}: ${cause.message}; the check computes in float64 on a separate backend, so create constants inside the function with the dtype of its input, as in constant(2, x.dtype)`,
      { cause },
    );
  }
  if (output instanceof Variable) return output;
  throw new GradientError(`${name}: the function returned ${showValue(output)}, expected a Variable`);
}

function expectElements(name: string, inputs: readonly Variable[], output: Variable): void {
  const empty = inputs.findIndex(({ requiresGradient, shape }) => requiresGradient && sizeOf(shape) === 0);
  const what =
    empty >= 0 ? `input ${empty} ${showShape(inputs[empty]!.shape)}` : `the output ${showShape(output.shape)}`;
  if (empty >= 0 || output.value.size === 0) {
    throw new GradientError(`${name}: ${what} has no elements, expected at least one to check the gradient on`);
  }
}

/** The variables that the tape of the output starts from. */
function leavesOf(output: Variable): ReadonlySet<unknown> {
  return new Set<unknown>(output.node ? reachableNodes([output.node]).flatMap((node) => node.origins) : [output]);
}

/** The numbers of a tensor on the reference backend, whose memory is readable synchronously. */
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
