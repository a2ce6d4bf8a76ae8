// The WebAssembly backend against plain definitions: every build, odd and empty sizes, special values, and equal bits for any number of
// threads.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BlockAxis, Shape, Tensor } from "../../src/tensor/index.ts";
import * as t from "../../src/tensor/index.ts";
import { valuesOf } from "./naive.ts";
import { blank, builds, expectClose, normal, on, one, reference, three, two, unshared } from "./wasm-backends.ts";

const axes = fc.constantFrom<BlockAxis>(-1, -2);
const seeds = fc.integer({ min: 0, max: 1e6 });

function naiveProduct(a: number[], b: number[], m: number, k: number, n: number, tA: boolean, tB: boolean): number[] {
  return Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let p = 0; p < k; p++) sum += (tA ? a[p * m + i]! : a[i * k + p]!) * (tB ? b[j * k + p]! : b[p * n + j]!);
    return sum;
  });
}

describe("matmul", () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 90 }));
  const sizes = fc.record({ m: size, k: fc.oneof(size, fc.integer({ min: 250, max: 300 })), n: size });

  it.each(builds.map((b) => [b.build, b] as const))("matmul is Σ a b for all four transpositions: %s", (_, backend) => {
    fc.assert(
      fc.property(sizes, seeds, fc.boolean(), fc.boolean(), ({ m, k, n }, seed, transposeA, transposeB) => {
        t.scope(() => {
          const a = on(backend, transposeA ? [k, m] : [m, k], normal(seed, [m, k]));
          const b = on(backend, transposeB ? [n, k] : [k, n], normal(seed + 1, [k, n]));
          const wanted = naiveProduct(valuesOf(a), valuesOf(b), m, k, n, transposeA, transposeB);
          expectClose(t.matmul(a, b, { transposeA, transposeB }), wanted, 3e-6, Math.sqrt(k) + 1);
        });
      }),
      { numRuns: 150 },
    );
  });

  it("matmul uses the numbers that were written into the storage of a weight", () => {
    t.scope(() => {
      const [x, w] = [on(one, [1, 1], [1]), on(one, [1, 1], [1])];
      expect(valuesOf(t.matmul(x, w))).toEqual([1]);
      w.storage.write([2]);
      expect(valuesOf(t.matmul(x, w))).toEqual([2]);
    });
  });

  it("matmul broadcasts the leading axes like the reference", () => {
    const batches = fc.constantFrom<[number[], number[]]>(
      [[3], []],
      [[], [3]],
      [
        [2, 1],
        [1, 3],
      ],
      [
        [2, 3],
        [2, 3],
      ],
      [[0], []],
    );
    fc.assert(
      fc.property(batches, seeds, fc.boolean(), fc.boolean(), ([batchA, batchB], seed, transposeA, transposeB) => {
        t.scope(() => {
          const [m, k, n] = [7, 5, 19];
          const [shapeA, shapeB] = [
            [...batchA, ...(transposeA ? [k, m] : [m, k])],
            [...batchB, ...(transposeB ? [n, k] : [k, n])],
          ];
          const run = (backend: t.Backend): Tensor =>
            t.matmul(on(backend, shapeA, normal(seed, shapeA)), on(backend, shapeB, normal(seed + 1, shapeB)), {
              transposeA,
              transposeB,
            });
          expectClose(run(two), valuesOf(run(reference)), 1e-5);
        });
      }),
    );
  });

  it("NaN and infinity reach only the rows and columns to which they belong", () => {
    t.scope(() => {
      const a = on(two, [2, 3], [1, Number.NaN, 2, 1, 2, 3]);
      const b = on(two, [3, 3], [1, 1, Number.POSITIVE_INFINITY, 1, 1, 1, 1, 1, 1]);
      expect(valuesOf(t.matmul(a, b))).toEqual([NaN, NaN, NaN, 6, 6, Number.POSITIVE_INFINITY]);
    });
  });

  it("matmul uses a weight as changed by an optimizer step", () => {
    t.scope(() => {
      const [x, w] = [on(two, [1, 2], [1, 10]), on(two, [1, 2], [1, 2])];
      expect(valuesOf(t.matmul(x, w, { transposeB: true }))).toEqual([21]);
      t.assign(w, [3, 4]);
      expect(valuesOf(t.matmul(x, w, { transposeB: true }))).toEqual([43]);
    });
  });
});

describe("blocks of the network", () => {
  const cases = fc.record({
    // From 8 puzzles on, the gradients of the weights are computed in groups.
    batch: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 8, max: 20 })),
    // One column more than full panels is a separate case there.
    length: fc.oneof(fc.integer({ min: 2, max: 60 }), fc.constantFrom(9, 17, 33)),
    width: fc.integer({ min: 2, max: 40 }),
    inner: fc.integer({ min: 1, max: 50 }),
    axis: axes,
    seed: seeds,
  });
  type Case = typeof cases extends fc.Arbitrary<infer C> ? C : never;

  const resized = (shape: Shape, axis: BlockAxis, length: number): number[] =>
    shape.map((own, i) => (i === shape.length + axis ? length : own));

  /** Output, memory and gradients of a half block, from its fused kernels or from matmul, siluGate and addRmsNorm. */
  function halfBlock(backend: t.Backend, { batch, length, width, inner, axis, seed }: Case, fused: boolean): Tensor[] {
    const shape = [batch, length, width];
    const own = shape.at(axis)!;
    const h = on(backend, shape, normal(seed, shape));
    const dy = on(backend, shape, normal(seed + 1, shape));
    const gateUp = on(backend, [2 * inner, own], normal(seed + 2, [2 * inner, own], 1 / Math.sqrt(own)));
    const down = on(backend, [own, inner], normal(seed + 3, [own, inner], 1 / Math.sqrt(inner)));
    const k = backend.fused as t.FusedKernels;
    const y = blank(backend, shape);
    const [u, inverseRms] = [resized(shape, axis, 2 * inner), resized(shape, axis, 1)].map((s) =>
      blank(backend, s),
    ) as [Tensor, Tensor];
    if (fused) {
      const memory = { gateUp: u, inverseRms };
      k.swigluBlock(y, memory, h, gateUp, down, axis, 1e-5);
      const gradients = {
        h: blank(backend, shape),
        gateUp: blank(backend, gateUp.shape),
        down: blank(backend, down.shape),
      };
      k.swigluBlockBackward(gradients, { h, gateUp, down, out: y, memory }, dy, axis);
      const withoutMemory = blank(backend, shape);
      k.swigluBlock(withoutMemory, null, h, gateUp, down, axis, 1e-5);
      expect(valuesOf(withoutMemory)).toEqual(valuesOf(y));
      return [y, inverseRms, gradients.h, gradients.gateUp, gradients.down];
    }
    const rows = axis === -1;
    const by = (w: Tensor, x: Tensor, transposed = false): Tensor =>
      rows ? t.matmul(x, w, { transposeB: !transposed }) : t.matmul(w, x, { transposeA: transposed });
    const outer = (d: Tensor, x: Tensor): Tensor =>
      t.sum(rows ? t.matmul(d, x, { transposeA: true }) : t.matmul(d, x, { transposeB: true }), [0]);
    const definedU = by(gateUp, h);
    const s = blank(backend, resized(shape, axis, inner));
    k.siluGate(s, definedU, axis);
    k.addRmsNorm(y, inverseRms, h, by(down, s), axis, 1e-5);
    const [ds, du] = [blank(backend, shape), blank(backend, u.shape)];
    k.addRmsNormBackward(ds, y, inverseRms, dy, axis);
    k.siluGateBackward(du, definedU, by(down, ds, true), axis);
    return [y, inverseRms, t.add(ds, by(gateUp, du, true)), outer(du, h), outer(ds, s)];
  }

  it.each(builds.map((b) => [b.build, b] as const))("half blocks agree with their definition: %s", (_, backend) => {
    fc.assert(
      fc.property(cases, (c) => {
        t.scope(() => {
          const wanted = halfBlock(reference, c, false).map(valuesOf);
          // Gradients of a short norm almost cancel, so the tolerance is relative to at least 1. A norm of few numbers may divide by a
          // very small number, forward and backward, and rounding errors grow each time.
          const tolerance = 1e-5 * Math.max(...wanted[1]!, 1) ** 2;
          for (const [i, x] of halfBlock(backend, c, true).entries()) expectClose(x, wanted[i]!, tolerance, 1);
          for (const [i, x] of halfBlock(backend, c, false).entries()) expectClose(x, wanted[i]!, tolerance, 1);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("half blocks have the same bits with one, two and three threads, and on unshared memory", () => {
    const big = { batch: 9, length: 81, width: 48, inner: 40, seed: 1 };
    for (const axis of [-1, -2] as const) {
      t.scope(() => {
        const [wanted, ...others] = [one, two, three, unshared].map((b) =>
          halfBlock(b, { ...big, axis }, true).map(valuesOf),
        );
        for (const other of others) expect(other).toEqual(wanted);
      });
    }
  });

  it.each(builds.map((b) => [b.build, b] as const))("attention agrees with its definition: %s", (_, backend) => {
    const shapes = fc.record({
      batch: fc.integer({ min: 1, max: 2 }),
      // Up to 43 rows are one block; more rows are several blocks.
      length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(43, 44, 67, 68, 81, 100)),
      heads: fc.integer({ min: 1, max: 3 }),
      half: fc.integer({ min: 1, max: 10 }),
      rotary: fc.boolean(),
      seed: seeds,
    });
    fc.assert(
      fc.property(shapes, ({ batch, length, heads, half, rotary, seed }) => {
        t.scope(() => {
          const width = heads * 2 * half;
          const qkv = on(backend, [batch, length, 3 * width], normal(seed, [batch, length, 3 * width]));
          const dy = on(backend, [batch, length, width], normal(seed + 1, [batch, length, width]));
          const table = (f: (x: number) => number): Tensor =>
            on(
              backend,
              [length, 2 * half],
              Float32Array.from({ length: length * 2 * half }, (_, i) => f(i * 0.37)),
            );
          const turn = rotary ? { cos: table(Math.cos), sin: table(Math.sin) } : null;
          const [y, dqkv] = [blank(backend, dy.shape), blank(backend, qkv.shape)];
          backend.fused.selfAttention!(y, qkv, heads, turn);
          backend.fused.selfAttentionBackward!(dqkv, qkv, y, dy, heads, turn);
          const wanted = naiveAttention(
            valuesOf(qkv),
            valuesOf(dy),
            { batch, length, heads, size: 2 * half },
            turn && [valuesOf(turn.cos), valuesOf(turn.sin)],
          );
          expectClose(y, wanted.y, 1e-5, 1);
          expectClose(dqkv, wanted.dqkv, 2e-5, 1);
        });
      }),
      { numRuns: 40 },
    );
  });
});

interface AttentionSizes {
  readonly batch: number;
  readonly length: number;
  readonly heads: number;
  readonly size: number;
}

/** The definition in double precision, one puzzle and head at a time. */
function naiveAttention(
  qkv: number[],
  dy: number[],
  { batch, length, heads, size }: AttentionSizes,
  tables: number[][] | null,
) {
  const width = heads * size;
  const y = new Float64Array(batch * length * width);
  const dqkv = new Float64Array(qkv.length);
  const positions = [...Array(length).keys()];
  const rotated = (x: number[], l: number, back: boolean): number[] => {
    if (!tables) return x;
    const [cos, sin] = tables.map((values) => values.slice(l * size, (l + 1) * size)) as [number[], number[]];
    const half = size / 2;
    const sign = (i: number): number => (i < half ? -1 : 1);
    // Forward x cos + swap(x) sin; the transpose reads sin at the index of the input.
    return x.map((value, i) => {
      const j = (i + half) % size;
      return value * cos[i]! + (back ? sign(j) * x[j]! * sin[j]! : sign(i) * x[j]! * sin[i]!);
    });
  };
  const dot = (a: number[], b: number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  for (let item = 0; item < batch * heads; item++) {
    const at = (l: number, part: number): number =>
      (Math.floor(item / heads) * length + l) * 3 * width + part * width + (item % heads) * size;
    const atY = (l: number): number => (Math.floor(item / heads) * length + l) * width + (item % heads) * size;
    const read = (part: number): number[][] => positions.map((l) => qkv.slice(at(l, part), at(l, part) + size));
    const [q, k] = [0, 1].map((part) => read(part).map((x, l) => rotated(x, l, false))) as [number[][], number[][]];
    const v = read(2);
    const d = positions.map((l) => dy.slice(atY(l), atY(l) + size));
    const [dq, dk, dv] = [0, 1, 2].map(() => positions.map(() => new Array<number>(size).fill(0))) as [
      number[][],
      number[][],
      number[][],
    ];
    for (const l of positions) {
      const scores = k.map((key) => dot(q[l]!, key) / Math.sqrt(size));
      const largest = Math.max(...scores);
      const exps = scores.map((score) => Math.exp(score - largest));
      const total = exps.reduce((a, b) => a + b);
      const p = exps.map((e) => e / total);
      const dp = v.map((value) => dot(d[l]!, value));
      const mean = dot(p, dp);
      for (const m of positions) {
        const ds = (p[m]! * (dp[m]! - mean)) / Math.sqrt(size);
        for (let i = 0; i < size; i++) {
          y[atY(l) + i]! += p[m]! * v[m]![i]!;
          dq[l]![i]! += ds * k[m]![i]!;
          dk[m]![i]! += ds * q[l]![i]!;
          dv[m]![i]! += p[m]! * d[l]![i]!;
        }
      }
    }
    [dq.map((x, l) => rotated(x, l, true)), dk.map((x, l) => rotated(x, l, true)), dv].forEach((rows, part) => {
      for (const [l, row] of rows.entries()) dqkv.set(row, at(l, part));
    });
  }
  return { y, dqkv };
}
