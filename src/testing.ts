// The public testing entry: fast-check arbitraries for shapes, tensors and operations, and the gradient check, for property
// tests of user-defined operations. No other file of src imports a test library.
import fc from "fast-check";
import { type CheckInput, checkGradient } from "./autograd/check-gradient.ts";
import { broadcastPair, type Draw, type InputDomain, kinkDistance } from "./autograd/domain.ts";
import { apply, type Operation } from "./autograd/operation.ts";
import {
  ArgumentError,
  type DType,
  expectArray,
  expectFunction,
  expectInstance,
  expectObject,
  expectTypeName,
  expectWhole,
  Random,
  type Shape,
  showValue,
  sizeOf,
  type Tensor,
  tensor,
} from "./tensor/index.ts";
import { expectShape } from "./tensor/shape.ts";

/**
 * Shapes of `minRank` to `maxRank` axes of length `minLength` to `maxLength`.
 *
 * @throws ArgumentError for a limit that is no whole number; RangeError if a smallest value exceeds the largest
 */
export function shapes(options: ShapeOptions = {}): fc.Arbitrary<number[]> {
  expectObject("shapes", "the options", options);
  const { minRank = 0, maxRank = 4, minLength = 0, maxLength = 5 } = options;
  for (const [name, value] of Object.entries({ minRank, maxRank, minLength, maxLength })) {
    expectWhole("shapes", name, value, 0);
  }
  if (minRank > maxRank) {
    throw new RangeError(`shapes: got minRank ${minRank} and maxRank ${maxRank}, expected minRank <= maxRank`);
  }
  if (minLength > maxLength) {
    throw new RangeError(
      `shapes: got minLength ${minLength} and maxLength ${maxLength}, expected minLength <= maxLength`,
    );
  }
  return fc.array(fc.integer({ min: minLength, max: maxLength }), { minLength: minRank, maxLength: maxRank });
}

/** Which shapes `shapes` draws. */
export interface ShapeOptions {
  /** Smallest number of axes. Default: 0. */
  readonly minRank?: number;
  /** Largest number of axes. Default: 4. */
  readonly maxRank?: number;
  /** Smallest length of an axis. Default: 0. */
  readonly minLength?: number;
  /** Largest length of an axis. Default: 5. */
  readonly maxLength?: number;
}

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

/**
 * A flat array of `length` float32 numbers.
 *
 * @throws ArgumentError for arguments of another kind; RangeError if no float32 number satisfies the options
 */
export function numbers(length: number, options: NumberOptions = {}): fc.Arbitrary<Float32Array> {
  expectWhole("numbers", "the length", length, 0);
  return arraysOf(numberFrom("numbers", options), length);
}

const arraysOf = (number: fc.Arbitrary<number>, length: number): fc.Arbitrary<Float32Array> =>
  fc.array(number, { minLength: length, maxLength: length }).map((values) => Float32Array.from(values));

/** One number as the options describe it. @param where  the function that the options were passed to */
function numberFrom(where: string, options: NumberOptions): fc.Arbitrary<number> {
  expectObject(where, "the options", options);
  const { special = false, min = -10, max = 10, avoid = [] } = options;
  expectArray(where, "avoid", avoid);
  for (const [name, value] of [["min", min], ["max", max], ...avoid.map((point) => ["a point to avoid", point])]) {
    if (typeof value === "number" && !Number.isNaN(value)) continue;
    throw new ArgumentError(`${where}: got ${showValue(value)} as ${name}, expected a number`);
  }
  if (!special) return fc.oneof(...intervals(where, min, max, avoid).map(between));
  const isNear = (value: number): boolean => avoid.some((point) => Math.abs(value - point) < kinkDistance);
  return fc.float().filter((value) => !isNear(value));
}

const between = ([min, max]: readonly [number, number]): fc.Arbitrary<number> => fc.float({ min, max, noNaN: true });

/** The parts of min to max that keep their distance from the points to avoid. @throws RangeError if there are none */
function intervals(where: string, min: number, max: number, avoid: readonly number[]): [number, number][] {
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
  throw new RangeError(`${where}: got min ${min} and max ${max}, expected a float32 number between them${outside}`);
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

/**
 * Shapes together with numbers for them: inputs of `checkGradient` and `toTensor`.
 *
 * @throws ArgumentError for arguments of another kind; RangeError if no float32 number satisfies the options
 */
export function tensors(
  shape: fc.Arbitrary<Shape> = shapes(),
  options: NumberOptions = {},
): fc.Arbitrary<TensorExample> {
  // Another copy of fast-check has another class Arbitrary.
  if (typeof (shape as Partial<fc.Arbitrary<Shape>> | null)?.chain !== "function") {
    const expected = "a fast-check arbitrary of shapes, such as shapes() or fc.constant([2, 3])";
    throw new ArgumentError(`tensors: got ${showValue(shape)} as the shape, expected ${expected}`);
  }
  const number = numberFrom("tensors", options);
  return shape.chain((own) => {
    expectShape("tensors", own);
    return arraysOf(number, sizeOf(own)).map((values) => ({ shape: own, values }));
  });
}

/** The tensor of an example, in the current scope. @throws ArgumentError, ShapeError or DTypeError for wrong arguments */
export function toTensor(example: TensorExample, dtype: DType = "float32"): Tensor {
  expectObject("toTensor", "the example", example, ["shape", "values"]);
  expectTypeName("toTensor", dtype);
  const { shape, values } = example;
  return tensor(values, { shape, dtype });
}

/** Two tensors whose shapes broadcast: either may have axes of length 1 or lack leading axes. */
export const broadcastablePairs = (): fc.Arbitrary<[TensorExample, TensorExample]> =>
  fc
    .gen()
    .map((gen) => broadcastPair(drawFrom(gen)))
    .chain(([a, b]) => fc.tuple(tensors(fc.constant(a)), tensors(fc.constant(b))));

/**
 * Turns a fast-check generator into the source of random choices of a domain.
 *
 * @throws ArgumentError unless `gen` is a function, what `fc.gen()` draws
 */
export function drawFrom(gen: fc.GeneratorValue): Draw {
  expectFunction("drawFrom", "the generator", gen);
  return {
    integer: (min, max) => {
      if (!Number.isInteger(min) || !Number.isInteger(max) || min > max) {
        const given = `${showValue(min)} and ${showValue(max)}`;
        throw new ArgumentError(`draw.integer: got ${given}, expected two whole numbers, the smaller one first`);
      }
      return gen(fc.integer, { min, max });
    },
    oneOf: (choices) => {
      expectArray("draw.oneOf", "the choices", choices);
      if (choices.length === 0) throw new ArgumentError("draw.oneOf: got no choices, expected at least one");
      return choices[gen(fc.integer, { min: 0, max: choices.length - 1 })]!;
    },
  };
}

/**
 * Numbers for one input of an operation, within its domain.
 *
 * @throws ArgumentError or ShapeError for arguments of another kind; RangeError if the domain has no number
 */
export function inputFrom(domain: InputDomain, random: Random): CheckInput {
  expectObject("inputFrom", "the domain", domain, ["kind", "shape", "range"]);
  const { kind, shape, range } = domain;
  if (kind !== "real" && kind !== "index") {
    const given = showValue(kind);
    throw new ArgumentError(`inputFrom: got ${given} as the kind, expected "real" or "index" (see domains)`);
  }
  expectShape("inputFrom", shape);
  if (!Array.isArray(range) || !(range[0] <= range[1])) {
    const given = Array.isArray(range) ? `[${range.join(", ")}]` : showValue(range);
    throw new ArgumentError(`inputFrom: got ${given} as the range, expected [smallest, largest]`);
  }
  expectInstance("inputFrom", "the random numbers", random, Random);
  const length = sizeOf(shape);
  if (domain.kind === "index") {
    const [from, to] = domain.range;
    return { shape, values: Int32Array.from({ length }, () => from + random.integer(to - from + 1)), dtype: "int32" };
  }
  const { avoid = [], lattice, distinct, fixed = false } = domain;
  const [low, high] = domain.range;
  if (avoid.length > 0) intervals("inputFrom", low, high, avoid); // the loop below would not end
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

/** @param where  the function that the operation was passed to */
function operationOf(where: string, given: OperationLike): Operation {
  const { operation = given } = Object(given) as { operation?: OperationLike };
  const expected = "an operation, or a function that defineOperation returned";
  if (typeof (operation as Partial<Operation> | null)?.domain === "function") return operation as Operation;
  throw new ArgumentError(`${where}: got ${showValue(given)} as the operation, expected ${expected}`);
}

/** A sample of the operation's domain, which its author wrote. */
function sampleOf(where: string, { name, domain }: Operation, draw: Draw): ReturnType<Operation["domain"]> {
  const sample = domain(draw);
  expectObject(where, `what the domain of ${name} returned`, sample, ["inputs"]);
  expectArray(where, `the inputs that the domain of ${name} returned`, sample.inputs);
  return sample;
}

/**
 * Inputs and attributes from the domain of an operation.
 *
 * @throws ArgumentError unless an operation is given
 */
export function operationExamples(given: OperationLike): fc.Arbitrary<OperationExample> {
  const operation = operationOf("operationExamples", given);
  return fc.gen().map((gen) => {
    const { inputs, attributes } = sampleOf("operationExamples", operation, drawFrom(gen));
    const random = new Random(gen(fc.integer));
    return { inputs: inputs.map((input) => inputFrom(input, random)), attributes };
  });
}

/**
 * Inputs of extreme size: magnitudes down to 1e-45 and up to the `maxMagnitude` of the operation, by default with infinities and
 * NaN, and magnitudes at which exponentials saturate. All axes have their smallest length, so that there are no sums that cancel.
 *
 * @throws ArgumentError unless an operation is given
 */
export function extremeExamples(given: OperationLike): fc.Arbitrary<OperationExample> {
  const operation = operationOf("extremeExamples", given);
  const { maxMagnitude = Number.POSITIVE_INFINITY } = operation;
  return fc.gen().map((gen) => {
    const smallest: Draw = { integer: (min) => min, oneOf: drawFrom(gen).oneOf };
    const { inputs, attributes } = sampleOf("extremeExamples", operation, smallest);
    const random = new Random(gen(fc.integer));
    const extreme = (input: InputDomain): CheckInput => {
      if (input.kind === "index" || input.fixed) return inputFrom(input, random);
      const values = Float64Array.from({ length: sizeOf(input.shape) }, () => gen(extremeNumber, maxMagnitude));
      return { shape: input.shape, values };
    };
    return { inputs: inputs.map(extreme), attributes };
  });
}

/** A float32 number. fast-check draws bit patterns, so that all orders of magnitude are equally likely. */
function extremeNumber(largest: number): fc.Arbitrary<number> {
  const max = floatAtMost(largest);
  const saturating = [0, 1, 10, 20, 88, 90, 104, 1e4].filter((value) => value <= max);
  return fc.oneof(
    fc.float({ min: -max, max, noNaN: max < Number.POSITIVE_INFINITY }),
    fc.constantFrom(...saturating, ...saturating.map((value) => -value)),
  );
}

/** Checks the gradient of an operation on one example. @throws GradientError; ArgumentError for arguments of another kind */
export function checkOperation(given: OperationLike, example: OperationExample): void {
  const operation = operationOf("checkOperation", given);
  expectObject("checkOperation", "the example", example, ["inputs"]);
  const { inputs, attributes } = example;
  expectArray("checkOperation", "the inputs of the example", inputs);
  checkGradient(operation.name, (...variables) => apply(operation, variables, attributes), inputs);
}
