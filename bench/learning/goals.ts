// The trainings of `npm run bench:learn`: a task, the preset `small` for it, and the accuracy on unseen puzzles to reach.
import type { TaskChoice } from "../../src/puzzles/index.ts";
import { type DataSizes, presetFor } from "../../src/runs/index.ts";

export interface Goal {
  /** Exact accuracy on unseen puzzles. */
  readonly exact: number;
  /** Training time on two quiet cores with wide vectors. */
  readonly minutes: number;
}

export interface LearningTask {
  readonly choice: TaskChoice;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly sizes: DataSizes;
  /** In rising order. The training ends at the last one. */
  readonly goals: readonly Goal[];
  /** Training steps between two evaluations. */
  readonly evaluateEvery: number;
  /** A training that has not reached its goals ends after this step. */
  readonly maxSteps: number;
}

type Plan = Omit<LearningTask, "settings" | "sizes">;

const plans: Readonly<Record<string, Plan>> = {
  sudoku4: {
    choice: { name: "sudoku4" },
    goals: [{ exact: 0.99, minutes: 1 / 6 }],
    evaluateEvery: 50,
    maxSteps: 3000,
  },
  sudoku6: {
    choice: { name: "sudoku6", clues: 10 },
    goals: [{ exact: 0.95, minutes: 2 }],
    evaluateEvery: 100,
    maxSteps: 4000,
  },
  sudoku9: {
    choice: { name: "sudoku9", clues: 36 },
    goals: [
      { exact: 0.9, minutes: 6 },
      { exact: 0.98, minutes: 15 },
    ],
    evaluateEvery: 200,
    maxSteps: 6000,
  },
  maze9: {
    choice: { name: "maze", side: 9 },
    goals: [{ exact: 0.9, minutes: 15 }],
    evaluateEvery: 250,
    maxSteps: 8000,
  },
};

export const learningTaskNames = Object.keys(plans);

/** @throws Error for an unknown name */
export function learningTask(name: string): LearningTask {
  const plan = plans[name];
  if (plan === undefined) throw new Error(`bench:learn: "${name}", expected one of ${learningTaskNames.join(", ")}`);
  const { settings, data } = presetFor("small", plan.choice.name);
  return { ...plan, settings, sizes: data };
}
