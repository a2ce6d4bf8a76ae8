// The few statistics a benchmark needs.

export const minimum = (values: readonly number[]): number => Math.min(...values);

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median of peer / ours over turns: both sides of a ratio ran next to each other, so that drift of the machine cancels. */
export const medianRatio = (peer: readonly number[], ours: readonly number[]): number =>
  median(Array.from({ length: Math.min(peer.length, ours.length) }, (_, i) => peer[i]! / ours[i]!));

/** Two digits after the point, as torch_step.py prints milliseconds. */
export const rounded = (value: number): number => Math.round(value * 100) / 100;
