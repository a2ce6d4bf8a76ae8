// The time of a training, if the process was stopped or the computer slept meanwhile.
import { beforeEach, expect, it, vi } from "vitest";
import { WorkClock } from "../../src/runs/work-clock.ts";

let now = 1000; // ms
beforeEach(() => void vi.spyOn(performance, "now").mockImplementation(() => now));

it("a clock counts the seconds since it was made, and those before", () => {
  const [fresh, resumed] = [new WorkClock(), new WorkClock(40)];
  for (const seconds of [0, 1.5, 120, 120]) now += 1000 * seconds;
  expect([fresh.read(), resumed.read()]).toEqual([241.5, 281.5]);
  now += 250;
  expect([fresh.read(), fresh.read(), resumed.read()]).toEqual([241.75, 241.75, 281.75]);
});

it("a clock counts five minutes of a pause that is longer", () => {
  const work = new WorkClock();
  const readings = [10, 8 * 3600, 10, 301, 299].map((seconds) => {
    now += 1000 * seconds;
    return work.read();
  });
  expect(readings).toEqual([10, 310, 320, 620, 919]);
});
