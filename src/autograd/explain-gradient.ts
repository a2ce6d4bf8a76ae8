// Explains a gradient that disagrees with a difference quotient: the entry with the largest error, and the likely cause.
import { type Shape, showShape, stridesOf } from "../tensor/index.ts";

/** A wrong gradient of one input. */
interface WrongGradient {
  readonly shape: Shape;
  readonly values: ArrayLike<number>;
  /** The gradient that the rule computed. */
  readonly gradient: Float64Array;
  /** The distance by which each entry is moved. */
  readonly steps: Float64Array;
  /** Σ dy · f with the input replaced by the given values. */
  readonly valueAt: (values: Float64Array) => number;
}

/** The derivative of f at 0 from four values of f, with an error of order h⁴. */
export const differenceQuotient = (f: (distance: number) => number, h: number): number =>
  (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);

/** Larger inputs are not searched entry by entry. */
const mostEntries = 64;

/** `at [1], where x = -3: got 0.25, expected 0.0625; it is 4 times the expected gradient everywhere`, or null for a large input. */
export function explainGradient({ shape, values, gradient, steps, valueAt }: WrongGradient): string | null {
  const count = gradient.length;
  if (count > mostEntries) return null;
  const here = Float64Array.from(values);
  const center = valueAt(here);
  if (!Object.is(center, valueAt(here))) {
    return "cannot be checked: two calls with equal inputs gave different outputs, expected a function without random numbers";
  }
  const moved = (entry: number, distance: number): number => valueAt(here.with(entry, here[entry]! + distance));
  const expected = gradient.map((_, i) => differenceQuotient((h) => moved(i, h), steps[i]!));
  const errors = gradient.map((got, i) => {
    const error = Math.abs(got - expected[i]!);
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  });
  const worst = errors.indexOf(Math.max(...errors));
  const left = (center - moved(worst, -steps[worst]!)) / steps[worst]!;
  const right = (moved(worst, steps[worst]!) - center) / steps[worst]!;
  const where =
    shape.length > 0
      ? `at ${showShape(stridesOf(shape).map((stride, axis) => Math.floor(worst / stride) % shape[axis]!))}, `
      : "";
  const numbers = `${where}where x = ${showNumber(here[worst]!)}: got ${showNumber(gradient[worst]!)}, expected ${showNumber(Number(expected[worst]!.toFixed(10)))}`;
  return `${numbers}; ${causeOf({ gradient, expected, errors, left, right })}`;
}

interface Evidence {
  readonly gradient: Float64Array;
  /** Difference quotients of all entries. */
  readonly expected: Float64Array;
  readonly errors: Float64Array;
  /** Slopes on either side of the entry with the largest error. */
  readonly left: number;
  readonly right: number;
}

function causeOf({ gradient, expected, errors, left, right }: Evidence): string {
  if (!Number.isFinite(left) || !Number.isFinite(right)) {
    return "the function is NaN or infinite there, expected inputs at which it is finite";
  }
  if (Math.abs(left - right) > 0.01 * Math.max(Math.abs(left), Math.abs(right), 0.1)) {
    return `the slope is ${showNumber(left)} on the left and ${showNumber(right)} on the right, so the function has a kink or a jump there (see avoid)`;
  }
  if (gradient.some((got) => !Number.isFinite(got))) return "the rule computes NaN or infinity";
  if (gradient.every((got) => got === 0)) return "the rule gives 0 everywhere";
  // The factor that fits best, Σ got · expected / Σ expected².
  const factor = sumOf(gradient.map((got, i) => got * expected[i]!)) / sumOf(expected.map((value) => value * value));
  const scale = Math.max(...expected.map(Math.abs));
  if (gradient.every((got, i) => Math.abs(got - factor * expected[i]!) <= 1e-4 * scale)) {
    if (Math.abs(factor + 1) < 1e-4) return "the sign is wrong everywhere";
    return `it is ${Number(factor.toPrecision(4))} times the expected gradient everywhere`;
  }
  return `${errors.filter((error) => error > 1e-4 * scale).length} of ${errors.length} entries are wrong`;
}

const sumOf = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

/** Seven digits: a difference quotient is not more precise. */
export const showNumber = (value: number): string => `${Number(value.toPrecision(7))}`;

/** The first eight numbers. */
export function showNumbers(values: ArrayLike<number>): string {
  const shown = Array.from({ length: Math.min(values.length, 8) }, (_, i) => showNumber(values[i]!));
  return `[${shown.join(", ")}${values.length > 8 ? `, ... ${values.length} numbers` : ""}]`;
}
