// The halting rules of the paper and of the official code.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/tensor/index.ts";
import { drawMinimumSteps, haltedAfter } from "../../src/trm/index.ts";

const q = fc.double({ min: -3, max: 3, noNaN: true });
const slots = fc.array(
  fc.record({ step: fc.integer({ min: 1, max: 8 }), qHalt: q, qContinue: q, minimum: fc.integer({ min: 0, max: 8 }) }),
  { minLength: 1, maxLength: 6 },
);
const options = { nSup: 8, continueLoss: false, haltAgainstContinue: false, refill: "slot" as "slot" | "batch" };

const decide = (
  each: { step: number; qHalt: number; qContinue: number; minimum: number }[],
  own = options,
): boolean[] =>
  haltedAfter(
    Int32Array.from(each, ({ step }) => step),
    { qHalt: each.map((s) => s.qHalt), qContinue: each.map((s) => s.qContinue) },
    Int32Array.from(each, ({ minimum }) => minimum),
    own,
  );

describe("haltedAfter", () => {
  it("halts a slot if (last step or q > 0) and steps >= minimum", () => {
    fc.assert(
      fc.property(slots, (each) => {
        const expected = each.map((s) => (s.step >= 8 || s.qHalt > 0) && s.step >= s.minimum);
        expect(decide(each)).toEqual(expected);
      }),
    );
  });

  it("compares q_halt with q_continue if there is a continue loss", () => {
    fc.assert(
      fc.property(slots, (each) => {
        const expected = each.map((s) => (s.step >= 8 || s.qHalt > s.qContinue) && s.step >= s.minimum);
        expect(decide(each, { ...options, continueLoss: true })).toEqual(expected);
        expect(decide(each, { ...options, haltAgainstContinue: true })).toEqual(expected);
      }),
    );
  });

  it("halts all slots together when refilling by batch", () => {
    const two = [
      { step: 3, qHalt: 1, qContinue: 0, minimum: 0 },
      { step: 3, qHalt: -1, qContinue: 0, minimum: 0 },
    ];
    const own = { ...options, refill: "batch" as const };
    expect(decide(two, own)).toEqual([false, false]);
    expect(decide([two[0]!, two[0]!], own)).toEqual([true, true]);
    expect(decide([two[0]!, { ...two[0]!, minimum: 5 }], own)).toEqual([false, false]); // one slot explores, so all continue
    expect(
      decide(
        [two[1]!, two[1]!].map((each) => ({ ...each, step: 8 })),
        own,
      ),
    ).toEqual([true, true]);
  });
});

describe("exploration", () => {
  const explore = (seed: number, slots: number, p: number, nSup: number, refill: "slot" | "batch" = "slot") =>
    drawMinimumSteps(new Random(seed), slots, { nSup, explorationProbability: p, refill });

  it("draws a minimum uniform in 2..nSup with probability p, else 0", () => {
    const minima = explore(3, 20_000, 0.25, 5);
    const counts = [0, 1, 2, 3, 4, 5, 6].map((value) => minima.filter((m) => m === value).length / minima.length);
    expect(counts[1]! + counts[6]!).toBe(0);
    expect(Math.abs(counts[0]! - 0.75)).toBeLessThan(0.015);
    for (const value of [2, 3, 4, 5]) expect(Math.abs(counts[value]! - 0.0625)).toBeLessThan(0.008);
  });

  it("does not happen with probability 0 or with a single step", () => {
    expect(explore(1, 100, 0, 5).every((m) => m === 0)).toBe(true);
    expect(explore(1, 100, 1, 1).every((m) => m === 0)).toBe(true);
  });

  it("draws one minimum for all slots when refilling by batch, so that a batch of 768 can halt early", () => {
    const own = { ...options, nSup: 16, refill: "batch" as const };
    const random = new Random(7);
    const slots = Array.from({ length: 768 }, () => ({ qHalt: 1, qContinue: 0, minimum: 0 }));
    const stepsUntilHalt = Array.from({ length: 50 }, () => {
      for (let step = 1; ; step++) {
        const minima = drawMinimumSteps(random, 768, { ...own, explorationProbability: 0.1 });
        const halted = decide(
          slots.map((each, i) => ({ ...each, step, minimum: minima[i]! })),
          own,
        );
        expect(new Set(halted).size).toBe(1);
        if (halted[0]) return step;
      }
    });
    expect(stepsUntilHalt.reduce((sum, steps) => sum + steps) / stepsUntilHalt.length).toBeLessThan(2);
  });
});
