// The learning-rate schedule: its corners and its range. The parity cases replay the official values.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { learningRate } from "../../src/nn/index.ts";

const options = fc.record({
  base: fc.double({ min: 1e-6, max: 1, noNaN: true }),
  warmupSteps: fc.integer({ min: 0, max: 50 }),
  totalSteps: fc.integer({ min: 51, max: 500 }),
  minRatio: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe("learningRate", () => {
  it("rises to the base rate, falls to its minimum, and stays there after totalSteps", () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 1000 }), (own, step) => {
        const rate = learningRate(step, own);
        const lowest = own.base * own.minRatio;
        expect(rate).toBeGreaterThanOrEqual(0);
        expect(rate).toBeLessThanOrEqual(own.base * (1 + 1e-12));
        if (step >= own.warmupSteps) expect(rate).toBeGreaterThanOrEqual(lowest * (1 - 1e-12));
        if (step >= own.totalSteps) expect(rate).toBeCloseTo(lowest, 12);
        const next = learningRate(step + 1, own);
        if (step < own.warmupSteps) expect(next).toBeGreaterThan(rate);
        else expect(next).toBeLessThanOrEqual(rate * (1 + 1e-12));
      }),
    );
  });

  it("is half the base rate in the middle of the cosine", () => {
    expect(learningRate(60, { base: 2, warmupSteps: 20, totalSteps: 100, minRatio: 0 })).toBeCloseTo(1, 12);
  });
});
