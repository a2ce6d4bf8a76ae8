/** Draws puzzles for a training and a test set that share none. */
import type { Random } from "../tensor/index.ts";
import { ConfigError, type GenerateOptions } from "../trm/index.ts";

/** So many draws in a row without a new puzzle mean that there are hardly any left. */
const MAX_FRUITLESS = 20_000;

export interface DrawOptions<P> extends Pick<GenerateOptions, "train" | "test" | "onProgress"> {
  /** Names the task in errors. */
  readonly name: string;
  readonly random: Random;
  draw(random: Random): P;
  /** Equal for puzzles that must not be in both sets (and are kept once only). */
  key(puzzle: P): string;
}

/**
 * Two sets of different puzzles from one distribution: all are drawn first, then dealt at random, because rare puzzles
 * tend to be drawn late and would all end in one set.
 * @throws ConfigError if there are not so many different puzzles.
 */
export function drawApart<P>(options: DrawOptions<P>): { train: P[]; test: P[] } {
  const { name, random, draw, key, onProgress } = options;
  const total = options.train + options.test;
  const puzzles = new Map<string, P>();
  for (let fruitless = 0; puzzles.size < total; ) {
    const candidate = draw(random);
    const identity = key(candidate);
    if (!puzzles.has(identity)) {
      puzzles.set(identity, candidate);
      fruitless = 0;
      if (puzzles.size % 64 === 0 || puzzles.size === total) onProgress?.(puzzles.size, total);
    } else if (++fruitless === MAX_FRUITLESS) {
      throw new ConfigError(
        `${name}: ${total} different puzzles asked, only ${puzzles.size} found (${MAX_FRUITLESS} draws in a row gave known ones)`,
      );
    }
  }
  const shuffled = [...puzzles.values()];
  random.shuffle(shuffled);
  return { train: shuffled.slice(options.test), test: shuffled.slice(0, options.test) };
}
