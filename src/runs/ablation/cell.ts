// One cell of the ablation table: trains a row with one seed until its compute budget is spent, then evaluates it.
import * as z from "zod/mini";
import { CheckpointError } from "../../formats/index.ts";
import {
  type Config,
  type ExampleSets,
  evaluate,
  flattenConfig,
  operationsOf,
  parseConfig,
  ShuffledExamples,
  Training,
  trainingFlops,
} from "../../trm/index.ts";
import { type CheckpointFiles, type CheckpointSide, restoreTraining } from "../checkpoint.ts";
import { WorkClock } from "../work-clock.ts";

export const cellSchema = z.object({
  row: z.string(),
  seed: z.number().check(z.int()),
  steps: z.number().check(z.int(), z.minimum(1)),
  flops: z.number().check(z.minimum(0)),
  seconds: z.number().check(z.minimum(0)),
  parameters: z.number().check(z.int(), z.minimum(1)),
  /** Number of unseen puzzles evaluated. */
  puzzles: z.number().check(z.int(), z.minimum(1)),
  /** Exact and cell accuracy after the last supervision step. */
  exact: z.number().check(z.minimum(0), z.maximum(1)),
  cell: z.number().check(z.minimum(0), z.maximum(1)),
  meanHaltStep: z.number().check(z.minimum(0)),
  /** Whether the training ended with a loss or weights that are not finite. Absent in cells of earlier versions. */
  diverged: z.optional(z.boolean()),
  settings: z.record(z.string(), z.unknown()),
});
export type AblationCell = z.output<typeof cellSchema>;

export interface CellOptions {
  readonly row: string;
  readonly seed: number;
  readonly config: Config;
  readonly sets: ExampleSets;
  /** Floating-point operations of training per cell; the same for all cells. */
  readonly budget: number;
  /** Sets the weights of a new training, and their average; if left out, they are random. @throws CheckpointError if they do not fit */
  readonly init?: ((training: Training) => void) | undefined;
  /** A checkpoint of this cell to continue from, and its path for errors. */
  readonly begun?:
    | { readonly path: string; readonly side: CheckpointSide; readonly files: CheckpointFiles }
    | undefined;
  /** Called after every step with the finished share of the cell. Training stops if it returns true. */
  readonly isStopping?: ((share: number) => Promise<boolean>) | undefined;
  /** Called when training stops early, to save its state. @param seconds  training time of the cell so far */
  readonly save?: ((training: Training, seconds: number) => Promise<void>) | undefined;
}

/** Number of training steps within a budget. With a depth curriculum the early steps are cheaper, so that there are more of them. */
export function stepsFor(config: Config, budget: number): number {
  const ofFullDepth = Math.max(1, Math.floor(budget / trainingFlops(config)));
  if (!config.training.depthCurriculum) return ofFullDepth;
  let steps = Math.ceil((ofFullDepth * budget) / operationsOfAll(config, ofFullDepth)) + 2; // the stages are whole steps
  while (steps > 1 && operationsOfAll(config, steps) > budget) steps--;
  return steps;
}

/** Operations of a whole training with this number of steps. The stages of a depth curriculum are shares of them. */
export const operationsOfAll = (config: Config, steps: number): number =>
  operationsOf({ ...config, training: { ...config.training, totalSteps: steps } }, steps);

/**
 * Trains and evaluates a cell. Returns undefined if training stopped early.
 *
 * @throws CheckpointError if `begun` belongs to another cell, or if `init` does not fit the model of the row
 */
export async function trainCell(options: CellOptions): Promise<AblationCell | undefined> {
  const { row, seed, config, sets, budget, init, begun, isStopping, save } = options;
  const steps = stepsFor(config, budget);
  const warmupSteps = Math.min(config.training.warmupSteps, Math.floor(steps / 10));
  const own = parseConfig({ ...config.model, ...config.training, seed, warmupSteps, totalSteps: steps });
  const clock = new WorkClock(begun?.side.seconds);
  const training = new Training(own, new ShuffledExamples(sets.train, seed));
  try {
    if (begun) {
      if (JSON.stringify(flattenConfig(begun.side.config)) !== JSON.stringify(flattenConfig(own)))
        throw new CheckpointError(
          `${begun.path}: the configuration differs from that of row ${row}, seed ${seed}: delete the folder`,
        );
      restoreTraining(training, begun.side, begun.files, begun.path);
    } else init?.(training);
    let diverged = false;
    while (training.step < steps) {
      const { loss, notFinite } = await training.supervisionStep();
      diverged = !Number.isFinite(loss) || notFinite !== null;
      const seconds = clock.read();
      if (training.step < steps && (await isStopping?.(training.step / steps))) {
        await save?.(training, seconds);
        return undefined;
      }
    }
    const seconds = clock.read();
    const { puzzles, exact, cell, meanHaltStep } = await evaluate(training.evaluationModel, sets.test, {
      ...own.training,
      batchSize: 50,
      onProgress: async () => void (await isStopping?.(1)), // lets Ctrl-C arrive
    });
    return {
      row,
      seed,
      steps,
      seconds,
      puzzles,
      meanHaltStep,
      diverged,
      flops: operationsOf(own, steps),
      parameters: training.model.parameterCount(),
      exact: exact.at(-1)!,
      cell: cell.at(-1)!,
      settings: flattenConfig(own),
    };
  } finally {
    training.dispose();
  }
}

/** Measures the floating-point operations per second of training on this machine. @param least  seconds that the measurement takes at least */
export async function measureSpeed(config: Config, { train }: ExampleSets, least: number): Promise<number> {
  const training = new Training(config, new ShuffledExamples(train, 0));
  try {
    await training.supervisionStep(); // compiles kernels and allocates memory
    const begin = performance.now();
    let steps = 0;
    do {
      await training.supervisionStep();
      steps++;
    } while (performance.now() - begin < 1000 * least);
    const seconds = (performance.now() - begin) / 1000;
    return (operationsOf(config, 1 + steps) - operationsOf(config, 1)) / seconds;
  } finally {
    training.dispose();
  }
}
