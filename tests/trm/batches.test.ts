// Training batches from examples in memory.
import fc from "fast-check";
import { expect, it } from "vitest";
import { ArgumentError } from "../../src/tensor/index.ts";
import { type Examples, packExamples, ShuffledExamples } from "../../src/trm/index.ts";
import { labelCounts } from "../../src/trm/losses.ts";

/** Examples of one cell that hold their number. */
const numbered = (count: number): Examples => {
  const tokens = Int32Array.from({ length: count }, (_, at) => at + 1);
  return { count, length: 1, inputs: tokens, labels: tokens };
};

const sizes = fc.integer({ min: 1, max: 12 });

it("batches run across the borders of epochs, and every epoch has every example once", () => {
  fc.assert(
    fc.property(sizes, sizes, fc.nat(), (count, batchSize, seed) => {
      const source = new ShuffledExamples(numbered(count), seed);
      const drawn = Array.from({ length: count }, () => [...source.next(batchSize).inputs]).flat();
      for (let epoch = 0; epoch < batchSize; epoch++) {
        const visited = drawn.slice(epoch * count, (epoch + 1) * count).sort((a, b) => a - b);
        expect(visited).toEqual([...numbered(count).inputs]);
      }
    }),
  );
});

it("1,000 puzzles in batches of 768 are all drawn within two batches", () => {
  const source = new ShuffledExamples(numbered(1000), 1);
  const drawn = new Set([...source.next(768).inputs, ...source.next(768).inputs]);
  expect(drawn.size).toBe(1000);
});

it("a stream continues from its state at any point", () => {
  fc.assert(
    fc.property(sizes, sizes, fc.nat(20), fc.nat(), (count, batchSize, before, seed) => {
      const source = new ShuffledExamples(numbered(count), seed);
      for (let batch = 0; batch < before; batch++) source.next(batchSize);
      const resumed = new ShuffledExamples(numbered(count), seed + 1);
      resumed.state = JSON.parse(JSON.stringify(source.state));
      for (let batch = 0; batch < 5; batch++) expect(resumed.next(batchSize)).toEqual(source.next(batchSize));
    }),
  );
});

it("a stream refuses a position beyond its examples, and stays as it was", () => {
  fc.assert(
    fc.property(sizes, sizes, fc.nat(), (count, more, seed) => {
      const longer = new ShuffledExamples(numbered(count + more), seed);
      longer.next(count + more);
      const source = new ShuffledExamples(numbered(count), seed);
      source.next(1);
      const before = source.state;
      expect(() => {
        source.state = longer.state;
      }).toThrow(
        new RangeError(`the position in the training data is ${count + more}, expected at most the ${count} examples`),
      );
      expect(source.state).toEqual(before);
    }),
  );
});

it("a stream accepts the position at the end of its examples", () => {
  const source = new ShuffledExamples(numbered(10), 0);
  source.next(10);
  const resumed = new ShuffledExamples(numbered(10), 1);
  resumed.state = source.state;
  expect(resumed.next(5)).toEqual(source.next(5));
});

it("examples are not packed with a length that is no whole number, even if there are none", () => {
  expect(() => packExamples([], 1.5)).toThrow(ArgumentError);
  expect(packExamples([], 3)).toMatchObject({ count: 0, length: 3 });
});

it("labels count unless they are negative, so that a label 0 counts", () => {
  expect([...labelCounts(Int32Array.of(0, -100, 3, -1, 5, 0), 2)]).toEqual([1, 1, 2]);
});
