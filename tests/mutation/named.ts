// Faults that a review put into the code and that no test noticed then. Each must be caught by a test.
import { type Mutant, replacing } from "./mutant.ts";

const training = ["tests/trm/training.test.ts"];

export const namedMutants = (): Mutant[] => [
  replacing(
    "the raw weights are evaluated instead of the average",
    "src/trm/training.ts",
    { from: "return this.ema ?? this.model;", to: "return this.model;" },
    training,
  ),
  replacing(
    "the average starts from other weights than the model",
    "src/trm/training.ts",
    { from: "t.Random.fromState(start)", to: "new t.Random(12345)" },
    training,
  ),
  replacing(
    "linear weights start with standard deviation 1 / sqrt(out)",
    "src/nn/layers.ts",
    { from: "1 / Math.sqrt(from), random", to: "1 / Math.sqrt(to), random" },
    ["tests/nn/layers.test.ts"],
  ),
  replacing(
    "initial latents have standard deviation 0.1",
    "src/trm/model.ts",
    { from: "truncatedNormal([hiddenSize], 1, random)", to: "truncatedNormal([hiddenSize], 0.1, random)" },
    ["tests/trm/model.test.ts"],
  ),
  replacing(
    "the mean over labelled positions divides by 0 without labels",
    "src/trm/losses.ts",
    { from: "1 / Math.max(count, 1)", to: "1 / count" },
    training,
  ),
  replacing(
    "puzzles without labels count in the metrics of training",
    "src/trm/training.ts",
    { from: "carry.halted[slot] && counts[slot]! > 0", to: "carry.halted[slot]" },
    training,
  ),
  replacing(
    "the loss is a sum over the batch",
    "src/trm/training.ts",
    { from: "loss: report.loss / carry.slots,", to: "loss: report.loss," },
    training,
  ),
  replacing(
    "no exploration by default",
    "src/trm/config.ts",
    {
      from: "explorationProbability: z._default(probability, 0.1)",
      to: "explorationProbability: z._default(probability, 0)",
    },
    ["tests/trm/config.test.ts"],
  ),
  replacing(
    "8 supervision steps by default",
    "src/trm/config.ts",
    { from: "nSup: z._default(loops, 16)", to: "nSup: z._default(loops, 8)" },
    ["tests/trm/config.test.ts"],
  ),
  replacing(
    "the interval is that of the first step",
    "src/trm/evaluation.ts",
    { from: "wilson95(exact[nSup - 1]!, puzzles)", to: "wilson95(exact[0]!, puzzles)" },
    ["tests/trm/evaluation.test.ts"],
  ),
  replacing(
    "the command line never augments",
    "src/runs/run-puzzles.node.ts",
    { from: "augment ? task : undefined", to: "undefined" },
    ["tests/cli/run-puzzles.test.ts"],
  ),
  replacing(
    "a diverging training does not stop",
    "src/cli/training-session.ts",
    { from: "this.#divergence.problemOf(metrics)", to: "(undefined as string | undefined)" },
    ["tests/cli/training-session.test.ts"],
  ),
  replacing(
    "the rating of a Sudoku stops at the first solution",
    "src/puzzles/sudoku/solver.ts",
    { from: "return search(board, geometry, 2).guesses;", to: "return search(board, geometry, 1).guesses;" },
    ["tests/puzzles/sudoku-rating.test.ts"],
  ),
  replacing(
    "a resumed run drops the augmentation",
    "src/runs/run-puzzles.node.ts",
    { from: "task, config, data.augment)", to: "task, config, false)" },
    ["tests/cli", "tests/runs"],
  ),
  replacing(
    "training never saves before its end",
    "src/cli/training-session.ts",
    { from: "this.seconds - savedAt >= saveEvery", to: "false" },
    ["tests/cli", "tests/runs"],
  ),
  replacing(
    "official ARC has weight decay 1 and puzzle learning rate 1e-4",
    "src/runs/presets.ts",
    {
      from: "{ ...officialAttention, weightDecay: 0.1, puzzleLearningRate: 1e-2, puzzleWeightDecay: 0.1 }",
      to: "officialAttention",
    },
    ["tests/runs/presets.test.ts"],
  ),
  replacing(
    "the explorer compares a cell with the update of the other latent",
    "explorer/shared/frames.ts",
    { from: "frames[i]!.latent === latent && ++seen === 2", to: "++seen === 2" },
    ["tests/explorer/frames.test.ts"],
  ),
  replacing(
    "the explorer shows a later update of a latent than the scrubber says",
    "explorer/shared/frames.ts",
    {
      from: "let i = Math.min(index, frames.length - 1); i >= 0; i--) if",
      to: "let i = frames.length - 1; i >= 0; i--) if",
    },
    ["tests/explorer/frames.test.ts"],
  ),
  replacing(
    "the explorer exchanges cycles and updates in the order of frames",
    "explorer/shared/frames.ts",
    { from: "* updates.length + (update - 1);", to: "+ (update - 1) * T;" },
    ["tests/explorer/frames.test.ts"],
  ),
  replacing(
    "every slot starts again when one of them has halted",
    "src/trm/carry.ts",
    { from: "Float32Array.from(this.halted, Number)", to: "Float32Array.from(this.halted, () => 1)" },
    training,
  ),
  replacing(
    "a training never explores",
    "src/trm/training.ts",
    { from: "drawMinimumSteps(this.random, carry.slots, training)", to: "new Int32Array(carry.slots)" },
    training,
  ),
  replacing(
    "the warm-up of the EMA stays at its first rate",
    "src/trm/training.ts",
    { from: "warmedUpRate(this.#step, emaRate)", to: "warmedUpRate(1, emaRate)" },
    training,
  ),
  replacing(
    "easy mixing always reveals one blank",
    "src/trm/curriculum.ts",
    { from: "1 + this.#random.integer(blanks.length - 1)", to: "1" },
    ["tests/trm/curriculum.test.ts"],
  ),
  replacing(
    "the noise of a puzzle is the same at every supervision step",
    "src/trm/noise.ts",
    { from: "rollout.k, step, call", to: "rollout.k, call" },
    ["tests/trm/noise.test.ts"],
  ),
];
