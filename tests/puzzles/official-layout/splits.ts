// Arbitrary small splits.
import fc from "fast-check";
import type { PuzzleSplit } from "../../../src/puzzles/official-layout/layout.ts";

export const splits: fc.Arbitrary<PuzzleSplit> = fc
  .record({
    groups: fc.array(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 4,
    }),
    sequenceLength: fc.integer({ min: 1, max: 4 }),
    vocabularySize: fc.integer({ min: 2, max: 12 }),
    ignoreLabel: fc.constantFrom(0, null),
    identifierCount: fc.integer({ min: 1, max: 9 }),
    seed: fc.nat(1000),
  })
  .map(({ groups, sequenceLength, vocabularySize, ignoreLabel, identifierCount, seed }) => {
    const puzzleIndices = boundaries(groups.flat());
    const examples = puzzleIndices.at(-1)!;
    const tokens = (salt: number) =>
      Uint8Array.from({ length: examples * sequenceLength }, (_, at) => (at * 7 + salt) % vocabularySize);
    const puzzles = puzzleIndices.length - 1;
    return {
      metadata: {
        padToken: 0,
        ignoreLabel,
        blankIdentifier: 0,
        vocabularySize,
        sequenceLength,
        identifierCount,
        groupCount: groups.length,
        meanPuzzleExamples: examples / puzzles,
        puzzleCount: puzzles,
        sets: ["all"],
      },
      inputs: tokens(seed),
      labels: tokens(seed + 3),
      puzzleIdentifiers: Int32Array.from({ length: puzzles }, (_, puzzle) => (puzzle + seed) % identifierCount),
      puzzleIndices,
      groupIndices: boundaries(groups.map((group) => group.length)),
    };
  });

/** 0 and the running totals. */
export function boundaries(sizes: readonly number[]): Int32Array {
  const result = new Int32Array(sizes.length + 1);
  sizes.forEach((size, index) => {
    result[index + 1] = result[index]! + size;
  });
  return result;
}
