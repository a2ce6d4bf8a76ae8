// Rotary positions: what the attention of two cells depends on.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { constant, rotate } from "../../src/autograd/index.ts";
import { type RotaryTables, rotary2dTables, rotaryTables } from "../../src/nn/index.ts";
import { scope, tensor } from "../../src/tensor/index.ts";

const headSize = 8;
const vector = fc.array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: headSize, maxLength: headSize });

it("rotary tables refuse a head of odd size, whose numbers form no pairs", () => {
  expect(() => rotaryTables(3, 3)).toThrow("rotaryTables: got 3 as headSize, expected an even number");
});

/** A vector, turned to every position: [length, headSize]. */
async function turned({ cos, sin }: RotaryTables, values: number[]): Promise<ArrayLike<number>> {
  const length = cos.shape[0]!;
  const repeated = Array(length).fill(values).flat();
  const everywhere = scope(
    () => rotate(constant(tensor(repeated, { shape: [1, length, 1, headSize] })), cos, sin).value,
  );
  const read = await everywhere.data();
  everywhere.dispose();
  return read;
}

/** The logit of a query at one position and a key at another, before scaling. */
async function logit(tables: RotaryTables, query: number[], key: number[], from: number, to: number): Promise<number> {
  const [q, k] = [await turned(tables, query), await turned(tables, key)];
  const products = Array.from({ length: headSize }, (_, i) => q[from * headSize + i]! * k[to * headSize + i]!);
  return products.reduce((sum, product) => sum + product);
}

describe("rotary positions", () => {
  it("make an attention logit a function of the distance in the sequence", async () => {
    const tables = rotaryTables(20, headSize);
    await fc.assert(
      fc.asyncProperty(vector, vector, fc.nat(9), fc.nat(9), fc.nat(10), async (q, k, from, to, shift) => {
        const [near, far] = [await logit(tables, q, k, from, to), await logit(tables, q, k, from + shift, to + shift)];
        expect(far).toBeCloseTo(near, 4);
      }),
      { numRuns: 20 },
    );
  });
});

describe("rotary positions of rows and columns", () => {
  it("make an attention logit a function of the distance in rows and in columns", async () => {
    const [rows, columns, slots] = [6, 7, 3];
    const tables = rotary2dTables(slots + rows * columns, columns, headSize, slots);
    const cell = fc.record({ row: fc.nat(2), column: fc.nat(3) });
    const at = ({ row, column }: { row: number; column: number }): number => slots + row * columns + column;
    await fc.assert(
      fc.asyncProperty(vector, vector, cell, cell, cell, async (q, k, from, to, shift) => {
        const moved = (place: typeof from) => ({ row: place.row + shift.row, column: place.column + shift.column });
        const near = await logit(tables, q, k, at(from), at(to));
        expect(await logit(tables, q, k, at(moved(from)), at(moved(to)))).toBeCloseTo(near, 4);
      }),
      { numRuns: 20 },
    );
  });

  it("turn half of the pairs by the row and half by the column: row 2, column 3 of a board with 5 columns", async () => {
    const { cos, sin } = rotary2dTables(20, 5, headSize);
    const [cosines, sines] = await Promise.all([cos.value.data(), sin.value.data()]);
    const cell = (2 * 5 + 3) * headSize;
    for (const [pair, angle] of [2 * 2, 2 * 0.2, 3 * 2, 3 * 0.2].entries()) {
      for (const half of [0, headSize / 2]) {
        expect(cosines[cell + half + pair]).toBeCloseTo(Math.cos(angle), 6);
        expect(sines[cell + half + pair]).toBeCloseTo(Math.sin(angle), 6);
      }
    }
  });

  it("need a head size that is a multiple of 4, half of its pairs for each direction", () => {
    expect(() => rotary2dTables(20, 5, 6)).toThrow("rotary2dTables: got 6 as headSize, expected a multiple of 4");
  });

  it("place the slots before the board in rows above it", async () => {
    const { cos } = rotary2dTables(2 + 6, 3, headSize, 2);
    const values = await cos.value.data();
    const row = (position: number): number => values[position * headSize]!;
    expect([0, 1, 2, 4, 5].map(row)).toEqual([-1, -1, 0, 0, 1].map((place) => Math.fround(Math.cos(2 * place))));
  });
});
