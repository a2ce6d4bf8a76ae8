// The warm-up of the moving average's rate.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Linear, Module, updateAverage, warmedUpRate } from "../../src/nn/index.ts";
import { ArgumentError, Random, ShapeError } from "../../src/tensor/index.ts";

describe("the rate of a moving average with a warm-up", () => {
  it("rises at every step until it stays at the full rate, which it never exceeds", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.double({ min: 0.5, max: 0.9999, noNaN: true }),
        (step, rate) => {
          const [now, next] = [warmedUpRate(step, rate), warmedUpRate(step + 1, rate)];
          expect(next).toBeLessThanOrEqual(rate);
          if (now < rate) expect(next).toBeGreaterThan(now);
          else expect(next).toBe(rate);
        },
      ),
    ));

  it("gives the random initial weights a share of 0.006% after 10 steps, where a constant rate of 0.99 gives them 90%", () => {
    let [warm, constant] = [1, 1];
    for (let step = 1; step <= 10; step++) {
      warm *= warmedUpRate(step, 0.99);
      constant *= 0.99;
    }
    expect(warm).toBeCloseTo(6e-5, 6);
    expect(constant).toBeGreaterThan(0.9);
    expect([1, 889, 890].map((step) => warmedUpRate(step, 0.99))).toEqual([2 / 11, 890 / 899, 0.99]);
  });
});

it("an average refuses what is no module, whichever of the two it is", () => {
  const module = new Linear(2, 2, new Random(1));
  const wrong = { weight: 1 } as unknown as Linear;
  expect(() => updateAverage(wrong, module, 0.9)).toThrow(ArgumentError);
  expect(() => updateAverage(wrong, module, 0.9)).toThrow(/got an object .* as the average, expected a Module/);
  expect(() => updateAverage(module, wrong, 0.9)).toThrow(/got an object .* as the weights, expected a Module/);
});

it("an average refuses a rate outside 0..1, and a module with another number of weights", () => {
  const module = new Linear(2, 2, new Random(1));
  for (const rate of [2, -0.1, Number.NaN, undefined as unknown as number]) {
    expect(() => updateAverage(module, module, rate)).toThrow(/as the rate, expected a number from 0 to 1$/);
  }
  const pair = new (class extends Module {
    readonly one = new Linear(2, 2, new Random(1));
    readonly two = new Linear(2, 2, new Random(2));
  })();
  expect(() => updateAverage(pair, module, 0.9)).toThrow(
    new ShapeError("updateAverage: got 1 weights, expected 2 as in the average"),
  );
});
