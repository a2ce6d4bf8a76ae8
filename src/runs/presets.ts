// Presets: named settings per task for the model, its training and the number of generated puzzles. A setting that a preset
// omits has the default of config.ts, which is the official code's value.
import type { TaskName } from "../puzzles/index.ts";
import type { Settings } from "../trm/index.ts";

export const presetNames = ["small", "official", "paper"] as const;
export type PresetName = (typeof presetNames)[number];

/** Numbers of puzzles that a run generates. */
export interface DataSizes {
  readonly train: number;
  /** Unseen puzzles evaluated during training, for the progress line and for stopping once they are solved. */
  readonly watch: number;
  /** Unseen puzzles for `trm eval`. Nothing during training depends on them. */
  readonly unseen: number;
  /** Whether a random symmetry is applied to every drawn training puzzle. */
  readonly augment: boolean;
  /** Sudoku: clues per puzzle. Default: as few as a unique solution allows. */
  readonly clues?: number;
}

/** Settings of a model and its training without the sizes of the task. */
export type PresetSettings = Readonly<Partial<Omit<Settings, "vocabularySize" | "sequenceLength">>>;

export interface Preset {
  readonly settings: PresetSettings;
  /** Length of the training, converted to totalSteps when the training data is known. Absent: `settings` contain totalSteps. */
  readonly epochs?: number;
  readonly data: DataSizes;
}

/** For help texts. */
export const presetSummaries: Record<PresetName, string> = {
  small: "learns on a laptop in seconds (sudoku4) to hours (sudoku9)",
  official:
    "the official code's settings: D 512, T 3, n 6 (4 for mazes and ARC), batch 768, 50,000 epochs (ARC 100,000)",
  paper:
    "as official, except where the paper differs: halting loss weight 1, AdamW, whole batches, n 6, 60,000 epochs (ARC 100,000)",
};

const unseen = { watch: 100, unseen: 200 };

/** Settings that the small models share, each with its reason. */
const small = {
  T: 2, // 3 in the official code; a fifth less work per training step, a third less per evaluation step
  widthMultiple: 16, // rounding up to a multiple of 256, as the official code does, would inflate a small network
  batchSize: 64,
  weightDecay: 0.1, // the official 1.0 is meant for 50,000 epochs
  warmupSteps: 100, // runs have a few thousand steps in total
  emaRate: 0.99, // averages over about 100 steps; 0.999 lags behind in a short run
  emaWarmup: true, // else the average of a short run is mostly the initial weights
  totalSteps: 20_000,
  puzzleEmbeddingSize: 0, // all puzzles share one id, so that an embedding of ids carries no information
} satisfies PresetSettings;

/** Small models of boards of at most some hundred cells. */
const smallBoard = {
  ...small,
  n: 2,
  hiddenSize: 64,
  nSup: 8,
  batchSize: 32,
  learningRate: 2e-3,
} satisfies PresetSettings;

const nothingGenerated: DataSizes = { train: 0, watch: 100, unseen: 0, augment: false };

const smallByTask: Record<TaskName, Preset> = {
  // Reaches 99% within seconds on a laptop, within minutes on the reference backend.
  // No augmentation: on a 4x4 board a symmetry of a training puzzle can be an unseen puzzle.
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
    settings: { ...small, n: 3, hiddenSize: 96, batchSize: 32, learningRate: 2e-3 },
    data: { train: 10_000, ...unseen, augment: true, clues: 10 },
  },
  sudoku9: {
    settings: { ...small, n: 3, hiddenSize: 128, nSup: 8, batchSize: 32, learningRate: 1e-3 },
    data: { train: 20_000, ...unseen, augment: true },
  },
  // The MLP reaches 90% of 9x9 mazes (bench/learning), while attention with the positions "rotary" solved 1% after 2,000
  // steps; with "rotary2d" it learns them. The paper uses attention for 30x30.
  maze: {
    settings: {
      ...small,
      n: 3,
      hiddenSize: 64,
      nSup: 8,
      batchSize: 32,
      learningRate: 2e-3,
      minRatio: 0.05,
      totalSteps: 12_000,
    },
    data: { train: 20_000, ...unseen, augment: true },
  },
  // Small batches, because the cost of attention grows with the square of the 901 positions of the published canvas. Few supervision
  // steps, so that slots draw new pairs often, and much exploration, without which the model answers well after the first step and
  // then worse, because few pairs are trained longer (bench/learning). The puzzle embedding identifies the task.
  arc: {
    settings: {
      ...small,
      n: 3,
      hiddenSize: 64,
      heads: 4,
      mixer: "attention",
      positions: "rotary2d",
      nSup: 4,
      explorationProbability: 0.5,
      batchSize: 16,
      learningRate: 1e-3,
      puzzleEmbeddingSize: 64,
      puzzleSlots: 1,
      puzzleLearningRate: 1e-2,
      puzzleWeightDecay: 0.1,
    },
    data: nothingGenerated,
  },
  grid: { settings: smallBoard, data: { train: 5_000, ...unseen, augment: true } },
  tokens: { settings: smallBoard, data: nothingGenerated },
};

const officialAttention = {
  mixer: "attention",
  positions: "rotary",
  n: 4,
  puzzleEmbeddingSize: 512,
} satisfies PresetSettings;

/** Settings of the official scripts per task. A puzzle embedding has D numbers, which fill the first of the P slots. */
function officialByTask(task: TaskName): PresetSettings {
  if (task === "arc")
    return { ...officialAttention, weightDecay: 0.1, puzzleLearningRate: 1e-2, puzzleWeightDecay: 0.1 };
  if (task === "maze" || task === "grid" || task === "tokens") return officialAttention;
  return { mixer: "mlp", positions: "none", n: 6, puzzleEmbeddingSize: 512 };
}

/** 1,000 puzzles with augmentation, as published. */
const officialData: DataSizes = { train: 1_000, ...unseen, augment: true };

/** Settings and data sizes of a preset for a task. */
export function presetFor(name: PresetName, task: TaskName): Preset {
  if (name === "small") return smallByTask[task];
  const settings = officialByTask(task);
  const isArc = task === "arc";
  // On a 4x4 board a symmetry of a training puzzle can be an unseen puzzle, so that the task has no augmentation.
  const data = { ...officialData, augment: task !== "sudoku4" };
  if (name === "official") return { settings, epochs: isArc ? 100_000 : 50_000, data };
  return {
    settings: { ...settings, n: 6, haltingLossWeight: 1, optimizer: "adamW", refill: "batch" },
    epochs: isArc ? 100_000 : 60_000,
    data,
  };
}
