// Statistics for the benchmark.

export const minimum = (values: readonly number[]): number => Math.min(...values);

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median over the turns of peer / ours. Both times of a ratio were measured in the same turn, so drift of the machine cancels. */
export const medianRatio = (peer: readonly number[], ours: readonly number[]): number =>
  median(Array.from({ length: Math.min(peer.length, ours.length) }, (_, i) => peer[i]! / ours[i]!));

/** Two decimals, like the milliseconds of torch_step.py. */
export const rounded = (value: number): number => Math.round(value * 100) / 100;
