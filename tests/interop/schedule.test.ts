// The schedule of interop/torchrun/train.py against src/nn/schedule.ts. Plain Python runs it; no packages are needed.
import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { learningRate, type ScheduleOptions, warmedUpRate } from "../../src/nn/index.ts";

const folder = fileURLToPath(new URL("../../interop/torchrun", import.meta.url));
const python = [process.env.TRM_PYTHON, "python3"].find(
  (each) => each !== undefined && spawnSync(each, ["-c", "import math"]).status === 0,
);
if (!python)
  console.log("skipped: the schedule of interop/torchrun (no python3; TRM_PYTHON=/path/to/python names one)");

interface Case extends ScheduleOptions {
  readonly step: number;
}

/** The rates that schedule.py computes, from one process for all cases. */
function pythonRates(cases: readonly Case[]): number[] {
  const program = `
import json, sys
sys.path.insert(0, sys.argv[1])
from schedule import learning_rate
cases = json.load(sys.stdin)
print(json.dumps([learning_rate(c["step"], c["base"], c["warmupSteps"], c["totalSteps"], c["minRatio"]) for c in cases]))
`;
  const printed = execFileSync(python!, ["-B", "-c", program, folder], {
    encoding: "utf8",
    input: JSON.stringify(cases),
  });
  return JSON.parse(printed) as number[];
}

const cases = fc.record({
  step: fc.integer({ min: 1, max: 1500 }),
  base: fc.double({ min: 1e-6, max: 1, noNaN: true }),
  warmupSteps: fc.integer({ min: 0, max: 50 }),
  totalSteps: fc.integer({ min: 1, max: 500 }),
  minRatio: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe.skipIf(python === undefined)("the learning rate of train.py", () => {
  it("is the learning rate of trm-ts at every step, also after the last planned one", () => {
    fc.assert(
      fc.property(fc.array(cases, { minLength: 50, maxLength: 200 }), (drawn) => {
        pythonRates(drawn).forEach((rate, i) => {
          const expected = learningRate(drawn[i]!.step, drawn[i]!);
          expect(Math.abs(rate - expected), JSON.stringify(drawn[i])).toBeLessThanOrEqual(1e-12 * drawn[i]!.base);
        });
      }),
      { numRuns: 5, endOnFailure: true },
    );
  });

  it("comes with the warm-up of the moving average that trm-ts has", () => {
    const steps = [1, 5, 889, 890, 5000];
    const program = `
import json, sys
sys.path.insert(0, sys.argv[1])
from schedule import average_rate
print(json.dumps([average_rate(step, 0.99, True) for step in json.load(sys.stdin)] + [average_rate(1, 0.99, False)]))
`;
    const printed = execFileSync(python!, ["-B", "-c", program, folder], {
      encoding: "utf8",
      input: JSON.stringify(steps),
    });
    expect(JSON.parse(printed)).toEqual([...steps.map((step) => warmedUpRate(step, 0.99)), 0.99]);
  });

  it("stays at a tenth of the base from step 100 of 100 to step 200, where the cosine alone is back at the base", () => {
    const options = { base: 1e-3, warmupSteps: 0, totalSteps: 100, minRatio: 0.1 };
    const rates = pythonRates([50, 100, 150, 200].map((step) => ({ ...options, step })));
    expect(rates.map((rate) => rate.toFixed(8))).toEqual(["0.00055000", "0.00010000", "0.00010000", "0.00010000"]);
  });
});
