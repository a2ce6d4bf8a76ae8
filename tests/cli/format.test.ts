import fc from "fast-check";
import { expect, it } from "vitest";
import { counted, duration, lossText, percent, thousands } from "../../src/cli/format.ts";

it("durations are shown in minutes and seconds, from one hour in hours", () => {
  expect([0, 0.4, 9.6, 83, 3599.6, 5025].map(duration)).toEqual(["0:00", "0:00", "0:10", "1:23", "1:00:00", "1:23:45"]);
  expect(duration(-3)).toBe("0:00");
});

it("the seconds can be computed from a duration that is shown", () => {
  fc.assert(
    fc.property(fc.nat({ max: 10 ** 6 }), (seconds) => {
      const parts = duration(seconds).split(":").map(Number);
      expect(parts.reduce((sum, part) => 60 * sum + part, 0)).toBe(seconds);
    }),
  );
});

it("shares, counts and losses are shown with their units and digits", () => {
  expect(percent(0.875)).toBe("87.5%");
  expect(thousands(5028866)).toBe("5,028,866");
  expect([counted(1, "step"), counted(0, "step"), counted(1200, "step")]).toEqual(["1 step", "0 steps", "1,200 steps"]);
  expect([1.9678, 0.0123, 0.00123].map(lossText)).toEqual(["1.968", "0.012", "1.2e-3"]);
});
