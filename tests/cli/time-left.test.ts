import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isReached, secondsLeft, shareDone } from "../../src/cli/time-left.ts";

const start = { step: 100, seconds: 50 };

describe("a goal in steps", () => {
  const goal = { step: 200, seconds: null };
  it("is estimated with the mean time per step so far", () => {
    expect(secondsLeft(goal, start, { step: 125, seconds: 60 })).toBe(30);
    expect(shareDone(goal, start, { step: 125, seconds: 60 })).toBe(0.25);
  });
  it("has no estimate before the first step", () => {
    expect(secondsLeft(goal, start, start)).toBeNull();
    expect(shareDone(goal, start, start)).toBe(0);
  });
  it("is reached at that step and not before", () => {
    expect(isReached(goal, { step: 199, seconds: 1e9 })).toBe(false);
    expect(isReached(goal, { step: 200, seconds: 0 })).toBe(true);
  });
});

it("of a goal in steps and a goal in time, the nearer one counts", () => {
  const goal = { step: 200, seconds: 70 };
  expect(secondsLeft(goal, start, { step: 125, seconds: 60 })).toBe(10);
  expect(shareDone(goal, start, { step: 125, seconds: 60 })).toBe(0.5);
  expect(isReached(goal, { step: 150, seconds: 70 })).toBe(true);
});

it("a goal before the start counts as reached", () => {
  expect(isReached({ step: 50, seconds: null }, start)).toBe(true);
  expect(shareDone({ step: 50, seconds: null }, start, start)).toBe(1);
});

it("the share done of a goal in steps is at least 0, and 1 exactly if the goal is reached", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(1000), fc.nat(2000), (from, to, at) => {
      const now = { step: from + at, seconds: at };
      const share = shareDone({ step: to, seconds: null }, { step: from, seconds: 0 }, now);
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share === 1).toBe(isReached({ step: to, seconds: null }, now) || to <= from);
    }),
  );
});
