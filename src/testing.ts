// The public testing entry: fast-check arbitraries for shapes, tensors and operations, and the gradient check, for property
// tests of user-defined operations. No other file of src imports a test library.
import fc from "fast-check";
import { type CheckInput, checkGradient } from "./autograd/check-gradient.ts";
import { broadcastPair, type Draw, type InputDomain, kinkDistance } from "./autograd/domain.ts";
import { apply, type Operation } from "./autograd/operation.ts";
import { type DType, Random, type Shape, sizeOf, type Tensor, tensor } from "./tensor/index.ts";

/** Shapes of `minRank` to `maxRank` axes of length `minLength` to `maxLength`. */
export const shapes = ({ minRank = 0, maxRank = 4, minLength = 0, maxLength = 5 } = {}): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: minLength, max: maxLength }), { minLength: minRank, maxLength: maxRank });

/** Which numbers `numbers` and `tensors` draw. */
export interface NumberOptions {
  /** Smallest number. Default: -10. */
  readonly min?: number;
  /** Largest number. Default: 10. */
  readonly max?: number;
  /** Kinks and poles of the function under test, such as 0 for |x|. All numbers keep a distance of at least 0.05 from them. */
  readonly avoid?: readonly number[];
  /** Draw from all float32 numbers, with NaN, infinities and denormals. `min` and `max` have no effect then. Default: false. */
  readonly special?: boolean;
}

/** A flat array of `length` float32 numbers. */
export function numbers(length: number, options: NumberOptions = {}): fc.Arbitrary<Float32Array> {
  const { special = false, avoid = [] } = options;
  const isNear = (value: number): boolean => avoid.some((point) => Math.abs(value - point) < kinkDistance);
  const number = special ? fc.float().filter((value) => !isNear(value)) : fc.oneof(...intervals(options).map(between));
  return fc.array(number, { minLength: length, maxLength: length }).map((values) => Float32Array.from(values));
}

const between = ([min, max]: readonly [number, number]): fc.Arbitrary<number> => fc.float({ min, max, noNaN: true });

/** The parts of min to max that keep their distance from the points to avoid. */
function intervals({ min = -10, max = 10, avoid = [] }: NumberOptions): [number, number][] {
  const found: [number, number][] = [];
  let from = min;
  for (const point of avoid.toSorted((a, b) => a - b)) {
    found.push([from, Math.min(max, point - kinkDistance)]);
    from = Math.max(from, point + kinkDistance);
  }
  found.push([from, max]);
  const rounded = found.map(([low, high]): [number, number] => [floatAtLeast(low), floatAtMost(high)]);
  const nonempty = rounded.filter(([low, high]) => low <= high);
  if (nonempty.length > 0) return nonempty;
  const outside = avoid.length > 0 ? `, ${kinkDistance} away from ${avoid.join(", ")}` : "";
  throw new RangeError(`numbers: got min ${min} and max ${max}, expected a float32 number between them${outside}`);
}

/** The smallest float32 number that is not below `bound`. */
const floatAtLeast = (bound: number): number => -floatAtMost(-bound);

/** The largest float32 number that is not above `bound`. */
function floatAtMost(bound: number): number {
  const rounded = Math.fround(bound);
  if (!(rounded > bound)) return rounded;
  // The neighbour below: float32 numbers are ordered like their bit patterns, negative ones in reverse.
  if (rounded === 0) return -(2 ** -149);
  const bits = new Int32Array(Float32Array.of(rounded).buffer);
  bits[0]! += rounded > 0 ? -1 : 1;
  return new Float32Array(bits.buffer)[0]!;
}

/** Shape and numbers of a tensor; `toTensor` makes it inside your scope. */
export interface TensorExample {
  readonly shape: Shape;
  readonly values: Float32Array;
}

/** Shapes together with numbers for them: inputs of `checkGradient` and `toTensor`. */
export const tensors = (
  shape: fc.Arbitrary<Shape> = shapes(),
  options: NumberOptions = {},
): fc.Arbitrary<TensorExample> =>
  shape.chain((own) => numbers(sizeOf(own), options).map((values) => ({ shape: own, values })));

/** The tensor of an example, in the current scope. */
export const toTensor = ({ shape, values }: TensorExample, dtype: DType = "float32"): Tensor =>
  tensor(values, { shape, dtype });

/** Two tensors whose shapes broadcast: either may have axes of length 1 or lack leading axes. */
export const broadcastablePairs = (): fc.Arbitrary<[TensorExample, TensorExample]> =>
  fc
    .gen()
    .map((gen) => broadcastPair(drawFrom(gen)))
    .chain(([a, b]) => fc.tuple(tensors(fc.constant(a)), tensors(fc.constant(b))));

/** Turns a fast-check generator into the source of random choices of a domain. */
export function drawFrom(gen: fc.GeneratorValue): Draw {
  return {
    integer: (min, max) => gen(fc.integer, { min, max }),
    oneOf: (choices) => choices[gen(fc.integer, { min: 0, max: choices.length - 1 })]!,
  };
}

/** Numbers for one input of an operation, within its domain. */
export function inputFrom(domain: InputDomain, random: Random): CheckInput {
  const { shape } = domain;
  const length = sizeOf(shape);
  if (domain.kind === "index") {
    const [from, to] = domain.range;
    return { shape, values: Int32Array.from({ length }, () => from + random.integer(to - from + 1)), dtype: "int32" };
  }
  const { avoid = [], lattice, distinct, fixed = false } = domain;
  const [low, high] = domain.range;
  const spread = (): number => low + (high - low) * random.uniform();
  const one = (): number => {
    if (lattice !== undefined) return Math.round(spread()) + lattice + 0.1 * (2 * random.uniform() - 1);
    for (;;) {
      const value = spread();
      if (avoid.every((point) => Math.abs(value - point) >= kinkDistance)) return value;
    }
  };
  // Multiples of 0.25 around zero plus at most 0.05, shuffled: two values differ by at least 0.2.
  const rung = (_: unknown, i: number): number => 0.25 * (i - Math.floor(length / 2)) + 0.05 * random.uniform();
  const values = distinct ? random.shuffle(Float64Array.from({ length }, rung)) : Float64Array.from({ length }, one);
  return { shape, values, fixed };
}

/** Inputs and attributes of one application of an operation. */
export interface OperationExample {
  readonly inputs: readonly CheckInput[];
  readonly attributes: unknown;
}

/** An operation, or a function that `defineOperation` returned. */
export type OperationLike = Operation | { readonly operation: Operation };

const operationOf = (given: OperationLike): Operation => ("operation" in given ? given.operation : given);

/** Inputs and attributes from the domain of an operation. */
export const operationExamples = (given: OperationLike): fc.Arbitrary<OperationExample> =>
  fc.gen().map((gen) => {
    const { inputs, attributes } = operationOf(given).domain(drawFrom(gen));
    const random = new Random(gen(fc.integer));
    return { inputs: inputs.map((input) => inputFrom(input, random)), attributes };
  });

/**
 * Inputs of extreme size: magnitudes down to 1e-45 and up to the `maxMagnitude` of the operation, by default with infinities and
 * NaN, and magnitudes at which exponentials saturate. All axes have their smallest length, so that there are no sums that cancel.
 */
export const extremeExamples = (given: OperationLike): fc.Arbitrary<OperationExample> =>
  fc.gen().map((gen) => {
    const { domain, maxMagnitude = Number.POSITIVE_INFINITY } = operationOf(given);
    const { inputs, attributes } = domain({ integer: (min) => min, oneOf: drawFrom(gen).oneOf });
    const random = new Random(gen(fc.integer));
    const extreme = (input: InputDomain): CheckInput => {
      if (input.kind === "index" || input.fixed) return inputFrom(input, random);
      const values = Float64Array.from({ length: sizeOf(input.shape) }, () => gen(extremeNumber, maxMagnitude));
      return { shape: input.shape, values };
    };
    return { inputs: inputs.map(extreme), attributes };
  });

/** A float32 number. fast-check draws bit patterns, so that all orders of magnitude are equally likely. */
function extremeNumber(largest: number): fc.Arbitrary<number> {
  const max = floatAtMost(largest);
  const saturating = [0, 1, 10, 20, 88, 90, 104, 1e4].filter((value) => value <= max);
  return fc.oneof(
    fc.float({ min: -max, max, noNaN: max < Number.POSITIVE_INFINITY }),
    fc.constantFrom(...saturating, ...saturating.map((value) => -value)),
  );
}

/** Checks the gradient of an operation on one example. @throws GradientError */
export function checkOperation(given: OperationLike, { inputs, attributes }: OperationExample): void {
  const operation = operationOf(given);
  checkGradient(operation.name, (...variables) => apply(operation, variables, attributes), inputs);
}
