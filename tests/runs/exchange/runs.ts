/** Creates small runs on the disk with few or no training steps. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TaskChoice, taskOf } from "../../../src/puzzles/named-task.ts";
import { packCheckpoint } from "../../../src/runs/checkpoint.ts";
import { fingerprintOfSets } from "../../../src/runs/data-fingerprint.node.ts";
import { WritableRun } from "../../../src/runs/run-folder.node.ts";
import { Random, useBackend } from "../../../src/tensor/index.ts";
import { type Config, parseConfig, ShuffledExamples, Training } from "../../../src/trm/index.ts";

export const newFolder = (): string => mkdtempSync(join(tmpdir(), "trm-interop-"));

/** A small configuration for a task. */
export function smallConfig(choice: TaskChoice, settings: Readonly<Record<string, unknown>> = {}): Config {
  const { vocabularySize, sequenceLength } = taskOf(choice);
  const small = { T: 2, n: 2, hiddenSize: 16, heads: 2, widthMultiple: 8, batchSize: 8, nSup: 3, emaRate: 0.9 };
  return parseConfig({ ...small, warmupSteps: 2, learningRate: 1e-3, vocabularySize, sequenceLength, ...settings });
}

export interface MadeRun {
  readonly path: string;
  readonly config: Config;
}

/** Creates a run folder with a few generated puzzles and the weights after `steps` steps. */
export async function makeRun(
  choice: TaskChoice,
  settings: Readonly<Record<string, unknown>> = {},
  { steps = 0, augment = false, train = 24 } = {},
): Promise<MadeRun> {
  const backend = await useBackend("reference");
  const { name, build } = backend;
  const config = smallConfig(choice, settings);
  const task = taskOf(choice);
  const { train: puzzles, test } = task.generate({ train, test: 6, seed: 1 });
  const part = (from: number, to: number) => ({
    count: to - from,
    length: test.length,
    inputs: test.inputs.slice(from * test.length, to * test.length),
    labels: test.labels.slice(from * test.length, to * test.length),
  });
  const sets = { train: puzzles, watch: part(0, 2), unseen: part(2, 6) };
  const data = { train, watch: 2, unseen: 4, augment };
  const fingerprint = fingerprintOfSets(sets);
  const about = { task: choice, preset: "small", data, fingerprint, goal: { steps: null, minutes: null } };
  const stream = new ShuffledExamples(
    puzzles,
    new Random(config.training.seed).integer(2 ** 31),
    augment ? task : undefined,
  );
  const training = new Training(config, stream);
  for (let step = 0; step < steps; step++) await training.supervisionStep();
  const made = { task: choice, data: fingerprint, seconds: 0, madeBy: "test", backend: { name, build } };
  const files = await packCheckpoint(training, made);
  training.dispose();
  const path = join(newFolder(), "run");
  WritableRun.create(path, about, sets, { step: steps, files }).close();
  return { path, config };
}
