// Ten ARC tasks (the first ten of ARC-AGI-1's training set, by name, whose grids have at most ten rows and columns), for measuring how
// long a small model takes to learn their training pairs. This is a test of memory and not of ARC, whose test pairs are not evaluated.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildArcFiles, openDataset } from "../../src/puzzles/index.node.ts";
import { pickExamples, taskOf } from "../../src/puzzles/index.ts";
import { presetFor } from "../../src/runs/index.ts";
import type { Examples } from "../../src/trm/index.ts";
import type { LearningTask } from "./goals.ts";

/** Ten tasks, and id 0 for an unknown one. */
const PUZZLE_IDS = 11;

/** Rows and columns of the canvas: those of the largest grids, the mark of their end, and one for other places. */
const SIDE = 12;

export const tenArcTasks = (): LearningTask => ({
  task: taskOf({ name: "arc", side: SIDE }),
  // The learning rate falls to 5%, because the preset's constant rate is meant for larger sets.
  settings: { ...presetFor("small", "arc").settings, puzzleIds: PUZZLE_IDS, totalSteps: 2000, minRatio: 0.05 },
  async sets(seed) {
    const pairs = await trainingPairs(seed);
    return { train: pairs, test: pairs };
  },
  hasPeer: false,
  augment: false,
  goals: [{ exact: 0.9, minutes: 60 }],
  evaluateEvery: 50,
  maxSteps: 2500,
});

/** The training pairs of all tasks, without augmentation; the seed draws their places on the canvas. */
async function trainingPairs(seed: number): Promise<Examples> {
  const out = mkdtempSync(join(tmpdir(), "bench-arc-"));
  try {
    const prefix = fileURLToPath(new URL("arc", import.meta.url));
    await buildArcFiles({ prefix, subsets: ["ten"], testSet: "ten", side: SIDE, out, augment: 0, seed });
    const data = openDataset(out);
    const pairs = pickExamples(data.train, data.train.count);
    data.close();
    return pairs;
  } finally {
    rmSync(out, { recursive: true });
  }
}
