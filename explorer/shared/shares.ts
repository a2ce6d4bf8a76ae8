// Shares of puzzles, as the page writes them: always with the number of puzzles and a 95% interval.
import { wilson95 } from "trm-ts";

// The only function of the library in the page: it is small, and the bundler leaves the rest out.
export { wilson95 };

/** 82.5% */
export const percent = (share: number): string => `${Number((100 * share).toFixed(1))}%`;

/** 82.5% (95% interval 76.6 to 87.1%) of 200 */
export function shareText(successes: number, trials: number): string {
  const [low, high] = wilson95(successes, trials).map((share) => Number((100 * share).toFixed(1)));
  return `${percent(successes / trials)} (95% interval ${low} to ${high}%) of ${trials}`;
}
