import type { CpuInfo } from "node:os";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { busyCores } from "../../bench/runner/machine.ts";

/** Readings of cores from milliseconds of work in user mode and of idling. */
const cores = (...times: readonly [user: number, idle: number][]): CpuInfo[] =>
  times.map(([user, idle]) => ({ model: "", speed: 0, times: { user, nice: 0, sys: 0, idle, irq: 0 } }));

describe("the number of busy cores between two readings", () => {
  it("is 1.5 if one of two cores worked all the time and the other half of it", () => {
    expect(busyCores(cores([500, 500], [0, 1000]), cores([1500, 500], [500, 1500]))).toBeCloseTo(1.5);
  });

  it("is 0 between two equal readings", () => {
    expect(busyCores(cores([7, 3]), cores([7, 3]))).toBe(0);
  });

  it("depends on the work between the readings only, and is between 0 and the number of cores", () => {
    const time = fc.tuple(fc.nat(1e9), fc.nat(1e9));
    const step = fc.tuple(fc.nat(1000), fc.nat(1000));
    fc.assert(
      fc.property(fc.array(fc.tuple(time, step), { minLength: 1, maxLength: 64 }), (readings) => {
        const before = readings.map(([[user, idle]]): [number, number] => [user, idle]);
        const after = readings.map(([[user, idle], [worked, idled]]): [number, number] => [
          user + worked,
          idle + idled,
        ]);
        const zero = readings.map((): [number, number] => [0, 0]);
        const between = readings.map(([, [worked, idled]]): [number, number] => [worked, idled]);
        const busy = busyCores(cores(...before), cores(...after));
        expect(busy).toBeCloseTo(busyCores(cores(...zero), cores(...between)));
        expect(busy).toBeGreaterThanOrEqual(-1e-9);
        expect(busy).toBeLessThanOrEqual(readings.length + 1e-9);
      }),
    );
  });
});
