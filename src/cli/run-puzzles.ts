// Generates puzzles of a task, with a progress line if it takes long.
import { puzzlesInMemory, type RunPuzzles } from "../runs/index.node.ts";
import type { DataSizes } from "../runs/index.ts";
import { type Config, type ExampleSets, type GenerateOptions, sliceExamples, type Task } from "../trm/index.ts";
import { thousands } from "./format.ts";
import { startProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** Generates puzzles of a task. */
export function drawPuzzles(task: Task, options: GenerateOptions, terminal: Terminal): ExampleSets {
  const progress = startProgress(terminal, { after: 2_000 });
  const onProgress = (done: number, total: number): void =>
    progress.update(done / total, `generating puzzles: ${thousands(done)} of ${thousands(total)}`);
  try {
    return task.generate({ ...options, onProgress });
  } finally {
    progress.clear();
  }
}

/** Generates the puzzles of a new run. */
export function generatePuzzles(task: Task, sizes: DataSizes, config: Config, terminal: Terminal): RunPuzzles {
  const { train, watch, unseen, augment } = sizes;
  const { seed } = config.training;
  const generated = drawPuzzles(task, { train, test: watch + unseen, seed }, terminal);
  const sets = {
    train: generated.train,
    watch: sliceExamples(generated.test, 0, watch),
    unseen: sliceExamples(generated.test, watch, watch + unseen),
  };
  return puzzlesInMemory(sets, task, config, augment && task.symmetries !== undefined);
}
