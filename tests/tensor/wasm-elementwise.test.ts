// The elementwise kernels of the WebAssembly backend against exact values, and its memory.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WasmBackend } from "../../src/tensor/backends/wasm/backend.ts";
import * as t from "../../src/tensor/index.ts";
import { valuesOf } from "./naive.ts";
import { builds, normal, on, one, reference, two, unshared } from "./wasm-backends.ts";

describe("elementwise", () => {
  const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1e-42, -1e-42, 3e38, -3e38];

  const { negate, square, sqrt, rsqrt, reciprocal, abs } = t;
  it.each(Object.entries({ negate, square, sqrt, rsqrt, reciprocal, abs }))(
    "%s is the rounded exact value",
    (_, operation) => {
      fc.assert(
        fc.property(fc.array(finite, { maxLength: 40 }), (values) => {
          t.scope(() => {
            const numbers = [...values, ...special];
            const [actual, wanted] = [two, reference].map((b) => valuesOf(operation(on(b, [numbers.length], numbers))));
            actual!.forEach((value, i) => {
              // 1 / √x is rounded twice in wasm and once in the reference.
              if (Number.isFinite(wanted![i]!))
                expect(Math.abs(value - wanted![i]!)).toBeLessThanOrEqual(1.3e-7 * Math.abs(wanted![i]!));
              else expect(value).toBe(wanted![i]);
            });
          });
        }),
      );
    },
  );

  const { add, subtract, multiply, divide, maximum } = t;
  it.each(Object.entries({ add, subtract, multiply, divide, maximum }))("%s is exact", (_, operation) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(finite, finite), { maxLength: 40 }), (pairs) => {
        t.scope(() => {
          const all = [...pairs, ...special.flatMap((a) => special.map((b): [number, number] => [a, b]))];
          const column = (b: t.Backend, which: 0 | 1): t.Tensor =>
            on(
              b,
              [all.length],
              all.map((pair) => pair[which]),
            );
          const run = (b: t.Backend): number[] => valuesOf(operation(column(b, 0), column(b, 1)));
          expect(run(two)).toEqual(run(reference));
        });
      }),
    );
  });

  it.each(Object.entries({ add, subtract, multiply, divide, maximum }))(
    "%s with one number per row is exact, wherever the rows begin",
    (_, operation) => {
      const sizes = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 });
      const numbers = fc.array(fc.oneof(finite, fc.constantFrom(...special)), { minLength: 1, maxLength: 20 });
      fc.assert(
        fc.property(sizes, fc.nat(4), numbers, fc.constantFrom(...builds, two), (shape, kept, values, backend) => {
          t.scope(() => {
            const narrow = shape.map((length, axis) => (axis < kept ? length : 1));
            const run = (b: t.Backend): number[] => {
              const repeated = (of: number[], shift: number): t.Tensor => {
                const size = of.reduce((product, length) => product * length, 1);
                return on(
                  b,
                  of,
                  Float32Array.from({ length: size }, (_, i) => values[(i + shift) % values.length]!),
                );
              };
              return valuesOf(operation(repeated(shape, 0), repeated(narrow, 1)));
            };
            expect(run(backend)).toEqual(run(reference));
          });
        }),
      );
    },
  );

  it.each([
    [
      [3, 7001],
      [3, 1],
    ],
    [
      [2, 3, 5000],
      [2, 1, 1],
    ],
    [[9001], []],
    [
      [5, 4, 700],
      [5, 4, 1],
    ],
  ])("a product of %j with %j is exact across the blocks of the threads", (shape, narrow) => {
    t.scope(() => {
      const run = (b: t.Backend): number[] =>
        valuesOf(multiply(on(b, shape, normal(1, shape)), on(b, narrow, normal(2, narrow))));
      const wanted = run(reference);
      for (const backend of [...builds, two]) expect(run(backend)).toEqual(wanted);
    });
  });

  it.each(builds.map((b) => [b.build, b] as const))("exp has a relative error below 2e-7: %s", (_, backend) => {
    t.scope(() => {
      const x = Float32Array.from({ length: 200_000 }, (_, i) => -87.3 + (i * 176) / 200_000);
      const worst = valuesOf(t.exp(on(backend, [x.length], x))).reduce(
        (w, y, i) => Math.max(w, Math.abs(y / Math.exp(x[i]!) - 1)),
        0,
      );
      expect(worst).toBeLessThan(2e-7);
      const ends = on(backend, [6], [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 89, -200, 0]);
      expect(valuesOf(t.exp(ends))).toEqual([Number.NaN, Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY, 0, 1]);
    });
  });

  it.each(builds.map((b) => [b.build, b] as const))(
    "infinite and NaN moments of Adam-atan2 have the angle of the reference: %s",
    (_, backend) => {
      const settings = { learningRate: 1, beta1: 0.9, beta2: 0.95, weightDecay: 0, step: 1, epsilon: 0 };
      const gradient = [Infinity, -Infinity, 1e25, Number.NaN, 0, 1];
      const [m, v] = [
        [0, 0, 0, 0, 1, Number.NaN],
        [0, 0, 0, 0, Number.NaN, 1],
      ];
      const updated = (on: t.Backend): number[] =>
        t.scope(() => {
          const tensor = (values: readonly number[]) => t.tensor([...values], { backend: on });
          const state = { p: tensor([1, 1, 1, 1, 1, 1]), m: tensor(m), v: tensor(v) };
          t.adamUpdate("adamAtan2", state, tensor(gradient), settings);
          return valuesOf(state.p);
        });
      const [got, wanted] = [updated(backend), updated(reference)];
      expect(got.map(Number.isNaN)).toEqual(wanted.map(Number.isNaN));
      got.forEach((value, i) => {
        if (!Number.isNaN(value)) expect(value).toBeCloseTo(wanted[i]!, 5);
      });
    },
  );

  it.each(builds.map((b) => [b.build, b] as const))(
    "affine with a scale or a shift that float32 does not hold is computed as on the reference: %s",
    (_, backend) => {
      const x = [0, 1e30, Infinity, -2];
      for (const [scale, shift] of [
        [1e39, 0],
        [1e-50, 0],
        [1e-46, 1],
        [1, 1e39],
        [2, -1e-46],
      ] as const) {
        const of = (on: t.Backend): number[] =>
          t.scope(() => valuesOf(t.affine(t.tensor(x, { backend: on }), scale, shift)));
        expect(of(backend), `${scale}, ${shift}`).toEqual(of(reference));
      }
    },
  );

  it.each(builds.map((b) => [b.build, b] as const))(
    "the angle of Adam-atan2 has a relative error below 2e-7: %s",
    (_, backend) => {
      t.scope(() => {
        const n = 100_000;
        const gradient = normal(5, [n]).map((x, i) => x * 10 ** ((i % 17) - 8));
        const v = normal(6, [n]).map((x, i) => (x * 10 ** ((i % 13) - 6)) ** 2);
        // A parameter that has had no gradient: the angle of (0, 0).
        gradient[0] = 0;
        v[0] = 0;
        const zeros = new Float32Array(n);
        const state = { p: on(backend, [n], zeros), m: on(backend, [n], zeros), v: on(backend, [n], v) };
        const settings = { learningRate: 1, beta1: 0, beta2: 0.5, weightDecay: 0, step: 1, epsilon: 0 };
        t.adamUpdate("adamAtan2", state, on(backend, [n], gradient), settings);
        const scale = Math.fround(1 / Math.sqrt(0.5));
        const deviations = valuesOf(state.v).map((x) => Math.fround(Math.fround(Math.sqrt(x)) * scale));
        const worst = valuesOf(state.p).reduce((largest, angle, i) => {
          const wanted = -Math.atan2(gradient[i]!, deviations[i]!);
          return Math.max(largest, wanted === 0 ? Math.abs(angle) : Math.abs(angle / wanted - 1));
        }, 0);
        expect(worst).toBeLessThan(2e-7);
      });
    },
  );
});

describe("memory", () => {
  it("a loop in its steady state allocates nothing new", () => {
    const turn = (): void => {
      t.scope(() => {
        const a = on(two, [50, 40], normal(1, [50, 40]));
        t.matmul(a, on(two, [40, 30], normal(2, [40, 30])));
      });
    };
    for (let i = 0; i < 3; i++) turn();
    const before = two.memory();
    for (let i = 0; i < 100; i++) turn();
    expect(two.memory()).toEqual(before);
  });

  it("full memory is a clear error", () => {
    const small = new WasmBackend({ threads: 1, memoryLimit: 2 ** 22 });
    expect(() => t.zeros([2 ** 21], "float32", small)).toThrow(/memory is full, could not add .* MB/);
  });

  it("memory keeps its contents when it grows, shared or not", () => {
    for (const backend of [one, unshared]) {
      t.scope(() => {
        const first = on(backend, [3], [1, 2, 3]);
        const large = t.full([2 ** 20], 7, "float32", backend);
        expect(valuesOf(first)).toEqual([1, 2, 3]);
        expect(valuesOf(large)[2 ** 20 - 1]).toBe(7);
      });
    }
  });
});
