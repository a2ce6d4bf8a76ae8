// Shares of puzzles, as the page writes them: always with the number of puzzles and a 95% interval.

/** The 95% Wilson interval of a share, as `wilson95` of trm-ts computes it. (Importing it would load the whole library into the page.) */
export function interval(successes: number, trials: number): readonly [low: number, high: number] {
  if (trials === 0) return [0, 1];
  const z = 1.959963984540054;
  const share = successes / trials;
  const shrink = 1 + z ** 2 / trials;
  const centre = (share + z ** 2 / (2 * trials)) / shrink;
  const half = (z / shrink) * Math.sqrt((share * (1 - share)) / trials + z ** 2 / (4 * trials ** 2));
  return [successes === 0 ? 0 : Math.max(0, centre - half), successes === trials ? 1 : Math.min(1, centre + half)];
}

/** 82.5% */
export const percent = (share: number): string => `${Number((100 * share).toFixed(1))}%`;

/** 82.5% (95% interval 76.6 to 87.1%) of 200 */
export function shareText(successes: number, trials: number): string {
  const [low, high] = interval(successes, trials).map((share) => Number((100 * share).toFixed(1)));
  return `${percent(successes / trials)} (95% interval ${low} to ${high}%) of ${trials}`;
}
