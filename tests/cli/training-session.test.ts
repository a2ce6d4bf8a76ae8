// Training in a run folder: what stops it, and what is kept then.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it, vi } from "vitest";
import { DivergenceCheck } from "../../src/cli/divergence.ts";
import { startRun } from "../../src/cli/new-run.ts";
import { startProgress } from "../../src/cli/progress.ts";
import type { TrainingSession } from "../../src/cli/training-session.ts";
import { shellPath } from "../../src/cli/version.ts";
import { type RunAbout, readCheckpoint } from "../../src/runs/index.node.ts";
import type { StepMetrics } from "../../src/trm/index.ts";
import { recordedTerminal } from "./recorded-terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-session-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const small = { hiddenSize: 8, heads: 1, widthMultiple: 8, T: 1, n: 1, nSup: 2, batchSize: 4 };

const noGoal = { steps: null, minutes: null };
const startSession = (name: string, settings = {}, goal: RunAbout["goal"] = noGoal): Promise<TrainingSession> =>
  startRun(
    {
      out: join(folder, name),
      choice: { name: "sudoku4" },
      preset: "small",
      settings: [{ where: "test", settings: { ...small, ...settings } }],
      sizes: { train: 8, watch: 4, unseen: 4 },
      force: false,
      goal,
    },
    recordedTerminal().terminal,
  );

const noProgress = { update: () => {}, clear: () => {} };
const neverStop = { isRequested: false, request: () => {}, check: async () => false, release: () => {} };
const options = { evaluateEvery: null, saveEvery: 3600, stop: neverStop, progress: noProgress };

describe("the progress of long work", () => {
  const shownBy = async (session: TrainingSession): Promise<[share: number, text: string][]> => {
    const shown: [number, string][] = [];
    const progress = { ...noProgress, update: (share: number, text: string) => void shown.push([share, text]) };
    await session.train({ ...options, progress, goal: { step: 1, seconds: null } });
    session.run.close();
    return shown;
  };

  it("shows how much of a step is computed if the batch does not fit in memory", async () => {
    const session = await startSession("parts");
    Object.defineProperty(session.training, "microBatch", { value: 2 });
    expect((await shownBy(session)).slice(0, 2)).toEqual([
      [0.5, expect.stringMatching(/^step 1: puzzles 2 of 4 · \S+ left$/)],
      [1, expect.stringMatching(/^step 1: puzzles 4 of 4 · \S+ left$/)],
    ]);
  });

  it("shows how much of a long evaluation is done, also of the last one", async () => {
    const session = await startSession("evaluation");
    let now = performance.now();
    const clock = vi.spyOn(performance, "now").mockImplementation(() => (now += 3000));
    try {
      expect(await shownBy(session)).toContainEqual([0.5, expect.stringMatching(/^step 1, evaluating: 2 of 4 · /)]);
    } finally {
      clock.mockRestore();
    }
  });

  it("writes lines to a log during the last step and the last evaluation", async () => {
    const session = await startSession("log");
    Object.defineProperty(session.training, "microBatch", { value: 2 });
    const { terminal, text } = recordedTerminal();
    let now = performance.now();
    const clock = vi.spyOn(performance, "now").mockImplementation(() => (now += 11_000));
    try {
      const progress = startProgress(terminal, { now: () => performance.now() });
      await session.train({ ...options, progress, goal: { step: 1, seconds: null } });
      session.run.close();
    } finally {
      clock.mockRestore();
    }
    expect(text()).toMatch(/^step 1: puzzles 2 of 4 · /m);
    expect(text()).toMatch(/^step 1, evaluating: 2 of 4 · /m);
  });
});

const anyStep = { loss: 1, gradientNorm: 1, notFinite: null };

it.each([
  [{ loss: Number.NaN }, "the loss is NaN"],
  [
    { loss: Number.POSITIVE_INFINITY, notFinite: "gradient of q" },
    "the loss is Infinity, the gradient of q is not finite",
  ],
  [{ notFinite: "weight embedding.weight" }, "the weight embedding.weight is not finite"],
])("a training stops at a step with %j and keeps the checkpoint before", async (fault, problem) => {
  const session = await startSession(`fault-${Object.keys(fault)}-${Object.values(fault)}`);
  const { training, run } = session;
  const step = training.supervisionStep.bind(training);
  vi.spyOn(training, "supervisionStep").mockImplementation(async () => {
    const metrics = await step();
    return metrics.step === 3 ? { ...metrics, ...fault } : metrics;
  });
  await expect(session.train({ ...options, goal: { step: 2, seconds: null } })).resolves.toBe("goal");
  await session.save();
  const kept = `the checkpoint of step 2 is kept in ${run.path}`;
  const advice = `to continue: npx trm train --resume ${shellPath(run.path)} --from 2 --set learningRate=0.002 (or --from 0)`;
  await expect(session.train({ ...options, goal: { step: 9, seconds: null } })).rejects.toThrow(
    `step 3: ${problem}; ${kept}; ${advice}`,
  );
  run.close();
  expect(readCheckpoint(run.path).side.step).toBe(2);
});

describe("the command that continues a training", () => {
  it.each([
    ["before the steps of the run", { steps: 5, minutes: null }, 3, ""],
    ["after the steps of the run", { steps: 2, minutes: null }, 3, " --minutes 10"],
    ["in the evaluation after the last step of the run", { steps: 3, minutes: null }, 3, " --minutes 10"],
    ["before the minutes of the run", { steps: null, minutes: 60 }, 3, ""],
    ["after the minutes of the run", { steps: null, minutes: 1e-9 }, 3, " --minutes 10"],
    ["before the end of the schedule", noGoal, 3, ""],
    ["after the end of the schedule", noGoal, 4, " --minutes 10"],
  ] as const)("sets a new goal only if the run has reached its own: stopped %s", async (name, goal, step, more) => {
    const session = await startSession(`continued ${name}`, { totalSteps: 4 }, goal);
    const stop = { ...neverStop, check: async () => session.training.step === step };
    const until = { step: goal.steps === step ? step : 9, seconds: null };
    await expect(session.train({ ...options, goal: until, stop })).resolves.toBe("stopped");
    expect(session.continueCommand).toBe(`train --resume ${shellPath(session.run.path)}${more}`);
    session.run.close();
  });
});

it("the error of a failed save does not say that a checkpoint is kept if the folder of the run was removed", async () => {
  const session = await startSession("removed");
  const stop = { ...neverStop, check: async () => session.training.step === 1 };
  await session.train({ ...options, goal: { step: 9, seconds: null }, stop });
  rmSync(session.run.path, { recursive: true });
  await expect(session.save()).rejects.toThrow(
    new RegExp(
      `^cannot save step 1: .*: no such file or folder; ${session.run.path} no longer holds the checkpoint of step 0$`,
    ),
  );
  session.run.close();
});

it.each([
  [1e38, "step 1: the weight embedding.weight is not finite"],
  [1e6, "step 3: the loss is NaN, the gradient of embedding.weight is not finite"],
])("a training stops at a real overflow, with a learning rate of %d", async (learningRate, problem) => {
  const session = await startSession(`overflow-${learningRate}`, { learningRate, warmupSteps: 0 });
  await expect(session.train({ ...options, goal: { step: 9, seconds: null } })).rejects.toThrow(problem);
  session.run.close();
});

it("the clock counts five minutes of a pause of hours within a step, which does not end a training of limited time", async () => {
  const session = await startSession("pause");
  const { training, run } = session;
  let now = performance.now();
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
  const step = training.supervisionStep.bind(training);
  vi.spyOn(training, "supervisionStep").mockImplementation(async () => {
    now += training.step === 2 ? 8 * 3_600_000 : 10_000; // the third step is interrupted
    return step();
  });
  try {
    await expect(session.train({ ...options, goal: { step: null, seconds: 340 } })).resolves.toBe("goal");
    await session.save();
  } finally {
    clock.mockRestore();
    run.close();
  }
  const { side } = readCheckpoint(run.path, () => []);
  expect([side.step, Math.round(side.seconds)]).toEqual([5, 340]);
});

describe("the gradient norm", () => {
  const problemAfter = (norms: readonly number[]): string | undefined => {
    const check = new DivergenceCheck();
    return norms.map((gradientNorm) => check.problemOf({ ...anyStep, gradientNorm } as StepMetrics)).at(-1);
  };

  it("explodes if it exceeds the largest of at least ten earlier steps a thousand times", () =>
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-6, max: 10, noNaN: true }), { minLength: 10, maxLength: 40 }),
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        (norms, factor) => {
          const isExploded = problemAfter([...norms, factor * Math.max(...norms)]) !== undefined;
          expect(isExploded).toBe(factor * Math.max(...norms) > 1000 * Math.max(...norms));
        },
      ),
    ));

  it("explodes from 0.5 to 600, but not from 0.5 to 400, nor after nine steps", () => {
    const steady = Array.from({ length: 10 }, () => 0.5);
    expect(problemAfter([...steady, 600])).toBe("the gradient norm is 600, at most 0.500 in the steps before");
    expect(problemAfter([...steady, 400])).toBeUndefined();
    expect(problemAfter([...steady.slice(1), 600])).toBeUndefined();
  });
});

it("a training stops when a target is reached by enough evaluations in a row", async () => {
  const session = await startSession("target");
  const goal = { step: 50, seconds: null };
  const target = { exact: 0, times: 3 };
  await expect(session.train({ ...options, goal, evaluateEvery: 2, target })).resolves.toBe("target");
  expect(session.training.step).toBe(6);
  session.run.close();
});

it("a training ends with an evaluation of the final weights, and saves the best ones whenever they are measured", async () => {
  const session = await startSession("final");
  const goal = { step: 7, seconds: null };
  await expect(session.train({ ...options, goal, evaluateEvery: 3 })).resolves.toBe("goal");
  await session.save();
  const { run, lastEvaluation } = session;
  const lines = readFileSync(run.metrics.path, "utf8").trim().split("\n");
  const measured = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "unseen");
  expect(measured.map(({ step }) => step)).toEqual([3, 6, 7]);
  expect(lastEvaluation).toMatchObject({ step: 7, puzzles: 4, exact: measured[2].exact });
  run.close();
  const { exact, cell } = run.best!;
  for (const each of measured) {
    const [othersExact, othersCell] = [each.exact, each.cell];
    expect(exact > othersExact || (exact === othersExact && cell >= othersCell)).toBe(true);
  }
  const { side } = readCheckpoint(run.path, () => [], "best");
  expect(side.step).toBe(run.best!.step);
  expect(readCheckpoint(run.path).side.evaluation).toEqual({
    puzzles: 4,
    exact: lastEvaluation!.exact,
    cell: lastEvaluation!.cell,
  });
});

it("a training stops before the next step when a stop is requested", async () => {
  const session = await startSession("stop");
  const stop = { ...neverStop, check: async () => session.training.step === 2 };
  const goal = { step: 50, seconds: null };
  await expect(session.train({ ...options, goal, stop })).resolves.toBe("stopped");
  expect(session.training.step).toBe(2);
  session.run.close();
});
