// NaN, infinities, denormals and very large numbers in the products and the fused kernels of the WebAssembly backend, compared with the
// reference kernels.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BlockAxis, Shape, Tensor } from "../../src/tensor/index.ts";
import * as t from "../../src/tensor/index.ts";
import { valuesOf } from "./naive.ts";
import { blank, builds, normal, on, reference } from "./wasm-backends.ts";

const named = builds.map((backend) => [backend.build, backend] as const);

/** Numbers of order 1, a few of which are special. Products of the large numbers are finite, and so are their sums. */
const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-42, -1e-42, 0, -0, 1e17, -1e17];
interface Spots {
  readonly seed: number;
  readonly spots: readonly (readonly [number, number])[];
}
const spotsOf = (values: readonly number[]): fc.Arbitrary<Spots> =>
  fc.record({
    seed: fc.integer({ min: 0, max: 1e6 }),
    spots: fc.array(fc.tuple(fc.nat(100_000), fc.constantFrom(...values)), { maxLength: 4 }),
  });
function numbersWith({ seed, spots }: Spots, shape: Shape): Float32Array {
  const values = normal(seed, shape);
  for (const [at, value] of spots) if (values.length > 0) values[at % values.length] = value;
  return values;
}

/** Expects infinities and NaN at the same positions, and other numbers within their scale. */
function expectAlike(got: Tensor, wanted: Tensor, scales: (i: number) => number): void {
  const values = valuesOf(got);
  valuesOf(wanted).forEach((want, i) => {
    const value = values[i]!;
    const same = Number.isFinite(want) ? Math.abs(value - want) <= scales(i) : Object.is(value, want);
    if (!same) expect({ i, value }).toEqual({ i, value: want });
  });
}

describe.each(named)("matmul: %s", (_, backend) => {
  const size = fc.integer({ min: 1, max: 30 });
  it("matmul treats special numbers like the reference, for all four transpositions", () => {
    const cases = fc.record({
      m: size,
      k: size,
      n: size,
      a: spotsOf(special),
      b: spotsOf(special),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ m, k, n, a, b, transposeA, transposeB }) => {
        t.scope(() => {
          const [shapeA, shapeB] = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]];
          const [left, right] = [numbersWith(a, shapeA), numbersWith(b, shapeB)];
          const product = (target: t.Backend, x: Float32Array, y: Float32Array): Tensor =>
            t.matmul(on(target, shapeA, x), on(target, shapeB, y), { transposeA, transposeB });
          const sizes = (x: Float32Array): Float32Array =>
            x.map((value) => (Number.isFinite(value) ? Math.abs(value) : 0));
          const scale = valuesOf(product(reference, sizes(left), sizes(right)));
          // A denormal term is rounded to a multiple of 1.4e-45.
          expectAlike(
            product(backend, left, right),
            product(reference, left, right),
            (i) => 3e-6 * scale[i]! + k * 1.5e-45,
          );
        });
      }),
      { numRuns: 150 },
    );
  });

  it("matmul overflows to infinity, and keeps denormals", () => {
    t.scope(() => {
      const product = (x: number, y: number): number =>
        valuesOf(t.matmul(on(backend, [1, 1], [x]), on(backend, [1, 1], [y])))[0]!;
      expect(product(3e38, 2)).toBe(Number.POSITIVE_INFINITY);
      expect(product(3e38, -2)).toBe(Number.NEGATIVE_INFINITY);
      expect(product(1e-42, 1)).toBe(Math.fround(1e-42));
    });
  });
});

describe.each(named)("fused kernels: %s", (_, backend) => {
  const sizes = fc.record({
    batch: fc.constantFrom(1, 2, 9),
    length: fc.integer({ min: 2, max: 20 }),
    width: fc.integer({ min: 2, max: 20 }),
    inner: fc.integer({ min: 1, max: 20 }),
    axis: fc.constantFrom<BlockAxis>(-1, -2),
  });

  /** Number of the vector along the axis that contains element i: a row, or a column of a puzzle. */
  const vectorOf = (shape: Shape, axis: BlockAxis, i: number): number => {
    const [length, width] = shape.slice(-2) as [number, number];
    return axis === -1 ? Math.floor(i / width) : Math.floor(i / (length * width)) * width + (i % width);
  };

  /** Index of the element of up that belongs to an element of gate, and vice versa. */
  const partner = (shape: Shape, axis: BlockAxis, i: number): number => {
    const half = (shape.at(axis)! / 2) * (axis === -1 ? 1 : shape.at(-1)!);
    return i + (Math.floor(i / half) % 2 === 0 ? half : -half);
  };

  it("the gate and the norm treat denormals, large numbers and NaN like the reference", () => {
    const values = [Number.NaN, 1e-42, -1e-42, 0, -0, 80, -80, 1e4, -1e4];
    fc.assert(
      fc.property(sizes, spotsOf(values), spotsOf(values), ({ batch, length, width, axis }, first, second) => {
        t.scope(() => {
          const shape = [batch, length, width];
          const wide = shape.map((own, i) => (i === 3 + axis ? 2 * own : own));
          const one = shape.map((own, i) => (i === 3 + axis ? 1 : own));
          const results = [backend, reference].map((target): Tensor[] => {
            const k = target.fused as t.FusedKernels;
            const [u, dy] = [on(target, wide, numbersWith(first, wide)), on(target, shape, normal(1, shape))];
            const [s, du] = [blank(target, shape), blank(target, wide)];
            k.siluGate(s, u, axis);
            k.siluGateBackward(du, u, dy, axis);
            const [h, r] = [
              on(target, shape, numbersWith(first, shape)),
              on(target, shape, numbersWith(second, shape)),
            ];
            const [y, inverse, ds] = [blank(target, shape), blank(target, one), blank(target, shape)];
            k.addRmsNorm(y, inverse, h, r, axis, 1e-5);
            k.addRmsNormBackward(ds, y, inverse, dy, axis);
            return [s, du, y, inverse, ds];
          }) as [Tensor[], Tensor[]];
          const u = numbersWith(first, wide);
          const inverseRms = valuesOf(results[1][3]!);
          results[0].forEach((got, i) => {
            const wanted = valuesOf(results[1][i]!);
            // Two gradients are a difference times a number, so their rounding errors matter where the difference is near 0: the slope
            // of silu times up, and (dy - y · mean) times 1 / rms.
            const factor = (at: number): number => {
              if (i === 1) return Math.max(1, Math.abs(u[partner(wide, axis, at)]!) || 1);
              return i === 4 ? Math.max(1, inverseRms[vectorOf(shape, axis, at)]! || 1) : 1;
            };
            expectAlike(got, results[1][i]!, (at) => 2e-6 * Math.abs(wanted[at]!) + 5e-6 * factor(at));
          });
        });
      }),
      { numRuns: 60 },
    );
  });

  it("NaN and infinity in a half block stay in their own row or column, forward and backward", () => {
    const cases = fc.record({ seed: fc.nat(1e6), at: fc.nat(1e6), value: fc.constantFrom(NaN, Infinity, -Infinity) });
    fc.assert(
      fc.property(sizes, cases, ({ batch, length, width, inner, axis }, { seed, at, value }) => {
        t.scope(() => {
          const shape = [batch, length, width];
          const own = shape.at(axis)!;
          const resized = (size: number): number[] => shape.map((s, i) => (i === 3 + axis ? size : s));
          const spoilt = at % (batch * length * width);
          const [clean, dirty] = [false, true].map((isDirty): number[][] => {
            const h = normal(seed, shape);
            if (isDirty) h[spoilt] = value;
            const weights = {
              gateUp: on(backend, [2 * inner, own], normal(seed + 1, [2 * inner, own])),
              down: on(backend, [own, inner], normal(seed + 2, [own, inner])),
            };
            const x = on(backend, shape, h);
            const [out, memory] = [
              blank(backend, shape),
              { gateUp: blank(backend, resized(2 * inner)), inverseRms: blank(backend, resized(1)) },
            ];
            const dy = on(backend, shape, normal(seed + 3, shape));
            const dh = blank(backend, shape);
            const k = backend.fused as t.FusedKernels;
            k.swigluBlock(out, memory, x, weights.gateUp, weights.down, axis, 1e-5);
            const gradients = {
              h: dh,
              gateUp: blank(backend, [2 * inner, own]),
              down: blank(backend, [own, inner]),
            };
            k.swigluBlockBackward(gradients, { h: x, ...weights, out, memory }, dy, axis);
            return [valuesOf(out), valuesOf(dh)];
          }) as [number[][], number[][]];
          dirty.forEach((values, which) => {
            const inSpoilt = values.filter((_, i) => vectorOf(shape, axis, i) === vectorOf(shape, axis, spoilt));
            expect(inSpoilt.some((x) => !Number.isFinite(x))).toBe(true);
            values.forEach((x, i) => {
              if (vectorOf(shape, axis, i) !== vectorOf(shape, axis, spoilt)) expect(x).toBe(clean[which]![i]);
            });
          });
        });
      }),
      { numRuns: 60 },
    );
  });

  it("attention keeps NaN in its head, and large scores select the largest", () => {
    t.scope(() => {
      const [length, heads, size] = [9, 2, 4];
      const width = heads * size;
      const run = (qkv: Float32Array): number[] => {
        const out = blank(backend, [1, length, width]);
        backend.fused.selfAttention!(out, on(backend, [1, length, 3 * width], qkv), heads, null);
        return valuesOf(out);
      };
      const qkv = normal(4, [length, 3 * width]);
      const clean = run(qkv);
      const spoilt = Float32Array.from(qkv);
      spoilt[width + 1] = Number.NaN; // The first key of the first head.
      const dirty = run(spoilt);
      dirty.forEach((x, i) => {
        if (i % width < size) expect(x).toBeNaN();
        else expect(x).toBe(clean[i]);
      });
      // Scores of ±1e6: every query attends to one key.
      const large = Float32Array.from(qkv, (x, i) => (i % (3 * width) < 2 * width ? 1e3 * x : x));
      const values = Array.from({ length }, (_, l) => qkv.slice(l * 3 * width + 2 * width, (l + 1) * 3 * width));
      const picked = run(large);
      for (let l = 0; l < length; l++) {
        const head = picked.slice(l * width, l * width + size);
        const isOneOf = values.some((v) => head.every((x, i) => Math.abs(x - v[i]!) < 1e-5));
        expect(isOneOf).toBe(true);
      }
    });
  });
});
