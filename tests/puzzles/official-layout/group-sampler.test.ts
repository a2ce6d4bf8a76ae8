// Training and evaluation batches of a split in the official layout.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GroupSampler, type GroupSamplerState } from "../../../src/puzzles/official-layout/group-sampler.ts";
import { memorySource, pickExamples, SplitBatches } from "../../../src/puzzles/official-layout/split-batches.ts";
import { ShuffledExamples } from "../../../src/trm/batches.ts";
import { ConfigError } from "../../../src/trm/errors.ts";
import { evaluationBatches } from "../../../src/trm/index.ts";
import { ignoredLabel } from "../../../src/trm/losses.ts";
import { boundaries, splits } from "./splits.ts";

/** Groups of puzzles of examples, as the two index columns. */
const indices = fc
  .array(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 })
  .map((groups) => {
    return { groupIndices: boundaries(groups.map((group) => group.length)), puzzleIndices: boundaries(groups.flat()) };
  });

describe("GroupSampler", () => {
  it("a batch is full, and a visit of a group contributes different examples of one of its puzzles", () => {
    fc.assert(
      fc.property(indices, fc.integer({ min: 1, max: 9 }), fc.nat(), ({ groupIndices, puzzleIndices }, size, seed) => {
        const sampler = new GroupSampler({ groupIndices, puzzleIndices, seed });
        for (let batch = 0; batch < 20; batch++) {
          const { examples, puzzles } = sampler.next(size);
          expect([examples.length, puzzles.length]).toEqual([size, size]);
          const start = (row: number): number => puzzleIndices[puzzles[row]!]!;
          const end = (row: number): number => puzzleIndices[puzzles[row]! + 1]!;
          for (let row = 0; row < size; ) {
            // A visit takes all examples of its puzzle, or as many as fit.
            const count = Math.min(end(row) - start(row), size - row);
            const visit = examples.slice(row, row + count);
            expect(new Set(visit).size).toBe(count);
            expect(visit.every((example) => example >= start(row) && example < end(row))).toBe(true);
            row += count;
          }
        }
      }),
    );
  });

  it("a puzzle contributes the examples that fit into the batch, and the rest is left out", () => {
    // Two groups of one puzzle with 3 examples: a batch of 4 has all 3 of one and 1 of the other.
    const sampler = new GroupSampler({ groupIndices: [0, 1, 2], puzzleIndices: [0, 3, 6], seed: 1 });
    for (let epoch = 1; epoch <= 10; epoch++) {
      const counts = [...sampler.next(4).puzzles].reduce((sum, puzzle) => sum + puzzle, 0);
      expect([1, 3]).toContain(counts);
      expect(sampler.epoch).toBe(epoch);
    }
  });

  it("every puzzle of a group and every example is drawn equally often", () => {
    const sampler = new GroupSampler({ groupIndices: [0, 3], puzzleIndices: [0, 2, 4, 6], seed: 1 });
    const counts = new Array<number>(6).fill(0);
    for (let draw = 0; draw < 6000; draw++) counts[sampler.next(1).examples[0]!]!++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });

  it("a sampler continues from its state at any point, also through JSON", () => {
    fc.assert(
      fc.property(indices, fc.nat(12), fc.nat(), (index, before, seed) => {
        const make = (seed: number) => new GroupSampler({ ...index, seed });
        const sampler = make(seed);
        for (let batch = 0; batch < before; batch++) sampler.next(1);
        const state: GroupSamplerState = JSON.parse(JSON.stringify(sampler.state));
        const resumed = make(seed + 1);
        resumed.state = state;
        expect(resumed.state).toEqual(state);
        for (let batch = 0; batch < 20; batch++) expect(resumed.next(1)).toEqual(sampler.next(1));
        expect(resumed.epoch).toBe(sampler.epoch);
      }),
    );
  });

  it("batches run across the borders of epochs, so that every group is visited equally often", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 20 }), fc.nat(), (groups, size, seed) => {
        const ends = Array.from({ length: groups + 1 }, (_, at) => at);
        const sampler = new GroupSampler({ groupIndices: ends, puzzleIndices: ends, seed });
        const visits = Array.from({ length: groups }, () => sampler.next(size)).flatMap(({ puzzles }) => [...puzzles]);
        // `groups` batches of `size` are exactly `size` epochs, each of which is a permutation.
        expect(sampler.epoch).toBe(size);
        for (let epoch = 0; epoch < size; epoch++) {
          expect(visits.slice(epoch * groups, (epoch + 1) * groups).sort((x, y) => x - y)).toEqual(
            ends.slice(0, groups),
          );
        }
      }),
    );
  });

  it("1,000 groups fill 125 batches of 768 in 96 epochs, without a partial batch", () => {
    const ends = Array.from({ length: 1001 }, (_, at) => at);
    const sampler = new GroupSampler({ groupIndices: ends, puzzleIndices: ends, seed: 1 });
    for (let batch = 0; batch < 125; batch++) sampler.next(768);
    expect(sampler.epoch).toBe(96);
  });

  it("invalid sizes and states are refused", () => {
    expect(() => new GroupSampler({ groupIndices: [0], puzzleIndices: [0], seed: 1 })).toThrow(ConfigError);
    expect(() => new GroupSampler({ groupIndices: [0, 1], puzzleIndices: [0, 1], seed: 1 }).next(0)).toThrow(
      "batch size 0, expected an integer from 1",
    );
    const sampler = new GroupSampler({ groupIndices: [0, 1], puzzleIndices: [0, 1], seed: 1 });
    expect(() => {
      sampler.state = { ...sampler.state, position: -1 };
    }).toThrow(
      new RangeError(
        "GroupSampler: state with position -1 and epoch 0, expected whole numbers from 0, the position at most 1",
      ),
    );
  });

  it("a position beyond the groups is refused, and the sampler stays as it was", () => {
    fc.assert(
      fc.property(indices, fc.integer({ min: 1, max: 9 }), fc.nat(), (index, more, seed) => {
        const groups = index.groupIndices.length - 1;
        const sampler = new GroupSampler({ ...index, seed });
        sampler.next(1);
        const before = sampler.state;
        expect(() => {
          sampler.state = { ...before, position: groups + more };
        }).toThrow(
          new RangeError(
            `GroupSampler: state with position ${groups + more} and epoch 1, expected whole numbers from 0, the position at most ${groups}`,
          ),
        );
        expect(sampler.state).toEqual(before);
      }),
    );
  });

  it("a state that is refused changes nothing", () => {
    const sampler = new GroupSampler({ groupIndices: [0, 1, 2], puzzleIndices: [0, 1, 2], seed: 1 });
    sampler.next(3);
    const before = sampler.state;
    const { random: passStart } = new GroupSampler({ groupIndices: [0, 1], puzzleIndices: [0, 1], seed: 2 }).state;
    expect(() => {
      sampler.state = { ...before, passStart, random: { ...before.random, words: [0, 0, 0, 0] } };
    }).toThrow("Random: state");
    expect(sampler.state).toEqual(before);
  });
});

describe("batches", () => {
  it("evaluation visits all examples in order; the last batch has the rest", () => {
    fc.assert(
      fc.property(splits, fc.integer({ min: 1, max: 5 }), (split, batchSize) => {
        const { sequenceLength: length, ignoreLabel } = split.metadata;
        const total = split.inputs.length / length;
        let example = 0;
        for (const batch of evaluationBatches(memorySource(split), batchSize)) {
          const count = Math.min(batchSize, total - example);
          expect([batch.inputs.length, batch.labels.length, batch.puzzleIds.length]).toEqual([
            count * length,
            count * length,
            count,
          ]);
          const rows = [example * length, (example + count) * length] as const;
          expect([...batch.inputs]).toEqual([...split.inputs.subarray(...rows)]);
          const expected = [...split.labels.subarray(...rows)];
          expect([...batch.labels]).toEqual(expected.map((label) => (label === ignoreLabel ? ignoredLabel : label)));
          for (const id of batch.puzzleIds) {
            const puzzle = split.puzzleIndices.findIndex((end, at) => at > 0 && example < end) - 1;
            expect(id).toBe(split.puzzleIdentifiers[puzzle]);
            example++;
          }
        }
        expect(example).toBe(total);
      }),
    );
  });

  it("picked examples ignore the same labels as the whole split", () => {
    fc.assert(
      fc.property(splits, fc.integer({ min: 1, max: 5 }), (split, batchSize) => {
        const source = memorySource(split);
        const picked = pickExamples(source, source.count);
        expect([...evaluationBatches(picked, batchSize)]).toEqual([...evaluationBatches(source, batchSize)]);
        const counting = (labels: Iterable<number>) => [...labels].filter((label) => label !== ignoredLabel).toSorted();
        const [all] = evaluationBatches(source, source.count);
        const drawn = new ShuffledExamples(picked, 1).next(source.count);
        expect(counting(drawn.labels)).toEqual(counting(all!.labels));
      }),
    );
  });

  it("training batches contain the examples of the sampler", () => {
    fc.assert(
      fc.property(splits, fc.nat(), (split, seed) => {
        const source = memorySource(split);
        const { groupIndices, puzzleIndices } = source;
        const sampler = new GroupSampler({ groupIndices, puzzleIndices, seed });
        const batches = new SplitBatches(source, { seed });
        const length = split.metadata.sequenceLength;
        for (let step = 0; step < 5; step++) {
          const { examples, puzzles } = sampler.next(1);
          const batch = batches.next(1);
          expect(batch.inputs).toEqual(
            Int32Array.from(split.inputs.subarray(examples[0]! * length, (examples[0]! + 1) * length)),
          );
          expect(batch.puzzleIds[0]).toBe(split.puzzleIdentifiers[puzzles[0]!]);
        }
        expect(batches.epoch).toBe(sampler.epoch);
        const resumed = new SplitBatches(source, { seed: 0 });
        resumed.state = batches.state;
        expect(resumed.next(1)).toEqual(batches.next(1));
      }),
    );
  });

  it("an invalid state is refused", () => {
    const batches = new SplitBatches(memorySource(fc.sample(splits, { seed: 1, numRuns: 1 })[0]!), { seed: 1 });
    fc.assert(
      fc.property(fc.anything(), (state) => {
        expect(() => {
          batches.state = state;
        }).toThrow(new RangeError("the position in the training data cannot be read"));
      }),
    );
  });
});
