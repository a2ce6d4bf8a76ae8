// The trainings of `npm run bench:learn`: a task, the preset `small` for it, and the accuracy to reach.
import { type TaskChoice, taskOf } from "../../src/puzzles/index.ts";
import { presetFor } from "../../src/runs/index.ts";
import type { ExampleSets, Task } from "../../src/trm/index.ts";
import { tenArcTasks } from "./arc.ts";
import { gravity } from "./gravity.ts";

/** Unseen puzzles of an evaluation. */
const UNSEEN = 500;

export interface Goal {
  /** Exact accuracy on the test set. */
  readonly exact: number;
  /** Training time on two quiet cores with wide vectors. */
  readonly minutes: number;
}

export interface LearningTask {
  readonly task: Task;
  readonly settings: Readonly<Record<string, unknown>>;
  /** The puzzles of a seed: generated and unseen in training, except for ARC, where the training pairs are tested. */
  sets(seed: number): ExampleSets | Promise<ExampleSets>;
  /** Whether the PyTorch peer can train it. The peer has no puzzle embedding. */
  readonly hasPeer: boolean;
  /** Whether a random symmetry is applied to every drawn puzzle. */
  readonly augment: boolean;
  /** In rising order. The training ends at the last one. */
  readonly goals: readonly Goal[];
  /** Training steps between two evaluations. */
  readonly evaluateEvery: number;
  /** A training that has not reached its goals ends after this step. */
  readonly maxSteps: number;
}

type Plan = Pick<LearningTask, "goals" | "evaluateEvery" | "maxSteps">;

/** A task of the command line with its preset `small`. */
function preset(choice: TaskChoice, plan: Plan): LearningTask {
  const { settings, data } = presetFor("small", choice.name);
  return { ...plan, ...generated(taskOf(choice), data.train), settings, augment: data.augment };
}

const generated = (task: Task, train: number) => ({
  task,
  sets: (seed: number) => task.generate({ train, test: UNSEEN, seed }),
  hasPeer: true,
});

const tasks: Readonly<Record<string, () => LearningTask>> = {
  sudoku4: () =>
    preset({ name: "sudoku4" }, { goals: [{ exact: 0.99, minutes: 1 / 6 }], evaluateEvery: 50, maxSteps: 3000 }),
  sudoku6: () =>
    preset(
      { name: "sudoku6", clues: 10 },
      { goals: [{ exact: 0.95, minutes: 2 }], evaluateEvery: 100, maxSteps: 4000 },
    ),
  sudoku9: () =>
    preset(
      { name: "sudoku9", clues: 36 },
      {
        goals: [
          { exact: 0.9, minutes: 6 },
          { exact: 0.98, minutes: 15 },
        ],
        evaluateEvery: 200,
        maxSteps: 6000,
      },
    ),
  maze9: () =>
    preset({ name: "maze", side: 9 }, { goals: [{ exact: 0.9, minutes: 15 }], evaluateEvery: 500, maxSteps: 12_000 }),
  // The worked example of docs/tasks.md.
  gravity: () => ({
    ...generated(gravity, 4000),
    settings: presetFor("small", "grid").settings,
    augment: false,
    goals: [{ exact: 0.9, minutes: 1 }],
    evaluateEvery: 100,
    maxSteps: 2000,
  }),
  arc: tenArcTasks,
};

export const learningTaskNames = Object.keys(tasks);

/** @throws Error for an unknown name */
export function learningTask(name: string): LearningTask {
  const task = tasks[name];
  if (task === undefined) throw new Error(`bench:learn: "${name}", expected one of ${learningTaskNames.join(", ")}`);
  return task();
}
