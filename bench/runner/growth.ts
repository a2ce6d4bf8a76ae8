// Variations of sudoku9 that show how the cost of a step grows with the batch, D, L and the number of threads.
import type { StepConfig } from "../shared/config.ts";

export interface Variation {
  /** "batch", "D", "L" or "threads". */
  readonly axis: string;
  readonly value: number;
  readonly config: StepConfig;
  readonly threads: number;
}

/** @param threads  maximum number of threads. @param quick  only the ends of each axis */
export function variations(base: StepConfig, threads: number, quick: boolean): Variation[] {
  const along = (
    axis: string,
    values: readonly number[],
    change: (value: number) => Partial<StepConfig>,
  ): Variation[] =>
    (quick ? [values[0]!, values.at(-1)!] : values).map((value) => ({
      axis,
      value,
      config: { ...base, ...change(value) },
      threads,
    }));
  const threadCounts = powersOfTwo(threads);
  return [
    ...along("batch", [4, 8, 16, 32, 64], (batch_size) => ({ batch_size })),
    ...along("D", [64, 128, 256], (hidden_size) => ({ hidden_size })),
    ...along("L", [16, 36, 81, 144], (seq_len) => ({ seq_len })),
    ...threadCounts.map((count) => ({ axis: "threads", value: count, config: base, threads: count })),
  ];
}

/** The powers of two below `limit`, and `limit` itself. */
export function powersOfTwo(limit: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < limit; count *= 2) counts.push(count);
  return [...counts, limit];
}
