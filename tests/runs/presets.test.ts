/** The presets follow the commands of the official code. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { taskNames, taskOf } from "../../src/puzzles/index.ts";
import { epochsOfSteps, examplesPerEpoch, stepsOfEpochs } from "../../src/runs/epochs.ts";
import { presetFor, presetNames } from "../../src/runs/index.ts";
import { parseConfig } from "../../src/trm/index.ts";

const sizes = { vocabularySize: 12, sequenceLength: 900 };
const official = (task: "sudoku9" | "maze" | "arc") =>
  parseConfig({ ...sizes, ...presetFor("official", task).settings });

describe("preset official", () => {
  it("has the settings of the official Sudoku command", () => {
    const { model, training } = official("sudoku9");
    expect(model).toMatchObject({ mixer: "mlp", positions: "none", T: 3, n: 6, layers: 2, puzzleEmbeddingSize: 512 });
    expect(training).toMatchObject({ weightDecay: 1, puzzleLearningRate: 1e-4, puzzleWeightDecay: 1, nSup: 16 });
  });

  it("has the settings of the official maze command", () => {
    const { model, training } = official("maze");
    expect(model).toMatchObject({ mixer: "attention", positions: "rotary", T: 3, n: 4, puzzleEmbeddingSize: 512 });
    expect(training).toMatchObject({ weightDecay: 1, puzzleLearningRate: 1e-4, puzzleWeightDecay: 1 });
  });

  it("has the weight decay and the puzzle learning rate of the official ARC command", () => {
    const { model, training } = official("arc");
    expect(model).toMatchObject({ mixer: "attention", positions: "rotary", n: 4, puzzleEmbeddingSize: 512 });
    expect(training).toMatchObject({ weightDecay: 0.1, puzzleLearningRate: 1e-2, puzzleWeightDecay: 0.1 });
  });

  it("draws symmetries of the training puzzles except on 4x4, where they can be unseen puzzles", () => {
    for (const preset of presetNames) {
      expect(presetFor(preset, "sudoku4").data.augment).toBe(false);
      expect(presetFor(preset, "sudoku9").data.augment).toBe(true);
    }
  });

  it("trains 1,000 puzzles for 65,104 steps, as the official Sudoku and maze commands do", () => {
    for (const task of ["sudoku9", "maze"] as const) {
      const { epochs, data } = presetFor("official", task);
      expect(stepsOfEpochs(epochs!, data.train, official(task).training.batchSize)).toBe(65_104);
    }
    expect(presetFor("official", "arc").epochs).toBe(100_000);
    expect(presetFor("paper", "sudoku9").epochs).toBe(60_000);
  });
});

it("only the presets small warm up the moving average, because the method does not", () => {
  for (const task of taskNames) {
    const warmUps = presetNames.map((name) => presetFor(name, task).settings.emaWarmup ?? false);
    expect(Object.fromEntries(presetNames.map((name, i) => [name, warmUps[i]]))).toEqual({
      small: true,
      official: false,
      paper: false,
    });
  }
});

it("every preset of every generated task is a valid configuration", () => {
  for (const name of presetNames) {
    for (const task of taskNames) {
      const { vocabularySize, sequenceLength } = taskOf({ name: task });
      const { settings } = presetFor(name, task);
      expect(parseConfig({ ...settings, vocabularySize, sequenceLength }).training.nSup).toBeGreaterThan(0);
    }
  }
});

describe("epochs", () => {
  it("become steps as in the official code: int(epochs · groups · mean examples / batch size)", () => {
    const examples = examplesPerEpoch({ groupCount: 960, meanPuzzleExamples: 3.25 });
    expect(stepsOfEpochs(100_000, examples, 768)).toBe(406_250);
    expect(stepsOfEpochs(1, 5, 768)).toBe(1);
    expect(stepsOfEpochs(1e300, 5, 768)).toBe(Number.MAX_SAFE_INTEGER); // a configuration accepts no larger one
  });

  it("are enough for the number of steps that an export asks for", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 1e5 }),
        fc.integer({ min: 1, max: 999 }),
        (steps, examples, batch) => {
          const epochs = epochsOfSteps(steps, examples, batch);
          expect(stepsOfEpochs(epochs, examples, batch)).toBeGreaterThanOrEqual(steps);
          if (steps > 1 && epochs > 1) expect(stepsOfEpochs(epochs - 1, examples, batch)).toBeLessThan(steps);
        },
      ),
    ));
});
