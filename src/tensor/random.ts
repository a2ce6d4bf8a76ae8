/**
 * Seeded random numbers whose state can be saved, so that a resumed run continues bit for bit. There is no global state.
 *
 * The generator is pure-rand's xoroshiro128+ (32 bits per draw). A mixing function spreads the seed over its 128 bits, because
 * with plain seeding the first draws of neighbouring seeds are similar.
 */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

/** The complete state of a Random as plain data for JSON. */
export interface RandomState {
  readonly generator: "xoroshiro128plus";
  /** The 128 bits as four signed 32-bit words. */
  readonly words: readonly number[];
}

/**
 * Standard deviation of a standard normal distribution truncated at +-2: sqrt(1 - 2 * 2 phi(2) / (Phi(2) - Phi(-2))).
 * Division by it gives the truncated distribution the requested deviation, as in JAX and the official code.
 */
export const TRUNCATED_NORMAL_STD = 0.8796256610342398;

/** A seeded generator of random numbers whose state can be saved. */
export class Random {
  #generator: ReturnType<typeof xoroshiro128plusFromState>;

  /** @param seed any safe integer. @throws RangeError for any other number */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw new RangeError(`Random: seed ${seed}, expected a safe integer`);
    this.#generator = xoroshiro128plusFromState(spread(seed | 0, Math.floor(seed / 2 ** 32) | 0));
  }

  /** A generator that continues from `state`. @throws RangeError if `state` is not a valid state */
  static fromState(state: RandomState): Random {
    const random = new Random(0);
    random.state = state;
    return random;
  }

  /**
   * The generator that belongs to a tuple of integers, such as (seed, puzzle, rollout, step): its draws depend on nothing else.
   *
   * @throws RangeError for a key that is not a safe integer
   */
  static keyed(...keys: number[]): Random {
    let [low, high] = [keys.length, 0x9e3779b9];
    for (const key of keys) {
      if (!Number.isSafeInteger(key)) throw new RangeError(`Random.keyed: key ${key}, expected a safe integer`);
      low = mix(Math.imul(low, 5) + (key | 0));
      high = mix((high ^ low) + Math.imul(Math.floor(key / 2 ** 32) | 0, 0xc2b2ae35));
    }
    const random = new Random(0);
    random.#generator = xoroshiro128plusFromState(spread(low, high));
    return random;
  }

  get state(): RandomState {
    return { generator: "xoroshiro128plus", words: [...this.#generator.getState()] };
  }

  set state(state: RandomState) {
    const { generator, words } = Object(state) as RandomState;
    const valid = Array.isArray(words) && words.length === 4 && words.every((word) => (word | 0) === word);
    if (generator !== "xoroshiro128plus" || !valid || words.every((word) => word === 0)) {
      throw new RangeError(
        `Random: state ${JSON.stringify(state)}, expected {generator: "xoroshiro128plus", words: four 32-bit integers}`,
      );
    }
    this.#generator = xoroshiro128plusFromState(words);
  }

  /** An independent generator, seeded by draws from this one. */
  split(): Random {
    const child = new Random(0);
    child.#generator = xoroshiro128plusFromState(spread(this.#generator.next(), this.#generator.next()));
    return child;
  }

  /** Uniform in [0, 1), a multiple of 2^-53. Uses two draws. */
  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  /** Uniform in 0 .. below - 1, without modulo bias. @throws RangeError unless 1 <= below <= 2^53 - 1 */
  integer(below: number): number {
    if (!Number.isSafeInteger(below) || below < 1) {
      throw new RangeError(`Random.integer: below ${below}, expected a positive safe integer`);
    }
    return uniformInt(this.#generator, 0, below - 1);
  }

  /** True with the given probability. */
  bernoulli(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Standard normal (Box-Muller). The second value is discarded, so that the state is that of the generator alone. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform())); // 1 - u is in (0, 1]
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /**
   * Fills an array with normal values of the given deviation. Box-Muller yields two values per pair of uniform ones, and both are
   * used, so that this takes half as many draws as `normal`, and draws other values.
   */
  fillNormal<A extends Float32Array | Float64Array>(array: A, std = 1): A {
    for (let i = 0; i < array.length; i += 2) {
      const radius = std * Math.sqrt(-2 * Math.log(1 - this.uniform()));
      const angle = 2 * Math.PI * this.uniform();
      array[i] = radius * Math.cos(angle);
      if (i + 1 < array.length) array[i + 1] = radius * Math.sin(angle);
    }
    return array;
  }

  /** Normal, truncated at 2 deviations and rescaled to the standard deviation `std`: values within +-2.2737 std. */
  truncatedNormal(std = 1): number {
    for (;;) {
      const value = this.normal();
      if (Math.abs(value) <= 2) return (value / TRUNCATED_NORMAL_STD) * std;
    }
  }

  /** Shuffles in place (Fisher-Yates) and returns the same array. */
  shuffle<A extends unknown[] | Int32Array | Uint8Array | Float32Array | Float64Array>(array: A): A {
    const cells: { [index: number]: unknown } = array;
    for (let last = array.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const kept = cells[last];
      cells[last] = cells[other];
      cells[other] = kept;
    }
    return array;
  }

  /** 0 .. count - 1 in random order. */
  permutation(count: number): Int32Array {
    return this.shuffle(Int32Array.from({ length: count }, (_, index) => index));
  }

  /** `count` distinct numbers from 0 .. below - 1 in random order. @throws RangeError unless 0 <= count <= below */
  sample(below: number, count: number): number[] {
    if (!(Number.isInteger(count) && count >= 0 && count <= below)) {
      throw new RangeError(
        `Random.sample: ${count} of ${below} without replacement, expected a whole number from 0 to ${below}`,
      );
    }
    // Fisher-Yates over a sparse array: only the positions that were swapped are stored.
    const moved = new Map<number, number>();
    const chosen: number[] = [];
    for (let index = 0; index < count; index++) {
      const other = index + this.integer(below - index);
      chosen.push(moved.get(other) ?? other);
      moved.set(other, moved.get(index) ?? index);
    }
    return chosen;
  }
}

/** Expands 64 bits to a 128-bit state that is never all zero. Every bit depends on every bit (murmur3's finalizer over a counter). */
function spread(low: number, high: number): number[] {
  const words: number[] = [];
  let hash = 0x3c6ef372;
  for (let index = 0; index < 4; index++) {
    hash = mix(Math.imul(hash, 5) + 0x9e3779b9 + (low ^ Math.imul(index, 0x85ebca6b)));
    hash = mix(hash ^ mix((high + Math.imul(index + 1, 0xc2b2ae35)) | 0));
    words.push(hash);
  }
  return words.some((word) => word !== 0) ? words : [1, 2, 3, 4];
}

function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
