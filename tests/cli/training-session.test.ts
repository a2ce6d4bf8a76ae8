// Training in a run folder: what stops it, and what is kept then.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { startRun } from "../../src/cli/new-run.ts";
import type { TrainingSession } from "../../src/cli/training-session.ts";
import { readCheckpoint } from "../../src/runs/index.node.ts";
import { recordedTerminal } from "./recorded-terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-session-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const small = { hiddenSize: 8, heads: 1, widthMultiple: 8, T: 1, n: 1, nSup: 2, batchSize: 4 };

const startSession = (name: string): Promise<TrainingSession> =>
  startRun(
    {
      out: join(folder, name),
      choice: { name: "sudoku4" },
      preset: "small",
      settings: [{ where: "test", settings: small }],
      sizes: { train: 8, watch: 4, unseen: 4 },
      force: false,
      goal: { steps: null, minutes: null },
    },
    recordedTerminal().terminal,
  );

const noProgress = { update: () => {}, clear: () => {} };
const neverStop = { isRequested: false, request: () => {}, check: async () => false, release: () => {} };
const options = { evaluateEvery: null, saveEvery: 3600, stop: neverStop, progress: noProgress };

it.each([Number.NaN, Number.POSITIVE_INFINITY])(
  "stops at a loss of %d and keeps the checkpoint before",
  async (loss) => {
    const session = await startSession(`loss-${loss}`);
    const { training, run } = session;
    const step = training.supervisionStep.bind(training);
    vi.spyOn(training, "supervisionStep").mockImplementation(async () => {
      const metrics = await step();
      return metrics.step === 3 ? { ...metrics, loss } : metrics;
    });
    await expect(session.train({ ...options, goal: { step: 2, seconds: null } })).resolves.toBe("goal");
    await session.save();
    const message = new RegExp(`the loss of step 3 is ${loss}.*the checkpoint of step 2 is kept in .*--from 0\\)$`);
    await expect(session.train({ ...options, goal: { step: 9, seconds: null } })).rejects.toThrow(message);
    run.close();
    expect(readCheckpoint(run.path).side.step).toBe(2);
  },
);

it("stops when a target is reached by enough evaluations in a row", async () => {
  const session = await startSession("target");
  const goal = { step: 50, seconds: null };
  const target = { exact: 0, times: 3 };
  await expect(session.train({ ...options, goal, evaluateEvery: 2, target })).resolves.toBe("target");
  expect(session.training.step).toBe(6);
  session.run.close();
});

it("ends with an evaluation of the final weights, and saves the best ones whenever they are measured", async () => {
  const session = await startSession("final");
  const goal = { step: 7, seconds: null };
  await expect(session.train({ ...options, goal, evaluateEvery: 3 })).resolves.toBe("goal");
  await session.save();
  const { run, lastEvaluation } = session;
  const lines = readFileSync(run.metrics.path, "utf8").trim().split("\n");
  const measured = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "unseen");
  expect(measured.map(({ step }) => step)).toEqual([3, 6, 7]);
  expect(lastEvaluation).toMatchObject({ step: 7, puzzles: 4, exact: measured[2].exact.at(-1) });
  run.close();
  const { exact, cell } = run.best!;
  for (const each of measured) {
    const [othersExact, othersCell] = [each.exact.at(-1), each.cell.at(-1)];
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

it("stops before the next step when a stop is requested", async () => {
  const session = await startSession("stop");
  const stop = { ...neverStop, check: async () => session.training.step === 2 };
  const goal = { step: 50, seconds: null };
  await expect(session.train({ ...options, goal, stop })).resolves.toBe("stopped");
  expect(session.training.step).toBe(2);
  session.run.close();
});
