// The matrix product against the naive triple loop: all transpositions, broadcast batches, and all sizes around the tile of 4.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DType, matmul, matmulShape, ShapeError, scope, tensor, zeros } from "../../src/tensor/index.ts";
import {
  at,
  broadcastAt,
  broadcastable,
  build,
  dtypes,
  expectTensor,
  type Naive,
  naiveBroadcast,
  naives,
  precision,
  toTensor,
  valuesOf,
} from "./naive.ts";

/** The element (row, column) of a matrix of a batch, read in the layout in which it is stored. */
const element = (x: Naive, batch: readonly number[], row: number, column: number, transposed: boolean): number =>
  broadcastMatrixAt(x, batch, transposed ? [column, row] : [row, column]);

const broadcastMatrixAt = (x: Naive, batch: readonly number[], matrixIndex: readonly number[]): number =>
  at(x, [
    ...batch.slice(batch.length - (x.shape.length - 2)).map((i, axis) => (x.shape[axis] === 1 ? 0 : i)),
    ...matrixIndex,
  ]);

function naiveMatmul(a: Naive, b: Naive, transposeA: boolean, transposeB: boolean): Naive {
  const batch = naiveBroadcast(a.shape.slice(0, -2), b.shape.slice(0, -2))!;
  const [rows, depth] = a.shape.slice(-2) as [number, number];
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  const [m, k] = transposeA ? [depth, rows] : [rows, depth];
  return build([...batch, m, columns], (index) => {
    const [i, j] = index.slice(-2) as [number, number];
    let sum = 0;
    for (let l = 0; l < k; l++) {
      sum += element(a, index.slice(0, -2), i, l, transposeA) * element(b, index.slice(0, -2), l, j, transposeB);
    }
    return sum;
  });
}

interface Product {
  readonly a: Naive;
  readonly b: Naive;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly dtype: DType;
}

const products = (lengths: fc.Arbitrary<number>, batches: fc.Arbitrary<number[][]>): fc.Arbitrary<Product> =>
  fc
    .tuple(lengths, lengths, lengths, batches, fc.boolean(), fc.boolean(), fc.constantFrom(...dtypes))
    .chain(([m, k, n, [batchA, batchB], transposeA, transposeB, dtype]) =>
      fc.record({
        a: naives(fc.constant([...batchA!, ...(transposeA ? [k, m] : [m, k])]), dtype, -4, 4),
        b: naives(fc.constant([...batchB!, ...(transposeB ? [n, k] : [k, n])]), dtype, -4, 4),
        transposeA: fc.constant(transposeA),
        transposeB: fc.constant(transposeB),
        dtype: fc.constant(dtype),
      }),
    );

const holds = ({ a, b, transposeA, transposeB, dtype }: Product): void =>
  scope(() => {
    const product = matmul(toTensor(a, dtype), toTensor(b, dtype), { transposeA, transposeB });
    expectTensor(product, naiveMatmul(a, b, transposeA, transposeB), dtype, precision[dtype]);
  });

const shortBatches = broadcastable(2).map((shapes) => shapes.map((shape) => shape.slice(-2)));

describe("matmul against the triple loop", () => {
  it("small products agree in batches that broadcast, including axes of length 0", () => {
    fc.assert(fc.property(products(fc.nat(3), shortBatches), holds), { numRuns: 300 });
  });

  it("products of all sizes around the tile agree", () => {
    fc.assert(fc.property(products(fc.integer({ min: 1, max: 11 }), fc.constant([[], []])), holds), { numRuns: 150 });
  });

  it("[1 2; 3 4] [5 6; 7 8] gives the known product, also transposed", () => {
    scope(() => {
      const [a, b] = [
        tensor([
          [1, 2],
          [3, 4],
        ]),
        tensor([
          [5, 6],
          [7, 8],
        ]),
      ];
      expect(valuesOf(matmul(a, b))).toEqual([19, 22, 43, 50]);
      expect(valuesOf(matmul(a, b, { transposeA: true }))).toEqual([26, 30, 38, 44]);
      expect(valuesOf(matmul(a, b, { transposeB: true }))).toEqual([17, 23, 39, 53]);
      expect(valuesOf(matmul(a, b, { transposeA: true, transposeB: true }))).toEqual([23, 31, 34, 46]);
    });
  });

  it("a depth of 0 gives zeros, also in memory that was used before", () => {
    scope(() => {
      scope(() =>
        tensor([
          [9, 9],
          [9, 9],
        ]),
      );
      expect(valuesOf(matmul(zeros([2, 0]), zeros([0, 2])))).toEqual([0, 0, 0, 0]);
    });
  });

  it("matmul sums in double precision before it rounds to float32", () => {
    scope(() => {
      const [row, column] = [tensor([[1e8, 1, -1e8]]), tensor([[1], [1], [1]])];
      expect(valuesOf(matmul(row, column))).toEqual([1]);
    });
  });

  it("one matrix multiplies a whole batch, on either side", () => {
    scope(() => {
      const one = build([2, 3], ([i, j]) => i! + j!);
      const many = build([2, 2, 3, 2], (index) => index.reduce((sum, i) => 2 * sum + i, 0));
      const expected = naiveMatmul(one, many, false, false);
      expectTensor(matmul(toTensor(one, "float32"), toTensor(many, "float32")), expected, "float32");
      expect(broadcastAt(one, [5, 1, 2])).toBe(3);
    });
  });
});

describe("matmul refuses", () => {
  it.each([
    [
      [2, 3],
      [4, 5],
      {},
      "matmul: cannot multiply [2, 3] by [4, 5] (axis -1 of the first is 3, axis -2 of the second is 4)",
    ],
    [
      [2, 3],
      [4, 5],
      { transposeA: true },
      "matmul: cannot multiply [2, 3]ᵀ by [4, 5] (axis -2 of the first is 2, axis -2 of the second is 4)",
    ],
    [
      [2, 3],
      [4, 5],
      { transposeB: true },
      "matmul: cannot multiply [2, 3] by [4, 5]ᵀ (axis -1 of the first is 3, axis -1 of the second is 5)",
    ],
    [[3], [3, 4], {}, "matmul: got [3] by [3, 4], expected at least two axes each"],
    [[2, 5, 3], [4, 3, 2], {}, "matmul: cannot broadcast [2, 5, 3] with [4, 3, 2] (axis -3: 2 against 4)"],
    [[2, 1, 5, 3], [4, 1, 3, 2], {}, "matmul: cannot broadcast [2, 1, 5, 3] with [4, 1, 3, 2] (axis -4: 2 against 4)"],
  ] as const)("matmul refuses %j by %j with %j", (a, b, options, message) => {
    expect(() => matmulShape(a, b, options)).toThrow(new ShapeError(message));
    scope(() => expect(() => matmul(zeros(a), zeros(b), options)).toThrow(new ShapeError(message)));
  });

  it("matmul refuses two element types", () => {
    scope(() =>
      expect(() => matmul(zeros([1, 1]), zeros([1, 1], "float64"))).toThrow("matmul: got float32 and float64"),
    );
  });
});
