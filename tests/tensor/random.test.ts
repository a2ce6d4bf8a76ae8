// Seeded random numbers: saved states, seeds, distributions and orders.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random, type RandomState, TRUNCATED_NORMAL_STD } from "../../src/tensor/random.ts";

const seeds = fc.maxSafeInteger();

function moments(count: number, draw: () => number) {
  let sum = 0;
  let squares = 0;
  let fourth = 0;
  let largest = 0;
  for (let index = 0; index < count; index++) {
    const value = draw();
    sum += value;
    squares += value * value;
    fourth += value ** 4;
    largest = Math.max(largest, Math.abs(value));
  }
  const mean = sum / count;
  return { mean, std: Math.sqrt(squares / count - mean * mean), fourth: fourth / count, largest };
}

describe("state", () => {
  it("a generator continues bit for bit after its state went through JSON", () => {
    fc.assert(
      fc.property(seeds, fc.nat(20), (seed, before) => {
        const random = new Random(seed);
        for (let index = 0; index < before; index++) random.truncatedNormal();
        const saved: RandomState = JSON.parse(JSON.stringify(random.state));
        const draw = (r: Random) => [r.uniform(), r.integer(7), r.normal(), r.truncatedNormal(0.3), r.bernoulli(0.5)];
        const resumed = Random.fromState(saved);
        expect(draw(resumed)).toEqual(draw(random));
        expect(resumed.state).toEqual(random.state);
        random.state = saved;
        expect(random.state).toEqual(saved);
      }),
    );
  });

  it("a saved state does not change when the generator runs on", () => {
    const random = new Random(1);
    const state = random.state;
    const copy = JSON.stringify(state);
    random.uniform();
    expect(JSON.stringify(state)).toBe(copy);
  });

  it.each([
    { generator: "mersenne", words: [1, 2, 3, 4] },
    { generator: "xoroshiro128plus", words: [1, 2, 3] },
    { generator: "xoroshiro128plus", words: [1, 2, 3, 0.5] },
    { generator: "xoroshiro128plus", words: [0, 0, 0, 0] },
    { generator: "xoroshiro128plus", words: "1234" },
    {},
  ])("the state %j is refused", (state) => {
    expect(() => Random.fromState(state as RandomState)).toThrow(RangeError);
  });

  it("a seed gives the same numbers on every machine", () => {
    const random = new Random(42);
    expect([random.integer(1000), random.integer(1000), random.uniform()]).toMatchInlineSnapshot(`
      [
        313,
        851,
        0.3237705219431469,
      ]
    `);
  });
});

describe("seeds", () => {
  it("neighbouring seeds give unrelated streams", () => {
    const firsts = Array.from({ length: 4000 }, (_, seed) => new Random(seed).uniform());
    const { mean, std } = moments(firsts.length, () => firsts.pop() ?? 0);
    expect(mean).toBeCloseTo(0.5, 1);
    expect(std).toBeCloseTo(Math.sqrt(1 / 12), 1);
    const differing = (a: number, b: number) =>
      new Random(a).state.words.map((word, index) => bits(word ^ new Random(b).state.words[index]!));
    for (let seed = 0; seed < 64; seed++) {
      const changed = differing(seed, seed + 1).reduce((a, b) => a + b);
      expect(changed).toBeGreaterThan(35);
      expect(changed).toBeLessThan(93);
    }
  });

  it("all safe integers are different seeds, also beyond 32 bits and below zero", () => {
    fc.assert(
      fc.property(seeds, seeds, (a, b) => {
        fc.pre(a !== b);
        expect(new Random(a).state).not.toEqual(new Random(b).state);
      }),
    );
    expect(new Random(2 ** 32).uniform()).not.toBe(new Random(0).uniform());
  });

  it.each([0.5, Number.NaN, 2 ** 53])("%d is refused as a seed", (seed) => {
    expect(() => new Random(seed)).toThrow(`Random: seed ${seed}, expected a safe integer`);
  });

  it("a split generator is reproducible and differs from its parent", () => {
    const children = [new Random(3), new Random(3)].map((parent) => parent.split());
    expect(children[0]!.uniform()).toBe(children[1]!.uniform());
    const parent = new Random(3);
    const [first, second] = [parent.split(), parent.split()];
    expect(new Set([first.uniform(), second.uniform(), parent.uniform()]).size).toBe(3);
  });
});

describe("distributions", () => {
  it("uniform numbers are in [0, 1) with mean 1/2 and deviation 1/sqrt(12), evenly over 16 bins", () => {
    const random = new Random(11);
    const bins = new Array<number>(16).fill(0);
    const { mean, std } = moments(64_000, () => {
      const value = random.uniform();
      expect(value >= 0 && value < 1).toBe(true);
      bins[Math.floor(value * 16)]! += 1;
      return value;
    });
    expect(mean).toBeCloseTo(0.5, 2);
    expect(std).toBeCloseTo(Math.sqrt(1 / 12), 2);
    const chiSquare = bins.reduce((sum, seen) => sum + (seen - 4000) ** 2 / 4000, 0);
    expect(chiSquare).toBeLessThan(37.7); // 99.9% of 15 degrees of freedom
  });

  it("integers cover every value of the range evenly", () => {
    const random = new Random(12);
    const seen = new Array<number>(7).fill(0);
    for (let index = 0; index < 70_000; index++) seen[random.integer(7)]! += 1;
    for (const count of seen) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (seed, below) => {
        const value = new Random(seed).integer(below);
        expect(Number.isSafeInteger(value) && value >= 0 && value < below).toBe(true);
      }),
    );
    expect(() => random.integer(0)).toThrow("Random.integer: below 0, expected a positive safe integer");
  });

  it("normal numbers have mean 0, deviation 1 and fourth moment 3", () => {
    const random = new Random(13);
    const { mean, std, fourth } = moments(100_000, () => random.normal());
    expect(Math.abs(mean)).toBeLessThan(0.012);
    expect(std).toBeCloseTo(1, 2);
    expect(Math.abs(fourth - 3)).toBeLessThan(0.15);
  });

  it("truncated normal numbers have the requested deviation, truncated at two deviations of the normal", () => {
    const random = new Random(14);
    for (const std of [1, 0.02]) {
      const result = moments(100_000, () => random.truncatedNormal(std));
      expect(Math.abs(result.mean)).toBeLessThan(0.012 * std);
      expect(result.std / std).toBeCloseTo(1, 2);
      expect(result.largest).toBeLessThanOrEqual((2 / TRUNCATED_NORMAL_STD) * std);
      expect(result.largest).toBeGreaterThan((1.99 / TRUNCATED_NORMAL_STD) * std);
    }
  });

  it("TRUNCATED_NORMAL_STD is the deviation of the truncated normal", () => {
    const density = (x: number) => Math.exp((-x * x) / 2);
    const steps = 20_000;
    let mass = 0;
    let second = 0;
    for (let index = 0; index < steps; index++) {
      const x = -2 + (4 * (index + 0.5)) / steps;
      mass += density(x);
      second += x * x * density(x);
    }
    expect(TRUNCATED_NORMAL_STD).toBeCloseTo(Math.sqrt(second / mass), 8);
  });

  it("bernoulli is true with the given probability", () => {
    const random = new Random(15);
    let hits = 0;
    for (let index = 0; index < 50_000; index++) hits += random.bernoulli(0.1) ? 1 : 0;
    expect(hits / 50_000).toBeCloseTo(0.1, 2);
    expect(random.bernoulli(0)).toBe(false);
    expect(random.bernoulli(1)).toBe(true);
  });
});

describe("orders", () => {
  it("shuffle keeps the elements", () => {
    fc.assert(
      fc.property(seeds, fc.array(fc.integer()), (seed, values) => {
        const shuffled = new Random(seed).shuffle([...values]);
        expect(shuffled.sort()).toEqual([...values].sort());
      }),
    );
  });

  it("shuffle gives all orders of three equally often", () => {
    const random = new Random(16);
    const seen = new Map<string, number>();
    for (let index = 0; index < 12_000; index++) {
      const key = random.permutation(3).join("");
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    for (const count of seen.values()) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  it("sample draws distinct numbers of the range", () => {
    fc.assert(
      fc.property(seeds, fc.nat(50), fc.nat(50), (seed, below, count) => {
        fc.pre(count <= below);
        const chosen = new Random(seed).sample(below, count);
        expect(chosen).toHaveLength(count);
        expect(new Set(chosen).size).toBe(count);
        for (const value of chosen) expect(value >= 0 && value < below).toBe(true);
      }),
    );
    expect(new Random(1).sample(2 ** 40, 3)).toHaveLength(3);
    expect(() => new Random(1).sample(3, 4)).toThrow(
      "Random.sample: 4 of 3 without replacement, expected a whole number from 0 to 3",
    );
  });
});

function bits(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}
