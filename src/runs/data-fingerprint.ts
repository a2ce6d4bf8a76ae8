// The fingerprint of a data set. Puzzle ids have a meaning only within one data set, and a resumed run continues bit for bit only
// on the same puzzles, so a run and its checkpoints store which data set they belong to.
import * as z from "zod/mini";

/** SHA-256 hashes of the parts of a data set. */
export const fingerprintSchema = z.object({
  /** Training puzzles with their ids. */
  train: z.string(),
  /** Test puzzles with their ids; null without a test split. */
  test: z.nullable(z.string()),
  /** Names of the puzzle ids in order; null for a data set without names. */
  identifiers: z.nullable(z.string()),
});
export type DataFingerprint = z.output<typeof fingerprintSchema>;

const descriptions = {
  train: "the training puzzles",
  test: "the test puzzles",
  identifiers: "the names of the puzzle ids",
};

/** The parts in which two data sets differ, in words; undefined if they agree. Parts that `actual` omits are not compared. */
export function differenceOfData(actual: Partial<DataFingerprint>, expected: DataFingerprint): string | undefined {
  const parts = (Object.keys(descriptions) as (keyof DataFingerprint)[]).filter(
    (part) => actual[part] !== undefined && actual[part] !== expected[part],
  );
  return parts.length === 0 ? undefined : parts.map((part) => descriptions[part]).join(" and ");
}
