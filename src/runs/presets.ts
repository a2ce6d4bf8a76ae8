// Named settings. A preset knows the task: what the model looks like, how it is trained, and how many puzzles are generated.
// Whatever a preset leaves out has the default of config.ts, which is the official code's value.
import type { TaskName } from "../puzzles/index.ts";

export const presetNames = ["small", "official", "paper"] as const;
export type PresetName = (typeof presetNames)[number];

/** How many puzzles a run generates. */
export interface DataSizes {
  readonly train: number;
  /** Unseen puzzles that are looked at during training: for the progress line, and to stop when they are solved. */
  readonly watch: number;
  /** Unseen puzzles for the final test; nothing during training depends on them. */
  readonly unseen: number;
  /** Whether every drawn training puzzle is turned by a random symmetry. */
  readonly augment: boolean;
  /** Sudokus: clues of a puzzle; left out: as few as the unique solution allows. */
  readonly clues?: number;
}

export interface Preset {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly data: DataSizes;
}

/** For help texts. */
export const presetSummaries: Record<PresetName, string> = {
  small: "learns on a laptop in minutes (sudoku4) to hours (sudoku9)",
  official: "the official code's settings: D 512, T 3, n 6 (4 for mazes), batch 768; for a big machine",
  paper: "as official, with what the paper says otherwise: halting loss weight 1, AdamW, whole batches, n 6",
};

const unseen = { watch: 100, unseen: 200 };

/** Shared by the small models. Why: see each line. */
const small = {
  T: 2, // two recursions instead of three: a third less work per step
  widthMultiple: 16, // the official rounding to 256 would make a small network wide
  batchSize: 64,
  weightDecay: 0.1, // 1.0 is for runs of 50,000 epochs
  warmupSteps: 100, // of a few thousand steps in all
  emaRate: 0.99, // averages over 100 steps; 0.999 would lag behind a short run
  totalSteps: 20_000,
  puzzleEmbeddingSize: 0, // every puzzle has the same id: nothing to tell apart
};

/** Attention over a grid. */
const smallAttention = {
  ...small,
  ...{ n: 3, hiddenSize: 64, heads: 4, mixer: "attention", positions: "rotary", learningRate: 1e-3, emaRate: 0.999 },
};

const nothingGenerated: DataSizes = { train: 0, watch: 100, unseen: 0, augment: false };

const smallByTask: Record<TaskName, Preset> = {
  // Small enough that a laptop reaches 99% in seconds, even the plain backend in minutes (README, "Honest numbers").
  // No symmetries: on 4x4 the symmetry of a training puzzle can be an unseen puzzle.
  sudoku4: {
    settings: {
      ...small,
      n: 2,
      hiddenSize: 32,
      heads: 4,
      widthMultiple: 8,
      nSup: 8,
      batchSize: 32,
      learningRate: 4e-3,
      warmupSteps: 50,
      totalSteps: 3000,
      minRatio: 0.1,
    },
    data: { train: 16_000, ...unseen, augment: false },
  },
  sudoku6: {
    settings: { ...small, n: 3, hiddenSize: 96, learningRate: 1e-3 },
    data: { train: 10_000, ...unseen, augment: true, clues: 10 },
  },
  sudoku9: {
    settings: { ...small, n: 4, hiddenSize: 128, learningRate: 1e-3, emaRate: 0.999, warmupSteps: 500 },
    data: { train: 5_000, ...unseen, augment: true },
  },
  // Attention: the published MLP variant learns no maze at all.
  maze: {
    settings: smallAttention,
    data: { train: 5_000, ...unseen, augment: true },
  },
  // 916 positions: attention costs their square, so fewer puzzles at a time. The puzzle rows tell the tasks apart.
  arc: {
    settings: {
      ...smallAttention,
      batchSize: 16,
      puzzleEmbeddingSize: 64,
      puzzleSlots: 1,
      puzzleLearningRate: 1e-2,
      puzzleWeightDecay: 0.1,
    },
    data: nothingGenerated,
  },
  tokens: { settings: smallAttention, data: nothingGenerated },
};

const officialAttention = { mixer: "attention", positions: "rotary", n: 4, puzzleEmbeddingSize: 512 };

/** What the official scripts set per task. Puzzle rows are as long as D: P slots, the first of them filled. */
function officialByTask(task: TaskName): Record<string, unknown> {
  if (task === "arc")
    return { ...officialAttention, weightDecay: 0.1, puzzleLearningRate: 1e-2, puzzleWeightDecay: 0.1 };
  if (task === "maze" || task === "tokens") return officialAttention;
  return { mixer: "mlp", positions: "none", n: 6, puzzleEmbeddingSize: 512 };
}

/** 1,000 puzzles and their symmetries, as published. */
const officialData: DataSizes = { train: 1_000, ...unseen, augment: true };

/** Settings and data of a preset for a task. */
export function presetFor(name: PresetName, task: TaskName): Preset {
  if (name === "small") return smallByTask[task];
  const official = officialByTask(task);
  if (name === "official") return { settings: official, data: officialData };
  return {
    settings: { ...official, n: 6, haltingLossWeight: 1, optimizer: "adamW", refill: "batch" },
    data: officialData,
  };
}
