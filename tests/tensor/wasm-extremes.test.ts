// The wasm kernels that contain an exponential, at the ends of float32, against the reference kernels.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as t from "../../src/tensor/index.ts";
import { valuesOf } from "./naive.ts";
import { blank, builds, on, reference } from "./wasm-backends.ts";

const named = builds.map((backend) => [backend.build, backend] as const);
const largest = 3.4028234663852886e38;
/** The smallest denormal: the rounding error of every result near 0. */
const tiny = 2 ** -149;

/** Where e^x overflows (88.72), becomes denormal (-87.34) and vanishes (-103.97), and the ends of float32. */
const edges = [0, tiny, 1e-42, 1e-38, 1e-30, 1, 60, 80, 87.33, 87.34, 88, 88.37, 88.72, 88.7228, 88.73, 90, 100]
  .concat([103.97, 103.98, 104, 105, 110, 1e3, 1e4, 1e10, 1e20, 1e30, 1e36, 1e38, largest])
  .flatMap((x) => [x, -x]);
const finite = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...edges) },
  { weight: 2, arbitrary: fc.float({ min: -110, max: 110, noNaN: true }) },
  { weight: 1, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true }) },
);
/** Less than the largest numbers, so that a product with the slope of silu, which is up to 1.1, is a float32 number. */
const moderate = finite.map((x) => Math.max(-3e38, Math.min(3e38, x)));
const extreme = fc.oneof(
  { weight: 8, arbitrary: finite },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY) },
);

/** Whether two results differ by at most `error`; beyond the largest float32, rounding decides between it and infinity. */
function agrees(value: number, want: number, error: number): boolean {
  if (Number.isNaN(want)) return Number.isNaN(value);
  if (Math.max(Math.abs(value), Math.abs(want)) > 0.99999 * largest) {
    return Math.sign(value) === Math.sign(want) && Math.min(Math.abs(value), Math.abs(want)) > 0.9999 * largest;
  }
  return Math.abs(value - want) <= error;
}

describe.each(named)("at the ends of float32: %s", (_, backend) => {
  it.each(["exp", "sigmoid", "silu", "tanh", "softplus"] as const)("%s agrees with the reference", (name) => {
    const operation = { exp: t.exp, sigmoid: t.sigmoid, silu: t.silu, tanh: t.tanh, softplus: t.softplus }[name];
    fc.assert(
      fc.property(fc.array(extreme, { minLength: 1, maxLength: 40 }), (values) => {
        t.scope(() => {
          const [got, wanted] = [backend, reference].map((b) => valuesOf(operation(on(b, [values.length], values))));
          values.forEach((x, i) => {
            // silu multiplies the rounding error of sigmoid by x.
            const error = 5e-7 * Math.abs(wanted![i]!) + tiny * (name === "silu" ? 1 + Math.min(Math.abs(x), 110) : 1);
            if (!agrees(got![i]!, wanted![i]!, error)) expect({ x, y: got![i] }).toEqual({ x, y: wanted![i] });
          });
        });
      }),
      { numRuns: 300 },
    );
  });

  it("silu and sigmoid saturate at 0, and exp keeps denormals and its limits", () => {
    t.scope(() => {
      const of = (f: (x: t.Tensor) => t.Tensor, ...values: number[]): number[] =>
        valuesOf(f(on(backend, [values.length], values))).map((y) => y + 0);
      const { POSITIVE_INFINITY: infinity, NaN: nan } = Number;
      expect(of(t.silu, -2.5e30, -1e38, -infinity, -1e4, 1e38)).toEqual([0, 0, nan, 0, Math.fround(1e38)]);
      expect(of(t.sigmoid, -1e38, -infinity, -105, 90, infinity, nan)).toEqual([0, 0, 0, 1, 1, nan]);
      expect(of(t.exp, -infinity, -1e38, -104, 89, infinity, nan)).toEqual([0, 0, 0, infinity, infinity, nan]);
      const smallest = of(t.exp, -88, -100, -103.9);
      [-88, -100, Math.fround(-103.9)].forEach((x, i) => {
        expect(Math.abs(smallest[i]! - Math.exp(x))).toBeLessThanOrEqual(tiny);
      });
    });
  });

  it("a NaN with any payload stays NaN", () => {
    t.scope(() => {
      const payloads = Float32Array.from({ length: 64 });
      new Int32Array(payloads.buffer).forEach((_, i, bits) => {
        bits[i] = (i % 2 ? 0xffc00000 : 0x7fc00000) + i * 37;
      });
      for (const f of [t.exp, t.sigmoid, t.silu]) {
        const x = on(backend, [64], payloads);
        expect(valuesOf(f(x)).every(Number.isNaN)).toBe(true);
      }
    });
  });

  const gateCases = fc
    .record({ half: fc.integer({ min: 1, max: 40 }), rows: fc.integer({ min: 1, max: 3 }) })
    .chain(({ half, rows }) =>
      fc.record({
        half: fc.constant(half),
        rows: fc.constant(rows),
        gate: fc.array(extreme, { minLength: rows * half, maxLength: rows * half }),
        up: fc.array(moderate, { minLength: rows * half, maxLength: rows * half }),
        dy: fc.array(finite, { minLength: rows * half, maxLength: rows * half }),
      }),
    );
  it("the gate of SwiGLU agrees with the reference, forward and backward", () => {
    fc.assert(
      fc.property(gateCases, ({ half, rows, gate, up, dy }) => {
        t.scope(() => {
          const u = Array.from({ length: rows }, (_, r) => [gate, up].map((x) => x.slice(r * half, (r + 1) * half)));
          const [got, wanted] = [backend, reference].map((target) => {
            const x = on(target, [rows, 2 * half], u.flat(2));
            const [out, du] = [blank(target, [rows, half]), blank(target, [rows, 2 * half])];
            target.fused.siluGate!(out, x, -1);
            target.fused.siluGateBackward!(du, x, on(target, [rows, half], dy), -1);
            return [valuesOf(out), valuesOf(du)];
          }) as [number[][], number[][]];
          gate.forEach((g, i) => {
            const [row, column] = [Math.floor(i / half), i % half];
            const [dGate, dUp] = [row * 2 * half + column, (row * 2 + 1) * half + column];
            const [a, d] = [Math.abs(up[i]!), Math.abs(dy[i]!)];
            // sigmoid(g) is rounded to a float32 number, and so is each product with it.
            const sigma = 1 / (1 + Math.exp(-g));
            const growth = 1 + Math.min(Math.abs(g), 110);
            const roundings = { out: growth * a + 1, dGate: growth * a * d + d + 1, dUp: growth * d + 1 };
            const errors = {
              out: 1e-6 * Math.abs(wanted[0]![i]!) + tiny * roundings.out,
              dGate: 1e-6 * sigma * growth * a * d + tiny * roundings.dGate,
              dUp: 1e-6 * Math.abs(wanted[1]![dUp]!) + tiny * roundings.dUp,
            };
            const results = [
              ["out", got[0]![i]!, wanted[0]![i]!, errors.out],
              ["dGate", got[1]![dGate]!, wanted[1]![dGate]!, errors.dGate],
              ["dUp", got[1]![dUp]!, wanted[1]![dUp]!, errors.dUp],
            ] as const;
            for (const [name, value, want, error] of results) {
              if (!agrees(value, want, error)) {
                expect({ name, g, up: up[i], dy: dy[i], value }).toEqual({
                  name,
                  g,
                  up: up[i],
                  dy: dy[i],
                  value: want,
                });
              }
            }
          });
        });
      }),
      { numRuns: 300 },
    );
  });

  it("the gate is 0 where its sigmoid is, however large the other factor", () => {
    t.scope(() => {
      const u = on(backend, [1, 4], [-1e4, -1e38, 1e36, 1e38]);
      const [out, du] = [blank(backend, [1, 2]), blank(backend, [1, 4])];
      backend.fused.siluGate!(out, u, -1);
      backend.fused.siluGateBackward!(du, u, on(backend, [1, 2], [1, 1e4]), -1);
      expect([...valuesOf(out), ...valuesOf(du)].map((x) => x + 0)).toEqual([0, 0, 0, 0, 0, 0]);
    });
  });

  it("saturated gates in a half block have no influence, forward and backward", () => {
    for (const axis of [-1, -2] as const) {
      t.scope(() => {
        // One number goes through 3 gates, of which the first two are saturated and belong to a huge up.
        const inner = 3;
        const [gates, ups, downs] = [
          [-1e4, -1e38, 0.5],
          [1e36, 1e38, 2],
          [1, 3, 0.25],
        ];
        const shape = (size: number): number[] => [1, 1, 1].with(axis, size);
        const [got, wanted] = [backend, reference].map((target) => {
          const h = on(target, [1, 1, 1], [1]);
          const gateUp = on(target, [2 * inner, 1], [...gates, ...ups]);
          const down = on(target, [1, inner], downs);
          const out = blank(target, [1, 1, 1]);
          const memory = { gateUp: blank(target, shape(2 * inner)), inverseRms: blank(target, [1, 1, 1]) };
          target.fused.swigluBlock!(out, memory, h, gateUp, down, axis, 1);
          const gradients = { h: blank(target, [1, 1, 1]), gateUp: blank(target, [6, 1]), down: blank(target, [1, 3]) };
          const saved = { h, gateUp, down, out, memory };
          target.fused.swigluBlockBackward!(gradients, saved, on(target, [1, 1, 1], [1e4]), axis);
          return [out, gradients.h, gradients.gateUp, gradients.down].flatMap(valuesOf);
        });
        wanted!.forEach((want, i) => {
          const isClose = agrees(got![i]!, want, 2e-6 * Math.abs(want));
          if (!isClose) expect({ axis, i, value: got![i] }).toEqual({ axis, i, value: want });
        });
        expect(wanted!.slice(2, 4).map((x) => x + 0)).toEqual([0, 0]); // The gradients of the saturated gates.
      });
    }
  });

  it("the gate does not overflow before its result does", () => {
    t.scope(() => {
      const out = blank(backend, [1, 1]);
      backend.fused.siluGate!(out, on(backend, [1, 2], [-20, 3e37]), -1);
      const expected = (-20 * 3e37) / (1 + Math.exp(20));
      expect(Math.abs(valuesOf(out)[0]! / expected - 1)).toBeLessThan(1e-6);
    });
  });

  /** Attention of one head whose scores are given: query i is (1, 0, ...), key j is (score j · √headSize, 0, ...). */
  function attend(target: t.Backend, scores: readonly number[], values: readonly number[]): number[] {
    const [length, size] = [scores.length, 4];
    const qkv = scores.flatMap((score, j) => [1, 0, 0, 0, score * 2, 0, 0, 0, values[j]!, 1, 0, -values[j]!]);
    const out = blank(target, [1, length, size]);
    target.fused.selfAttention!(out, on(target, [1, length, 3 * size], qkv), 1, null);
    return valuesOf(out);
  }
  const scores = fc.oneof(
    fc.constantFrom(...edges.filter((x) => Math.abs(x) < 1e38), Number.NEGATIVE_INFINITY),
    fc.float({ min: -110, max: 0, noNaN: true }),
  );
  const attentionCases = fc.array(fc.tuple(scores, fc.constantFrom(0, 1, -2, 1e10, -1e20, 1e30, -1e36, 1e-30)), {
    minLength: 1,
    maxLength: 20,
  });
  it("attention agrees with the reference for scores and values of every size", () => {
    fc.assert(
      fc.property(attentionCases, (pairs) => {
        t.scope(() => {
          const [s, v] = [pairs.map(([score]) => Math.fround(score)), pairs.map(([, value]) => value)];
          const [got, wanted] = [backend, reference].map((target) => attend(target, s, v));
          const top = Math.max(...s);
          // Each probability is rounded to a float32 number; the sum runs over the values that it weighs.
          // A score below the top is rounded too, in proportion to its size.
          const errorOf = (x: number): number => Math.exp(x - top) * 1e-6 * (1 + Math.min(top - x, 110)) + tiny;
          const scale = s.reduce((sum, x, j) => sum + errorOf(x) * Math.abs(v[j]!), 0);
          wanted!.forEach((want, i) => {
            if (agrees(got![i]!, want, scale + 1e-6)) return;
            expect({ s, v, i, value: got![i] }).toEqual({ s, v, i, value: want });
          });
        });
      }),
      { numRuns: 200 },
    );
  });

  it("a key far below the largest score has no weight, whatever its value", () => {
    t.scope(() => {
      const alone = attend(backend, [0, -1e4, Number.NEGATIVE_INFINITY, -105], [1, 1e38, -1e38, 1e38]);
      expect(alone.filter((_, i) => i % 4 === 0)).toEqual([1, 1, 1, 1]);
      const [denormal] = attend(backend, [0, -90], [0, 1e38]);
      expect(Math.abs(denormal! / (Math.exp(-90) * 1e38) - 1)).toBeLessThan(1e-5);
    });
  });

  it("the norm agrees with the reference for vectors whose squares leave float32", () => {
    const sizes = fc.record({
      length: fc.integer({ min: 1, max: 20 }),
      width: fc.integer({ min: 1, max: 20 }),
      axis: fc.constantFrom<t.BlockAxis>(-1, -2),
      exponents: fc.array(fc.integer({ min: -30, max: 38 }), { minLength: 1, maxLength: 5 }),
    });
    fc.assert(
      fc.property(sizes, ({ length, width, axis, exponents }) => {
        t.scope(() => {
          const shape = [2, length, width];
          // All numbers of one vector have the same order of magnitude.
          const values = Float32Array.from({ length: 2 * length * width }, (_, i) => {
            const vector = axis === -1 ? Math.floor(i / width) : Math.floor(i / (length * width)) * width + (i % width);
            return (1 + Math.sin(i)) * 10 ** exponents[vector % exponents.length]!;
          });
          const [got, wanted] = [backend, reference].map((target) => {
            const [out, inverse] = [blank(target, shape), blank(target, shape.with(axis, 1))];
            target.fused.addRmsNorm!(out, inverse, on(target, shape, values), null, axis, 1e-5);
            return [...valuesOf(out), ...valuesOf(inverse)];
          });
          wanted!.forEach((want, i) => {
            if (!agrees(got![i]!, want, 2e-6 * Math.abs(want) + tiny)) {
              expect({ i, value: got![i] }).toEqual({ i, value: want });
            }
          });
        });
      }),
      { numRuns: 100 },
    );
  });

  it("the norm of large numbers is of order 1, and that of an infinite vector is the reference's", () => {
    t.scope(() => {
      for (const axis of [-1, -2] as const) {
        const shape = axis === -1 ? [2, 2] : [1, 2, 2];
        const values = axis === -1 ? [3e30, 4e30, Infinity, 1] : [3e30, Infinity, 4e30, 1];
        const [out, inverse] = [blank(backend, shape), blank(backend, shape.with(axis, 1))];
        backend.fused.addRmsNorm!(out, inverse, on(backend, shape, values), null, axis, 1e-5);
        const [a, c, b, d] = axis === -1 ? [0, 2, 1, 3].map((i) => valuesOf(out)[i]!) : valuesOf(out);
        expect([a, b].map((x) => x!.toFixed(5))).toEqual(["0.84853", "1.13137"]);
        expect([c, d]).toEqual([Number.NaN, 0]);
      }
    });
  });
});
