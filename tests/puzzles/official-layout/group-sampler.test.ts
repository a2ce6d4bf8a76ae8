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
  it("an epoch: every group at most once, one puzzle of it, different examples of that puzzle, full batches", () => {
    fc.assert(
      fc.property(indices, fc.nat(), ({ groupIndices, puzzleIndices }, seed) => {
        const sampler = new GroupSampler({ groupIndices, puzzleIndices, seed });
        const groupOf = (puzzle: number) => groupIndices.findIndex((end, at) => at > 0 && puzzle < end) - 1;
        try {
          let seen = new Map<number, number>();
          for (let batch = 0; batch < 20; batch++) {
            const before = sampler.epoch;
            const { examples, puzzles } = sampler.next(3);
            if (sampler.epoch !== before) seen = new Map();
            expect([examples.length, puzzles.length]).toEqual([3, 3]);
            expect(new Set(examples).size).toBe(3);
            const inBatch = new Map<number, number>();
            examples.forEach((example, row) => {
              const puzzle = puzzles[row]!;
              expect(example >= puzzleIndices[puzzle]! && example < puzzleIndices[puzzle + 1]!).toBe(true);
              inBatch.set(groupOf(puzzle), puzzle);
            });
            expect(inBatch.size).toBe(new Set(puzzles).size);
            for (const [group, puzzle] of inBatch) {
              expect(seen.has(group)).toBe(false);
              seen.set(group, puzzle);
            }
          }
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          expect(error.message).toMatch(/^batch size 3: one pass over the \d+ groups does not fill a batch, expected/);
        }
      }),
    );
  });

  it("takes all examples of a puzzle that fit, leaves out the rest, and drops the partial batch", () => {
    // Two groups of one puzzle with 3 examples: a batch of 4 has all 3 of one and 1 of the other.
    const sampler = new GroupSampler({ groupIndices: [0, 1, 2], puzzleIndices: [0, 3, 6], seed: 1 });
    for (let epoch = 1; epoch <= 10; epoch++) {
      const counts = [...sampler.next(4).puzzles].reduce((sum, puzzle) => sum + puzzle, 0);
      expect([1, 3]).toContain(counts);
      expect(sampler.epoch).toBe(epoch);
    }
  });

  it("draws every puzzle of a group and every example equally often", () => {
    const sampler = new GroupSampler({ groupIndices: [0, 3], puzzleIndices: [0, 2, 4, 6], seed: 1 });
    const counts = new Array<number>(6).fill(0);
    for (let draw = 0; draw < 6000; draw++) counts[sampler.next(1).examples[0]!]!++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });

  it("continues from its state, at any point, through JSON", () => {
    fc.assert(
      fc.property(
        indices,
        fc.nat(12),
        fc.nat(),
        fc.integer({ min: 1, max: 3 }),
        (index, before, seed, epochsPerPass) => {
          const make = (seed: number) => new GroupSampler({ ...index, seed, epochsPerPass });
          const sampler = make(seed);
          for (let batch = 0; batch < before; batch++) sampler.next(1);
          const state: GroupSamplerState = JSON.parse(JSON.stringify(sampler.state));
          const resumed = make(seed + 1);
          resumed.state = state;
          expect(resumed.state).toEqual(state);
          for (let batch = 0; batch < 20; batch++) expect(resumed.next(1)).toEqual(sampler.next(1));
          expect(resumed.epoch).toBe(sampler.epoch);
        },
      ),
    );
  });

  it("several epochs per pass let batches run across the border", () => {
    const index = { groupIndices: [0, 1, 2, 3], puzzleIndices: [0, 1, 2, 3], seed: 1 };
    const draws = (epochsPerPass: number) => {
      const sampler = new GroupSampler({ ...index, epochsPerPass });
      return Array.from({ length: 3 }, () => {
        sampler.next(2);
        return sampler.epoch;
      });
    };
    expect(draws(1)).toEqual([1, 2, 3]); // one batch of 2 per epoch of 3
    expect(draws(2)).toEqual([2, 2, 2]); // three batches in two epochs
  });

  it("refuses what cannot work", () => {
    expect(() => new GroupSampler({ groupIndices: [0], puzzleIndices: [0], seed: 1 })).toThrow(ConfigError);
    expect(() => new GroupSampler({ groupIndices: [0, 1], puzzleIndices: [0, 1], seed: 1 }).next(0)).toThrow(
      "batch size 0, expected a whole number from 1",
    );
    const sampler = new GroupSampler({ groupIndices: [0, 1], puzzleIndices: [0, 1], seed: 1 });
    expect(() => {
      sampler.state = { ...sampler.state, position: -1 };
    }).toThrow("GroupSampler: state with position -1 and epoch 0, expected whole numbers");
  });
});

describe("batches", () => {
  it("evaluation goes through all examples in order; the last batch has what is left", () => {
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

  it("of picked examples count the same labels as those of the whole set", () => {
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

  it("training batches have the examples that the sampler chose", () => {
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

  it("refuse a state that is none", () => {
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
