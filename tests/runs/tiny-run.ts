// A run that is small enough to train in milliseconds.

import { sudokuTask } from "../../src/puzzles/index.ts";
import { packCheckpoint, parseSide, restoreTraining } from "../../src/runs/index.ts";
import type { StepLine } from "../../src/runs/metrics.ts";
import type { RunAbout } from "../../src/runs/run-folder.node.ts";
import type { RunSets } from "../../src/runs/run-sets.ts";
import {
  type Config,
  type Examples,
  parseConfig,
  ShuffledExamples,
  type StepMetrics,
  Training,
} from "../../src/trm/index.ts";

export const task = sudokuTask(4);

export const tinySettings = {
  vocabularySize: task.vocabularySize,
  sequenceLength: task.sequenceLength,
  T: 2,
  n: 1,
  layers: 1,
  hiddenSize: 8,
  widthMultiple: 8,
  batchSize: 6,
  nSup: 4,
  learningRate: 1e-2,
  weightDecay: 0.1,
  warmupSteps: 5,
  totalSteps: 12,
  minRatio: 0.1,
  emaRate: 0.9,
  explorationProbability: 0.5,
  seed: 3,
};

export const tinyConfig = (settings: Record<string, unknown> = {}): Config =>
  parseConfig({ ...tinySettings, ...settings });

const part = ({ length, inputs, labels }: Examples, from: number, to: number): Examples => ({
  count: to - from,
  length,
  inputs: inputs.slice(from * length, to * length),
  labels: labels.slice(from * length, to * length),
});

export function tinySets(): RunSets {
  const { train, test } = task.generate({ train: 20, test: 8, seed: 1 });
  return { train, watch: part(test, 0, 4), unseen: part(test, 4, 8) };
}

/** Twenty puzzles in batches of six: an epoch has three steps. Augmentation makes the random state of the stream advance. */
export const tinyTraining = (config: Config, sets = tinySets()): Training =>
  new Training(config, new ShuffledExamples(sets.train, 5, task));

export const tinyAbout: RunAbout = {
  task: { name: "sudoku4" },
  preset: "small",
  data: { train: 20, watch: 4, unseen: 4, augment: true },
  goal: { steps: null, minutes: null },
};

export const aboutCheckpoint = {
  task: { name: "sudoku4" as const },
  backend: { name: "test", build: "test" },
  seconds: 1.5,
  madeBy: "test",
};

/** The metrics of the next steps. */
export async function stepsOf(training: Training, count: number): Promise<StepMetrics[]> {
  const metrics: StepMetrics[] = [];
  for (let i = 0; i < count; i++) metrics.push(await training.supervisionStep());
  return metrics;
}

/** Puts a new training where another one is, by the files of a checkpoint. */
export async function resumeFrom(training: Training, resumed: Training): Promise<void> {
  const files = await packCheckpoint(training, aboutCheckpoint);
  restoreTraining(resumed, parseSide(files.get("checkpoint.json")!, "c"), files, "c");
}

/** A line of metrics.jsonl. */
export const tinyStepLine = (step: number, loss = 0.5): StepLine => ({
  event: "step",
  step,
  seconds: step,
  loss,
  answerLoss: loss,
  haltLoss: 0,
  continueLoss: 0,
  gradientNorm: 1,
  learningRate: 1e-3,
  halted: 0,
  exact: null,
  cell: null,
  haltAccuracy: null,
  stepsUntilHalt: null,
});

export const tinyStartLine = {
  event: "start",
  step: 0,
  backend: { name: "test", build: "test" },
  madeBy: "test",
} as const;
