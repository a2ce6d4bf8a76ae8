// Every tensor operation against a naive definition: broadcasting, scalars, axes of length 0, all element types.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as t from "../../src/tensor/index.ts";
import {
  anyShapes,
  at,
  broadcastAt,
  broadcastable,
  build,
  dtypes,
  expectTensor,
  floating,
  indicesOf,
  type Naive,
  naiveBroadcast,
  naives,
  precision,
  toTensor,
  valuesOf,
} from "./naive.ts";

const anyType = fc.constantFrom(...dtypes);
const anyNaive = (dtype: t.DType, minRank = 0): fc.Arbitrary<Naive> => naives(anyShapes(minRank), dtype);
/** A property over an element type and a value of that type, in a scope. */
const holds = <T>(
  types: fc.Arbitrary<t.DType>,
  make: (dtype: t.DType) => fc.Arbitrary<T>,
  body: (value: T, dtype: t.DType) => void,
): void => {
  fc.assert(
    fc.property(
      types.chain((dtype) => fc.tuple(make(dtype), fc.constant(dtype))),
      ([value, dtype]) => {
        t.scope(() => body(value, dtype));
      },
    ),
  );
};

// --- One number at a time -------------------------------------------------------------------------------------------

/** Function, definition, range of inputs, and whether it is defined for whole numbers. */
const unaries: readonly (readonly [
  (x: t.Tensor) => t.Tensor,
  string,
  (x: number) => number,
  number,
  number,
  boolean,
])[] = [
  [t.negate, "negate", (x) => -x, -20, 20, true],
  [t.exp, "exp", (x) => Math.E ** x, -5, 5, false],
  [t.log, "log", (x) => Math.log10(x) / Math.log10(Math.E), 1, 20, false],
  [t.sqrt, "sqrt", (x) => x ** 0.5, 0, 20, false],
  [t.rsqrt, "rsqrt", (x) => x ** -0.5, 1, 20, false],
  [t.square, "square", (x) => x ** 2, -20, 20, true],
  [t.reciprocal, "reciprocal", (x) => x ** -1, 1, 20, false],
  [t.abs, "abs", (x) => (x < 0 ? -x : x), -20, 20, true],
  [t.sign, "sign", (x) => (x < 0 ? -1 : x > 0 ? 1 : 0), -20, 20, true],
  [t.tanh, "tanh", (x) => (Math.exp(x) - Math.exp(-x)) / (Math.exp(x) + Math.exp(-x)), -20, 20, false],
  [t.sigmoid, "sigmoid", (x) => 1 / (1 + Math.exp(-x)), -20, 20, false],
  [t.silu, "silu", (x) => x / (1 + Math.exp(-x)), -20, 20, false],
  [t.softplus, "softplus", (x) => Math.log(1 + Math.exp(x)), -20, 20, false],
  [t.relu, "relu", (x) => x * Number(x > 0), -20, 20, true],
];

describe("functions of one number", () => {
  it.each(unaries.map((row) => [row[1], row] as const))(
    "%s agrees with its definition",
    (_, [operation, , definition, low, high, whole]) => {
      holds(
        fc.constantFrom(...(whole ? dtypes : floating)),
        (dtype) => naives(anyShapes(), dtype, low, high),
        (x, dtype) => {
          const expected = { shape: x.shape, values: x.values.map(definition) };
          expectTensor(operation(toTensor(x, dtype)), expected, dtype, precision[dtype]);
        },
      );
    },
  );

  it.each(unaries.filter((row) => !row[5]).map((row) => [row[1], row[0]] as const))(
    "%s is refused for int32",
    (name, operation) => {
      t.scope(() => {
        expect(() => operation(t.tensor([1], { dtype: "int32" }))).toThrow(
          new t.DTypeError(`${name}: got int32, expected float32 or float64 (see cast)`),
        );
      });
    },
  );

  it("functions of one number are correct at the ends of the range", () => {
    t.scope(() => {
      const far = t.tensor([-1e4, -800, 800, 1e4], { dtype: "float64" });
      expect(valuesOf(t.sigmoid(far))).toEqual([0, 0, 1, 1]);
      expect(valuesOf(t.tanh(far))).toEqual([-1, -1, 1, 1]);
      expect(valuesOf(t.softplus(far))).toEqual([0, 0, 800, 1e4]);
      expect(valuesOf(t.silu(far)).map((v) => v + 0)).toEqual([0, 0, 800, 1e4]);
      const tiny = t.tensor([1e-20], { dtype: "float64" });
      expect(valuesOf(t.softplus(t.negate(t.log(t.reciprocal(tiny)))))[0]).toBeCloseTo(1e-20, 30);
    });
  });

  it("functions of one number return NaN for NaN", () => {
    t.scope(() => {
      const nan = t.tensor([Number.NaN]);
      for (const [operation, name] of unaries) expect(valuesOf(operation(nan)), name).toEqual([Number.NaN]);
    });
  });

  it("affine is scale · x + shift", () => {
    holds(
      anyType,
      (dtype) => fc.tuple(anyNaive(dtype), fc.integer({ min: -3, max: 3 }), fc.integer({ min: -5, max: 5 })),
      ([x, scale, shift], dtype) => {
        const expected = { shape: x.shape, values: x.values.map((v) => scale * v + shift) };
        expectTensor(t.affine(toTensor(x, dtype), scale, shift), expected, dtype);
        expectTensor(t.affine(toTensor(x, dtype), scale), { ...x, values: x.values.map((v) => scale * v) }, dtype);
      },
    );
  });

  it("cast converts between all types and cuts off fractions", () => {
    holds(
      anyType,
      (dtype) => fc.tuple(anyNaive(dtype), anyType),
      ([x, to], dtype) => expectTensor(t.cast(toTensor(x, dtype), to), x, to),
    );
    t.scope(() => expect(valuesOf(t.cast(t.tensor([1.9, -1.9, 0.1]), "int32"))).toEqual([1, -1, 0]));
  });
});

// --- Two numbers at a time ------------------------------------------------------------------------------------------

const binaries: readonly (readonly [
  (a: t.Tensor, b: t.Tensor) => t.Tensor,
  string,
  (a: number, b: number) => number,
  boolean,
])[] = [
  [t.add, "add", (a, b) => a + b, true],
  [t.subtract, "subtract", (a, b) => a - b, true],
  [t.multiply, "multiply", (a, b) => a * b, true],
  [t.divide, "divide", (a, b) => a / b, false],
  [t.maximum, "maximum", (a, b) => [a, b][Number(b > a)]!, true],
  [t.atan2, "atan2", (a, b) => Math.atan2(a, b), false],
  [t.greater, "greater", (a, b) => Number(a > b), true],
  [t.equal, "equal", (a, b) => Number(a === b), true],
];

const pairs = (dtype: t.DType): fc.Arbitrary<Naive[]> =>
  broadcastable(2).chain((shapes) => fc.tuple(...shapes.map((shape) => naives(fc.constant(shape), dtype, -3, 3))));

describe("functions of two numbers, broadcast", () => {
  it.each(binaries.map((row) => [row[1], row] as const))(
    "%s agrees with its definition",
    (_, [operation, name, definition, whole]) => {
      holds(fc.constantFrom(...(whole ? dtypes : floating)), pairs, ([a, b0], dtype) => {
        const b = name === "divide" ? { ...b0!, values: b0!.values.map((v) => v || 1) } : b0!;
        const shape = naiveBroadcast(a!.shape, b.shape)!;
        const expected = build(shape, (index) => definition(broadcastAt(a!, index), broadcastAt(b, index)));
        expectTensor(operation(toTensor(a!, dtype), toTensor(b, dtype)), expected, dtype, precision[dtype]);
      });
    },
  );

  it("shapes that do not fit, two element types, and division of int32 are refused", () => {
    t.scope(() => {
      const [two, three] = [t.zeros([2, 2]), t.zeros([2, 3])];
      for (const [operation, name] of binaries) {
        expect(() => operation(two, three)).toThrow(
          new t.ShapeError(`${name}: cannot broadcast [2, 2] with [2, 3] (last axis: 2 against 3)`),
        );
        expect(() => operation(two, t.zeros([2, 2], "float64"))).toThrow(
          new t.DTypeError(`${name}: got float32 and float64, expected one element type (see cast)`),
        );
      }
      const whole = t.zeros([2], "int32");
      expect(() => t.divide(whole, whole)).toThrow("divide: got int32, expected float32 or float64");
      expect(() => t.atan2(whole, whole)).toThrow(t.DTypeError);
    });
  });

  it("add, divide and maximum of example tensors", () => {
    t.scope(() => {
      expect(valuesOf(t.add(t.tensor([[1], [2]]), t.tensor([10, 20, 30])))).toEqual([11, 21, 31, 12, 22, 32]);
      expect(valuesOf(t.divide(t.tensor([1, -1, 0]), t.zeros([])))).toEqual([Infinity, -Infinity, Number.NaN]);
      expect(valuesOf(t.maximum(t.tensor([Number.NaN, 1]), t.tensor([1, Number.NaN])))).toEqual([
        Number.NaN,
        Number.NaN,
      ]);
    });
  });

  it("select is a where the condition is not 0, else b, all broadcast", () => {
    holds(
      anyType,
      (dtype) =>
        broadcastable(3).chain((shapes) =>
          fc.tuple(
            naives(fc.constant(shapes[0]!), "int32", 0, 1),
            naives(fc.constant(shapes[1]!), dtype),
            naives(fc.constant(shapes[2]!), dtype),
            anyType,
          ),
        ),
      ([c, a, b, type], dtype) => {
        const shape = naiveBroadcast(c.shape, naiveBroadcast(a.shape, b.shape)!)!;
        const expected = build(shape, (i) => (broadcastAt(c, i) !== 0 ? broadcastAt(a, i) : broadcastAt(b, i)));
        expectTensor(t.select(toTensor(c, type), toTensor(a, dtype), toTensor(b, dtype)), expected, dtype);
      },
    );
    t.scope(() => {
      expect(() => t.select(t.zeros([2]), t.zeros([2]), t.zeros([2], "int32"))).toThrow(t.DTypeError);
      expect(() => t.select(t.zeros([3]), t.zeros([2]), t.zeros([2]))).toThrow(
        "select: cannot broadcast [3] with [2] (last axis: 3 against 2)",
      );
      const elsewhere = t.zeros([2], "float32", new t.ReferenceBackend());
      expect(() => t.select(elsewhere, t.zeros([2]), t.zeros([2]))).toThrow(t.BackendError);
    });
  });
});

// --- Arrangement ------------------------------------------------------------------------------------------------------

const withAxis = (dtype: t.DType): fc.Arbitrary<[Naive, number]> =>
  anyNaive(dtype, 1).chain((x) =>
    fc.tuple(fc.constant(x), fc.integer({ min: -x.shape.length, max: x.shape.length - 1 })),
  );
const positive = (x: Naive, axis: number): number => (axis < 0 ? axis + x.shape.length : axis);
const replaced = (shape: readonly number[], axis: number, value: number): number[] =>
  shape.map((own, i) => (i === axis ? value : own));

describe("arrangement", () => {
  it("reshape keeps the numbers and their order", () => {
    holds(
      anyType,
      (dtype) =>
        anyNaive(dtype).chain((x) =>
          fc.tuple(fc.constant(x), fc.shuffledSubarray([...x.shape], { minLength: x.shape.length })),
        ),
      ([x, shape], dtype) => {
        const made = toTensor(x, dtype);
        expectTensor(t.reshape(made, shape), { ...x, shape }, dtype);
        expectTensor(t.reshape(made, [-1]), { ...x, shape: [x.values.length] }, dtype);
        const free = shape.findIndex((_, axis) => shape.every((length, other) => other === axis || length > 0));
        if (free >= 0) expectTensor(t.reshape(made, replaced(shape, free, -1)), { ...x, shape }, dtype);
      },
    );
    t.scope(() => {
      const x = t.zeros([2, 3]);
      const refused = (shape: number[], message: string): void =>
        expect(() => t.reshape(x, shape)).toThrow(new t.ShapeError(message));
      refused([4], "reshape: cannot view [2, 3] (6 elements) as [4]");
      refused([4, -1], "reshape: cannot view [2, 3] (6 elements) as [4, -1]");
      refused([0, -1], "reshape: cannot view [2, 3] (6 elements) as [0, -1]");
      refused([-2, -3], "reshape: cannot view [2, 3] (6 elements) as [-2, -3]");
      refused([-1, -1, 6], "reshape: got [-1, -1, 6], expected -1 at most once");
      expect(() => t.reshape(t.zeros([0, 3]), [0, -1])).toThrow("reshape: cannot view [0, 3] (0 elements) as [0, -1]");
      expect(t.reshape(t.zeros([0, 3]), [3, -1]).shape).toEqual([3, 0]);
    });
  });

  it("permute is out[i_axes] = x[i]", () => {
    holds(
      anyType,
      (dtype) =>
        anyNaive(dtype).chain((x) =>
          fc.tuple(
            fc.constant(x),
            fc.shuffledSubarray([...x.shape.keys()], { minLength: x.shape.length }),
            fc.boolean(),
          ),
        ),
      ([x, axes, negative], dtype) => {
        const expected = build(
          axes.map((axis) => x.shape[axis]!),
          (index) => {
            const source: number[] = [];
            axes.forEach((axis, i) => {
              source[axis] = index[i]!;
            });
            return at(x, source);
          },
        );
        const asked = negative ? axes.map((axis) => axis - axes.length) : axes;
        expectTensor(t.permute(toTensor(x, dtype), asked), expected, dtype);
      },
    );
    t.scope(() => {
      const x = t.zeros([2, 3]);
      expect(() => t.permute(x, [0])).toThrow("permute: got axes [0], expected each axis of [2, 3] once");
      expect(() => t.permute(x, [0, 0])).toThrow("permute: got axes [0, 0], expected each axis of [2, 3] once");
      expect(() => t.permute(x, [0, 2])).toThrow("permute: no axis 2 in shape [2, 3]");
    });
  });

  it("swapLastTwo gives the axes of a transpose", () => {
    expect([t.swapLastTwo(2), t.swapLastTwo(4)]).toEqual([
      [1, 0],
      [0, 1, 3, 2],
    ]);
  });

  it("broadcastTo repeats along axes of length 1 and missing axes", () => {
    holds(
      anyType,
      (dtype) =>
        broadcastable(1).chain(([own]) =>
          fc.tuple(
            naives(fc.constant(own!), dtype),
            fc.array(fc.nat(2), { maxLength: 2 }),
            fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
          ),
        ),
      ([x, leading, stretch], dtype) => {
        const shape = [...leading, ...x.shape.map((length, axis) => (length === 1 ? stretch[axis]! : length))];
        const expected = build(shape, (index) => broadcastAt(x, index));
        expectTensor(t.broadcastTo(toTensor(x, dtype), shape), expected, dtype);
      },
    );
    t.scope(() => {
      expect(() => t.broadcastTo(t.zeros([2, 3]), [3])).toThrow(
        new t.ShapeError("broadcastTo: cannot repeat [2, 3] to fill [3]"),
      );
      expect(() => t.broadcastTo(t.zeros([2, 3]), [2, 4])).toThrow("broadcastTo: cannot repeat [2, 3] to fill [2, 4]");
      expect(() => t.broadcastTo(t.zeros([0]), [1])).toThrow("broadcastTo: cannot repeat [0] to fill [1]");
    });
  });

  it("sumTo sums over the axes that broadcastTo repeats", () => {
    holds(anyType, pairs, ([x, small], dtype) => {
      const shape = naiveBroadcast(x!.shape, small!.shape)!;
      const full = build(shape, (index) => broadcastAt(x!, index));
      const expected = build(small!.shape, (target) =>
        indicesOf(shape)
          .filter((index) =>
            index
              .slice(shape.length - small!.shape.length)
              .every((i, axis) => target[axis] === (small!.shape[axis] === 1 ? 0 : i)),
          )
          .reduce((sum, index) => sum + at(full, index), 0),
      );
      expectTensor(t.sumTo(toTensor(full, dtype), small!.shape), expected, dtype, precision[dtype]);
    });
  });

  it("slice gives elements start to end - 1 along an axis", () => {
    holds(
      anyType,
      (dtype) => fc.tuple(withAxis(dtype), fc.nat(), fc.nat()),
      ([[x, axis], p, q], dtype) => {
        const length = x.shape.at(axis)!;
        const [start, end] = [p % (length + 1), q % (length + 1)].sort((a, b) => a - b) as [number, number];
        const where = positive(x, axis);
        const expected = build(replaced(x.shape, where, end - start), (index) =>
          at(
            x,
            index.map((i, own) => (own === where ? i + start : i)),
          ),
        );
        expectTensor(t.slice(toTensor(x, dtype), axis, start, end), expected, dtype);
      },
    );
    t.scope(() => {
      const x = t.zeros([2, 3]);
      for (const [start, end] of [
        [0, 4],
        [-1, 2],
        [2, 1],
        [0.5, 2],
      ] as const) {
        expect(() => t.slice(x, -1, start, end)).toThrow(
          new t.ShapeError(`slice: got ${start}..${end} along axis -1 of [2, 3], expected within 0..3`),
        );
      }
      expect(() => t.slice(x, 2, 0, 1)).toThrow("slice: no axis 2 in shape [2, 3]");
    });
  });

  it("concat joins the parts in order", () => {
    holds(
      anyType,
      (dtype) =>
        withAxis(dtype).chain(([x, axis]) =>
          fc.tuple(
            fc.constant(axis),
            fc
              .array(fc.nat(3), { minLength: 1, maxLength: 4 })
              .chain((lengths) =>
                fc.tuple(
                  ...lengths.map((length) => naives(fc.constant(replaced(x.shape, positive(x, axis), length)), dtype)),
                ),
              ),
          ),
        ),
      ([axis, parts], dtype) => {
        const where = positive(parts[0]!, axis);
        const lengths = parts.map(({ shape }) => shape[where]!);
        const total = lengths.reduce((a, b) => a + b, 0);
        const expected = build(replaced(parts[0]!.shape, where, total), (index) => {
          let [part, i] = [0, index[where]!];
          while (i >= lengths[part]!) i -= lengths[part++]!;
          return at(parts[part]!, replaced(index, where, i));
        });
        const made = parts.map((part) => toTensor(part, dtype));
        expectTensor(t.concat(made, axis), expected, dtype);
      },
    );
    t.scope(() => {
      expect(() => t.concat([], 0)).toThrow(new t.ShapeError("concat: got no tensors, expected at least one"));
      expect(() => t.concat([t.zeros([2, 3]), t.zeros([3, 3])], -1)).toThrow(
        new t.ShapeError("concat: got [2, 3] and [3, 3], expected equal lengths except along axis 1"),
      );
      expect(() => t.concat([t.zeros([2, 3]), t.zeros([2])], 0)).toThrow("concat: got [2, 3] and [2]");
      expect(() => t.concat([t.zeros([]), t.zeros([])], 0)).toThrow("concat: no axis 0 in shape []");
      expect(() => t.concat([t.zeros([2]), t.zeros([2], "int32")], 0)).toThrow(t.DTypeError);
    });
  });

  it("pad adds zeros before and after along an axis", () => {
    holds(
      anyType,
      (dtype) => fc.tuple(withAxis(dtype), fc.nat(2), fc.nat(2)),
      ([[x, axis], before, after], dtype) => {
        const where = positive(x, axis);
        const length = x.shape[where]!;
        const expected = build(replaced(x.shape, where, before + length + after), (index) => {
          const i = index[where]! - before;
          return i < 0 || i >= length ? 0 : at(x, replaced(index, where, i));
        });
        expectTensor(t.pad(toTensor(x, dtype), axis, before, after), expected, dtype);
      },
    );
    t.scope(() => {
      for (const [before, after] of [
        [-1, 0],
        [0, -1],
        [0.5, 0.5],
      ] as const) {
        expect(() => t.pad(t.zeros([2, 3]), 1, before, after)).toThrow(
          new t.ShapeError(`pad: got ${before} before and ${after} after, expected whole numbers of 0 or more`),
        );
      }
    });
  });
});

// --- Reductions ---------------------------------------------------------------------------------------------------------

const withAxes = (dtype: t.DType): fc.Arbitrary<[Naive, number[] | undefined, boolean]> =>
  anyNaive(dtype).chain((x) =>
    fc.tuple(fc.constant(x), fc.option(fc.subarray([...x.shape.keys()]), { nil: undefined }), fc.boolean()),
  );

/** Folds the elements over the axes. */
function naiveReduce(x: Naive, axes: readonly number[], keepAxes: boolean, fold: (values: number[]) => number): Naive {
  const kept = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  const reduced = build(kept, (target) =>
    fold(
      indicesOf(x.shape)
        .filter((index) => index.every((i, axis) => axes.includes(axis) || target[axis] === i))
        .map((index) => at(x, index)),
    ),
  );
  return keepAxes ? reduced : { ...reduced, shape: kept.filter((_, axis) => !axes.includes(axis)) };
}

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe("reductions", () => {
  it("sum adds over any axes", () => {
    holds(anyType, withAxes, ([x, axes, keepAxes], dtype) => {
      const expected = naiveReduce(x, axes ?? [...x.shape.keys()], keepAxes, total);
      const made = toTensor(x, dtype);
      expectTensor(t.sum(made, axes, keepAxes), expected, dtype, precision[dtype]);
      const negative = axes?.map((axis) => axis - x.shape.length);
      expectTensor(t.sum(made, negative, keepAxes), expected, dtype, precision[dtype]);
    });
  });

  it("mean divides the sum by the number of elements", () => {
    holds(fc.constantFrom(...floating), withAxes, ([x, axes, keepAxes], dtype) => {
      const expected = naiveReduce(x, axes ?? [...x.shape.keys()], keepAxes, (v) => total(v) / v.length);
      const made = t.mean(toTensor(x, dtype), axes, keepAxes);
      // The mean of no numbers is NaN, like 0 / 0.
      if (x.values.length === 0) expectTensor(made, expected, dtype);
      else expectTensor(made, expected, dtype, precision[dtype]);
    });
    t.scope(() => {
      expect(
        valuesOf(
          t.mean(
            t.tensor([
              [1, 2],
              [3, 6],
            ]),
            [0],
          ),
        ),
      ).toEqual([2, 4]);
      expect(() => t.mean(t.tensor([1, 2], { dtype: "int32" }))).toThrow(
        "mean: got int32, expected float32 or float64 (see cast)",
      );
    });
  });

  it("mean releases its intermediate results", () => {
    const backend = new t.ReferenceBackend();
    const x = t.tensor([1, 2, 3], { backend });
    t.mean(x).dispose();
    x.dispose();
    expect(backend.memory().liveBytes).toBe(0);
  });

  it("max gives the largest element, and is refused over an axis of length 0", () => {
    holds(anyType, withAxes, ([x, axes, keepAxes], dtype) => {
      const over = axes ?? [...x.shape.keys()];
      const made = toTensor(x, dtype);
      const empty = x.values.length === 0 && naiveReduce(x, over, false, () => 0).values.length > 0;
      if (empty) {
        expect(() => t.max(made, axes, keepAxes)).toThrow(t.ShapeError);
      } else {
        expectTensor(
          t.max(made, axes, keepAxes),
          naiveReduce(x, over, keepAxes, (v) => Math.max(...v)),
          dtype,
        );
      }
    });
    t.scope(() => {
      expect(() => t.max(t.zeros([2, 0]), [1])).toThrow(
        new t.ShapeError("max: got [2, 0], expected at least one element along axis 1"),
      );
      expect(t.max(t.zeros([0, 0]), [1]).shape).toEqual([0]);
      expect(valuesOf(t.max(t.tensor([-3, -1, -2])))).toEqual([-1]);
      expect(valuesOf(t.max(t.tensor([1, Number.NaN])))).toEqual([Number.NaN]);
    });
  });

  it("argmax gives the first of the largest along the last axis", () => {
    holds(
      anyType,
      (dtype) => naives(anyShapes(1), dtype, -1, 1),
      (x, dtype) => {
        const made = toTensor(x, dtype);
        const leading = x.shape.slice(0, -1);
        if (x.shape.at(-1) === 0 && t.sizeOf(leading) > 0) {
          expect(() => t.argmax(made)).toThrow(t.ShapeError);
          return;
        }
        const expected = build(leading, (index) => {
          const row = Array.from({ length: x.shape.at(-1)! }, (_, i) => at(x, [...index, i]));
          return row.indexOf(Math.max(...row));
        });
        expectTensor(t.argmax(made), expected, "int32");
      },
    );
    t.scope(() => {
      expect(() => t.argmax(t.zeros([2, 0]))).toThrow(
        new t.ShapeError("argmax: got [2, 0], expected at least one element along axis 1"),
      );
      expect(() => t.argmax(t.zeros([]))).toThrow("argmax: no axis -1 in shape []");
    });
  });

  it("axes that do not exist or are listed twice are refused", () => {
    t.scope(() => {
      expect(() => t.sum(t.zeros([2, 3]), [2])).toThrow(new t.ShapeError("sum: no axis 2 in shape [2, 3]"));
      expect(() => t.sum(t.zeros([2, 3]), [0, -2])).toThrow(
        new t.ShapeError("sum: got axes [0, -2] of [2, 3], expected each at most once"),
      );
      expect(() => t.mean(t.zeros([2, 3]), [-3])).toThrow("mean: no axis -3 in shape [2, 3]");
    });
  });
});

// --- Rows of a table ------------------------------------------------------------------------------------------------------

describe("rows of a table", () => {
  const lookups = (dtype: t.DType): fc.Arbitrary<{ table: Naive; ids: Naive; x: Naive }> =>
    fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(3), anyShapes()).chain(([rows, width, shape]) =>
      fc.record({
        table: naives(fc.constant([rows, width]), dtype),
        ids: naives(fc.constant(shape), "int32", 0, rows - 1),
        x: naives(fc.constant([...shape, width]), dtype),
      }),
    );

  it("gatherRows is out[i] = table[ids[i]]", () => {
    holds(anyType, lookups, ({ table, ids }, dtype) => {
      const expected = build([...ids.shape, table.shape[1]!], (index) =>
        at(table, [at(ids, index.slice(0, -1)), index.at(-1)!]),
      );
      expectTensor(t.gatherRows(toTensor(table, dtype), toTensor(ids, "int32")), expected, dtype);
    });
  });

  it("scatterRows adds x[i] to row ids[i]", () => {
    holds(anyType, lookups, ({ table, ids, x }, dtype) => {
      const rows = table.shape[0]!;
      const expected = build(table.shape, ([row, column]) =>
        total(
          indicesOf(ids.shape)
            .filter((index) => at(ids, index) === row)
            .map((index) => at(x, [...index, column!])),
        ),
      );
      expectTensor(t.scatterRows(toTensor(ids, "int32"), toTensor(x, dtype), rows), expected, dtype, precision[dtype]);
    });
  });

  it("an index out of range is refused with its position", () => {
    t.scope(() => {
      const table = t.zeros([3, 2]);
      const ids = (values: number[]): t.Tensor => t.tensor(values, { dtype: "int32" });
      expect(() => t.gatherRows(table, ids([0, 3]))).toThrow(
        new t.ShapeError("gatherRows: got index 3 at position 1, expected 0..2"),
      );
      expect(() => t.gatherRows(table, ids([-1]))).toThrow("gatherRows: got index -1 at position 0, expected 0..2");
      expect(() => t.scatterRows(ids([7]), t.zeros([1, 2]), 3)).toThrow("got index 7 at position 0, expected 0..2");
      expect(() => t.gatherRows(t.zeros([3]), ids([0]))).toThrow("gatherRows: got table [3], expected [rows, width]");
      expect(() => t.gatherRows(table, t.zeros([1]))).toThrow(
        new t.DTypeError("gatherRows: got float32, expected int32"),
      );
      expect(() => t.scatterRows(t.zeros([1]), t.zeros([1, 2]), 3)).toThrow("scatterRows: got float32, expected int32");
      expect(() => t.scatterRows(ids([0, 1]), t.zeros([3, 2]), 3)).toThrow(
        new t.ShapeError("scatterRows: got ids [2] and x [3, 2], expected x [2, width]"),
      );
    });
  });
});

// --- In place ---------------------------------------------------------------------------------------------------------------

describe("updates in place", () => {
  const settings = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, weightDecay: 0.5, step: 3, epsilon: 1e-3 };
  const state = (dtype: t.DType = "float64") => ({
    p: t.tensor([1, -2, 3], { dtype }),
    m: t.tensor([0.1, 0.2, -0.3], { dtype }),
    v: t.tensor([0.01, 0.04, 0], { dtype }),
  });
  const gradient = [0.5, -1, 0];

  it.each(["adamAtan2", "adamW"] as const)("%s agrees with its definition", (rule) => {
    t.scope(() => {
      const { p, m, v } = state();
      const [p0, m0, v0] = [p, m, v].map(valuesOf);
      const before = [p, m, v].map((one) => one.storage.version);
      t.adamUpdate(rule, { p, m, v }, t.tensor(gradient, { dtype: "float64" }), settings);
      const first = m0!.map((own, i) => 0.9 * own + 0.1 * gradient[i]!);
      const second = v0!.map((own, i) => 0.99 * own + 0.01 * gradient[i]! ** 2);
      const expected = p0!.map((own, i) => {
        const [mean, deviation] = [first[i]! / (1 - 0.9 ** 3), Math.sqrt(second[i]! / (1 - 0.99 ** 3))];
        // The correction of the first moment is outside atan2, as in the official optimizer.
        const direction =
          rule === "adamW" ? mean / (deviation + 1e-3) : Math.atan2(first[i]!, deviation) / (1 - 0.9 ** 3);
        return own * (1 - 0.1 * 0.5) - 0.1 * direction;
      });
      expectTensor(m, { shape: [3], values: first }, "float64", 1e-14);
      expectTensor(v, { shape: [3], values: second }, "float64", 1e-14);
      expectTensor(p, { shape: [3], values: expected }, "float64", 1e-14);
      expect([p, m, v].map((one) => one.storage.version)).toEqual(before.map((version) => version + 1));
    });
  });

  it("signSgd moves the listed rows by the sign of the sum of their gradients", () => {
    t.scope(() => {
      const table = t.tensor([
        [1, 1],
        [2, 2],
        [4, 4],
      ]);
      const ids = t.tensor([2, 0, 2], { dtype: "int32" });
      const before = table.storage.version;
      t.signSgdUpdate(
        table,
        ids,
        t.tensor([
          [1, -3],
          [-1, 0],
          [-2, 1],
        ]),
        0.5,
        0.5,
      );
      expect(valuesOf(table)).toEqual([0.75 + 0.5, 0.75, 2, 2, 3 + 0.5, 3 + 0.5]);
      expect(table.storage.version).toBe(before + 1);
    });
  });

  it("the moving average is rate · average + (1 - rate) · value", () => {
    t.scope(() => {
      const average = t.tensor([1, 2, 4]);
      const before = average.storage.version;
      t.updateMovingAverage(average, t.tensor([3, 2, 0]), 0.75);
      expect([valuesOf(average), average.storage.version]).toEqual([[1.5, 2, 3], before + 1]);
    });
  });

  it("assign replaces the numbers of a tensor", () => {
    t.scope(() => {
      const x = t.tensor([[1, 2]]);
      const before = x.storage.version;
      t.assign(x, [3, 4]);
      expect([valuesOf(x), x.storage.version]).toEqual([[3, 4], before + 1]);
      t.assign(x, t.tensor([[5, 6]]));
      expect([valuesOf(x), x.storage.version]).toEqual([[5, 6], before + 2]);
      expect(() => t.assign(x, [1])).toThrow(new t.ShapeError("assign: got 1 values, expected 2 for shape [1, 2]"));
    });
  });

  it("updates refuse tensors that do not fit, and change nothing", () => {
    t.scope(() => {
      const { p, m, v } = state();
      const before = p.storage.version;
      const update = (parts: Parameters<typeof t.adamUpdate>[1], own: t.Tensor) => () =>
        t.adamUpdate("adamW", parts, own, settings);
      const right = t.tensor(gradient, { dtype: "float64" });
      expect(update({ p, m, v }, t.zeros([2], "float64"))).toThrow(
        new t.ShapeError("adamW: got [3] and [2], expected equal shapes"),
      );
      expect(update({ p, m: t.zeros([4], "float64"), v }, right)).toThrow(
        "adamW: got [3] and [4], expected equal shapes",
      );
      expect(update({ p, m, v: t.zeros([3]) }, right)).toThrow(t.DTypeError);
      expect(() => t.updateMovingAverage(p, t.zeros([2, 2], "float64"), 0.5)).toThrow(
        "updateMovingAverage: got [3] and [2, 2], expected equal shapes",
      );
      expect([valuesOf(p), p.storage.version]).toEqual([[1, -2, 3], before]);
    });
  });
});

describe("results", () => {
  it("results are new tensors of the current scope, on the backend of their inputs", () => {
    const backend = new t.ReferenceBackend();
    t.scope(() => {
      const x = t.tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { backend },
      );
      const made = [
        t.exp(x),
        t.add(x, x),
        t.sum(x),
        t.permute(x, [1, 0]),
        t.concat([x, x], 0),
        t.matmul(x, x),
        t.argmax(x),
      ];
      expect(made.every((one) => one.backend === backend)).toBe(true);
    });
    expect(backend.memory().liveBytes).toBe(0);
  });
});
