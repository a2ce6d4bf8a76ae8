// The public testing entry: fast-check arbitraries for shapes, tensors and operations, and the gradient check, so that a
// course can property-test operations of its own. The only file of src that imports a test library.
import fc from "fast-check";
import { type CheckInput, checkGradient } from "./autograd/check-gradient.ts";
import { broadcastPair, type Draw, type InputDomain } from "./autograd/domain.ts";
import { type AnyOperation, apply } from "./autograd/operation.ts";
import { type DType, Random, type Shape, sizeOf, type Tensor, tensor } from "./tensor/index.ts";

export { type CheckInput, checkGradient } from "./autograd/check-gradient.ts";
export type { Draw } from "./autograd/domain.ts";

/** Shapes of `minRank` to `maxRank` axes of length `minLength` to `maxLength`. */
export const shapes = ({ minRank = 0, maxRank = 4, minLength = 0, maxLength = 5 } = {}): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: minLength, max: maxLength }), { minLength: minRank, maxLength: maxRank });

/** A flat array of `length` float32 numbers; `special` adds NaN, infinities, denormals and very large values. */
export const numbers = (length: number, { min = -10, max = 10, special = false } = {}): fc.Arbitrary<Float32Array> =>
  fc
    .array(
      special
        ? fc.float({ noDefaultInfinity: false })
        : fc.float({ min: Math.fround(min), max: Math.fround(max), noNaN: true }),
      { minLength: length, maxLength: length },
    )
    .map((values) => Float32Array.from(values));

/** Shape and numbers of a tensor; make it inside your scope with `toTensor`. */
export interface TensorExample {
  readonly shape: Shape;
  readonly values: Float32Array;
}

export const tensors = (
  shape: fc.Arbitrary<Shape> = shapes(),
  options: Parameters<typeof numbers>[1] = {},
): fc.Arbitrary<TensorExample> =>
  shape.chain((own) => numbers(sizeOf(own), options).map((values) => ({ shape: own, values })));

export const toTensor = ({ shape, values }: TensorExample, dtype: DType = "float32"): Tensor =>
  tensor(values, { shape, dtype });

/** Two tensors whose shapes broadcast together, on either side and over missing axes. */
export const broadcastablePairs = (): fc.Arbitrary<[TensorExample, TensorExample]> =>
  fc
    .gen()
    .map((gen) => broadcastPair(drawFrom(gen)))
    .chain(([a, b]) => fc.tuple(tensors(fc.constant(a)), tensors(fc.constant(b))));

/** The random choices of an operation's domain, taken from fast-check. */
export function drawFrom(gen: fc.GeneratorValue): Draw {
  return {
    integer: (min, max) => gen(fc.integer, { min, max }),
    oneOf: (choices) => choices[gen(fc.integer, { min: 0, max: choices.length - 1 })]!,
  };
}

/** Numbers for one input of an operation, as its domain describes them. */
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
      if (avoid.every((point) => Math.abs(value - point) >= 0.05)) return value;
    }
  };
  // A ladder around zero with steps of 0.25, shuffled: no two values are closer than 0.2.
  const rung = (_: unknown, i: number): number => 0.25 * (i - Math.floor(length / 2)) + 0.05 * random.uniform();
  const values = distinct ? random.shuffle(Float64Array.from({ length }, rung)) : Float64Array.from({ length }, one);
  return { shape, values, fixed };
}

export interface OperationExample {
  readonly inputs: readonly CheckInput[];
  readonly attributes: unknown;
}

/** Inputs and attributes of an operation, from its domain. */
export const operationExamples = (operation: AnyOperation): fc.Arbitrary<OperationExample> =>
  fc.tuple(fc.gen(), fc.integer()).map(([gen, seed]) => {
    const sample = operation.domain(drawFrom(gen));
    const random = new Random(seed);
    return { inputs: sample.inputs.map((input) => inputFrom(input, random)), attributes: sample.attributes };
  });

/** Checks the gradient of a registered operation on one example. @throws GradientError */
export const checkOperation = (operation: AnyOperation, { inputs, attributes }: OperationExample): void => {
  checkGradient(operation.name, (...variables) => apply(operation, variables, attributes), inputs);
};
