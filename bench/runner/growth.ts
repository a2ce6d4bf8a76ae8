// Configurations around sudoku9, to see how the cost of a step grows with the batch, with D, with L and with the threads.
import type { StepConfig } from "../shared/config.ts";

export interface Variation {
  /** "batch" ... */
  readonly axis: string;
  readonly value: number;
  readonly config: StepConfig;
  readonly threads: number;
}

/** @param threads  how many there are at most; @param quick  only the ends of every axis */
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

/** 1, 2, 4 ... and the number itself. */
export function powersOfTwo(limit: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < limit; count *= 2) counts.push(count);
  return [...counts, limit];
}
