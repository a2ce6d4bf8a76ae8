// Tensor operations on numbers from denormals to the largest float32, against the same operation in double precision.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binaryFunctions, unaryFunctions } from "../../src/tensor/elementwise.ts";
import * as t from "../../src/tensor/index.ts";
import { valuesOf } from "./naive.ts";
import { builds, on, reference } from "./wasm-backends.ts";

const extreme = fc
  .oneof(
    fc.constantFrom(0, -0, 1, -1, 2 ** -149, 1e-42, 1e-38, 1e-30, -1e-30, 1e30, -1e30, 1e38, 3e38, -3e38),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    fc.float(),
  )
  .map(Math.fround);
const extremes = fc.array(extreme, { minLength: 1, maxLength: 30 });

describe.each([reference, ...builds].map((backend) => [`${backend.name}, ${backend.build}`, backend] as const))(
  "extreme numbers: %s",
  (_, backend) => {
    const vector = (values: readonly number[]): t.Tensor => on(backend, [values.length], values);
    /** A denormal result may differ by a rounding step, and every other by three parts in ten million. */
    const expectRounded = (got: readonly number[], exact: readonly number[], inputs: unknown): void => {
      exact.forEach((x, i) => {
        const want = Math.fround(x);
        const isClose = Number.isFinite(want) && Math.abs(got[i]! - want) <= 3e-7 * Math.abs(want) + 1.5e-45;
        const isLimit = Object.is(got[i]! + 0, want + 0) || (Math.abs(x) > 3.4028e38 && Math.abs(got[i]!) > 3.4028e38);
        if (!isClose && !isLimit) expect({ inputs, i, value: got[i] }).toEqual({ inputs, i, value: want });
      });
    };

    // silu multiplies the rounding error of its sigmoid: see wasm-extremes.test.ts.
    it.each(Object.entries(unaryFunctions).filter(([name]) => name !== "silu"))(
      "%s is its formula, rounded",
      (name, { formula }) => {
        const operation = (x: t.Tensor): t.Tensor => {
          const out = t.emptyLike(x);
          backend.kernels.unary(name as t.UnaryName, out, x);
          return out;
        };
        fc.assert(
          fc.property(extremes, (values) => {
            t.scope(() => {
              expectRounded(valuesOf(operation(vector(values))), values.map(formula), values);
            });
          }),
        );
      },
    );

    it.each(Object.entries(binaryFunctions))("%s is its formula, rounded", (name, { formula }) => {
      const operation = (a: t.Tensor, b: t.Tensor): t.Tensor => {
        const out = t.emptyLike(a);
        backend.kernels.binary(name as t.BinaryName, out, a, b);
        return out;
      };
      fc.assert(
        fc.property(fc.array(fc.tuple(extreme, extreme), { minLength: 1, maxLength: 30 }), (pairs) => {
          t.scope(() => {
            const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
            expectRounded(
              valuesOf(operation(vector(a), vector(b))),
              a.map((x, i) => formula(x, b[i]!)),
              pairs,
            );
          });
        }),
      );
    });

    it("sum and max over one axis leave float32 only if the result does", () => {
      fc.assert(
        fc.property(extremes, (values) => {
          t.scope(() => {
            const x = vector(values);
            expectRounded(valuesOf(t.sum(x)), [values.reduce((total, value) => total + value, 0)], values);
            expectRounded(valuesOf(t.max(x)), [Math.max(...values)], values);
          });
        }),
      );
      t.scope(() =>
        expect(valuesOf(t.sum(vector([3e38, 3e38, -3e38, -1e38])))).toEqual([
          Math.fround(2 * Math.fround(3e38) - Math.fround(3e38) - Math.fround(1e38)),
        ]),
      );
    });

    it("sum and mean over several axes are rounded once, so that they leave float32 only if the result does", () => {
      const cubes = fc.record({
        values: fc.array(extreme, { minLength: 12, maxLength: 12 }),
        axes: fc.subarray([0, 1, 2]).chain((axes) => fc.shuffledSubarray(axes, { minLength: axes.length })),
      });
      fc.assert(
        fc.property(cubes, ({ values, axes }) => {
          t.scope(() => {
            const x = on(backend, [2, 3, 2], values);
            const totals = new Map<string, number>();
            for (const [i, value] of values.entries()) {
              const place = [Math.floor(i / 6), Math.floor(i / 2) % 3, i % 2].filter((_, axis) => !axes.includes(axis));
              totals.set(place.join(), (totals.get(place.join()) ?? 0) + value);
            }
            const exact = [...totals.values()];
            expectRounded(valuesOf(t.sum(x, axes)), exact, { values, axes });
            const means = exact.map((total) => (total * totals.size) / values.length);
            expectRounded(valuesOf(t.mean(x, axes)), means, { values, axes });
          });
        }),
      );
    });

    it("sum and mean over several axes keep a total whose parts leave float32", () => {
      t.scope(() => {
        const largest = Math.fround(3e38);
        const x = on(backend, [2, 2, 2], [3e38, 1, 3e38, 1, -3e38, 1, -3e38, 1]);
        expect(valuesOf(t.sum(x, [0, 1]))).toEqual([0, 4]);
        expect(valuesOf(t.sum(on(backend, [2, 2, 2], [3e38, 3e38, 1, 1, -3e38, -3e38, 1, 1]), [2, 0]))).toEqual([0, 4]);
        expect(valuesOf(t.mean(on(backend, [2, 2], [3e38, 3e38, 3e38, 3e38])))).toEqual([largest]);
        expect(valuesOf(t.mean(on(backend, [2, 2], [3e38, 3e38, -3e38, 3e38]), [0]))).toEqual([0, largest]);
      });
    });

    it("matmul of numbers whose products leave float32 is infinite, and of small ones keeps denormals", () => {
      t.scope(() => {
        const product = (x: number, y: number): number =>
          valuesOf(t.matmul(on(backend, [1, 1], [x]), on(backend, [1, 1], [y])))[0]!;
        expect([product(1e30, 1e30), product(-1e30, 1e30), product(1e-30, 1e-12)]).toEqual([
          Number.POSITIVE_INFINITY,
          Number.NEGATIVE_INFINITY,
          Math.fround(Math.fround(1e-30) * Math.fround(1e-12)),
        ]);
      });
    });
  },
);
