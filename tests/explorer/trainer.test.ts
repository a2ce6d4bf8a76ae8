// A training of the page: what a checkpoint continues, and the evaluation with rollouts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { Calls, TrainSettings } from "../../explorer/shared/calls.ts";
import { checkpointFolder } from "../../explorer/shared/checkpoints.ts";
import { trainerHandlers } from "../../explorer/worker/trainer.ts";
import { parseSafetensors } from "../../src/formats/index.ts";
import { readCheckpoint } from "../../src/runs/index.node.ts";
import { setRootBackend, WasmBackend } from "../../src/tensor/index.ts";

const settings: TrainSettings = {
  task: "sudoku4",
  T: 2,
  n: 1,
  nSup: 2,
  width: 8,
  rate: 1e-3,
  ema: 0.9,
  data: 100,
  seed: 3,
  variant: "none",
};

/** Makes a call as the page does, with its reports. */
async function call<K extends keyof typeof trainerHandlers>(
  name: K,
  args: Calls[K]["args"],
  isEnough: (report: Calls[K]["progress"]) => boolean = () => false,
) {
  const reports: Calls[K]["progress"][] = [];
  const controller = new AbortController();
  const progress = (report: Calls[K]["progress"]): void => {
    reports.push(report);
    if (isEnough(report)) controller.abort();
  };
  const handler = trainerHandlers[name] as (args: unknown, context: unknown) => Promise<Calls[K]["result"]>;
  return { result: await handler(args, { signal: controller.signal, progress }), reports };
}

const begin = async (
  checkpoint: Calls["checkpoint"]["result"] | null = null,
  hasItsData = false,
  task = settings.task,
) => (await call("begin", { settings: { ...settings, task }, checkpoint, hasItsData, share: 1 })).result;
const train = (steps: number) => call("train", { steps, evaluation: null });
const checkpoint = async () => (await call("checkpoint", null)).result;

/** The whole state, without the time that it took. */
function stateOf(files: Calls["checkpoint"]["result"]): unknown {
  const { seconds: _, ...side } = JSON.parse(new TextDecoder().decode(files.get("checkpoint.json")));
  const names = ["weights.safetensors", "ema.safetensors", "training.safetensors"];
  return { side, tensors: names.map((name) => parseSafetensors(files.get(name)!).tensors) };
}

it("a checkpoint of the page continues at its place in the data, bit for bit", async () => {
  await begin();
  await train(5);
  const middle = await checkpoint();
  await train(5);
  const expected = stateOf(await checkpoint());
  const { step, hasItsData } = await begin(middle, true);
  expect([step, hasItsData]).toEqual([5, true]);
  await train(5);
  expect(stateOf(await checkpoint())).toEqual(expected);
});

it("the command line reads the folder of a checkpoint of the page", async () => {
  await begin();
  await train(5);
  const files = await checkpoint();
  const parent = mkdtempSync(join(tmpdir(), "trm-page-checkpoint-"));
  const folder = join(parent, checkpointFolder(files));
  try {
    mkdirSync(folder);
    for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
    expect(readCheckpoint(folder).side.step).toBe(5);
  } finally {
    rmSync(parent, { recursive: true });
  }
});

it("a checkpoint whose data are unknown starts its data again, and the page can say so", async () => {
  await begin();
  await train(5);
  const middle = await checkpoint();
  const { step, hasItsData } = await begin(middle, false);
  expect([step, hasItsData]).toEqual([5, false]);
  const positionOf = (state: unknown): number =>
    (state as { side: { source: { position: number } } }).side.source.position;
  expect(positionOf(stateOf(middle))).toBeGreaterThan(0);
  expect(positionOf(stateOf(await checkpoint()))).toBe(0);
});

it("a checkpoint of the page stores the number of clues, also after it was continued", async () => {
  const taskOf = (files: Calls["checkpoint"]["result"]): unknown =>
    (stateOf(files) as { side: { task: unknown } }).side.task;
  await begin(null, false, "sudoku6");
  const first = await checkpoint();
  expect(taskOf(first)).toEqual({ name: "sudoku6", clues: 10 });
  await begin(first, true, "sudoku6");
  expect(taskOf(await checkpoint())).toEqual({ name: "sudoku6", clues: 10 });
});

it("an evaluation counts the same puzzles without rollouts and with them", async () => {
  await begin();
  const args = { steps: 10_000, evaluation: { rollouts: 2, sigma: 0 } };
  const { reports } = await call("train", args, ({ withRollouts }) => (withRollouts?.plain ?? 0) > 0);
  const { exact, withRollouts, puzzles } = reports.at(-1)!;
  expect(puzzles).toBe(200);
  // Without noise every rollout is the prediction.
  const plain = exact!.at(-1)!;
  expect(plain).toBeGreaterThan(0);
  expect(withRollouts).toEqual({ rollouts: 2, sigma: 0, plain, byQ: plain, any: plain });
});

afterAll(() => setRootBackend(new WasmBackend({ threads: 1 })));
