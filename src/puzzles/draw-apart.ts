// Draws different puzzles for a training set and a test set.
import type { Random } from "../tensor/index.ts";
import { ConfigError, type GenerateOptions } from "../trm/index.ts";

/** After this many draws in a row without a new puzzle, hardly any are left. */
const MAX_FRUITLESS = 20_000;

/** A JavaScript Map holds at most this many puzzles. */
const MAX_PUZZLES = 2 ** 24 - 1;

export interface DrawOptions<P> extends Pick<GenerateOptions, "train" | "test" | "onProgress"> {
  /** Name of the task for errors. */
  readonly name: string;
  readonly random: Random;
  draw(random: Random): P;
  /** Equal for puzzles that count as the same; one of them is kept. */
  key(puzzle: P): string;
}

/**
 * Two sets of different puzzles from one distribution. All puzzles are drawn first and then divided at random, because rare puzzles
 * tend to be drawn late and would all be in one set.
 * @throws ConfigError if there are fewer different puzzles
 */
export function drawApart<P>(options: DrawOptions<P>): { train: P[]; test: P[] } {
  const { name, random, draw, key, onProgress } = options;
  const total = options.train + options.test;
  const request = `${name}: train ${options.train} + test ${options.test} puzzles`;
  if (total > MAX_PUZZLES) throw new ConfigError(`${request}, expected at most ${MAX_PUZZLES}`);
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
        `${request}, found only ${puzzles.size} different (${MAX_FRUITLESS} draws in a row repeated a puzzle)`,
      );
    }
  }
  const shuffled = [...puzzles.values()];
  random.shuffle(shuffled);
  return { train: shuffled.slice(options.test), test: shuffled.slice(0, options.test) };
}
