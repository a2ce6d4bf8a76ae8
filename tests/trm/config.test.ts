/** Defaults and limits of the settings. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/tensor/index.ts";
import { expectConfig, expectModelConfig } from "../../src/trm/config.ts";
import { type Config, ConfigError, Model, type ModelConfig, parseConfig } from "../../src/trm/index.ts";

const sizes = { vocabularySize: 11, sequenceLength: 81 };

describe("the configuration", () => {
  it("has the settings of the official Sudoku command as defaults", () => {
    const { model, training } = parseConfig(sizes);
    expect(model).toMatchObject({ T: 3, n: 6, layers: 2, hiddenSize: 512, heads: 8, expansion: 4, puzzleSlots: 16 });
    expect(training).toMatchObject({
      batchSize: 768,
      nSup: 16,
      explorationProbability: 0.1,
      haltingLossWeight: 0.5,
      learningRate: 1e-4,
      beta1: 0.9,
      beta2: 0.95,
      weightDecay: 1,
      warmupSteps: 2000,
      minRatio: 1,
      totalSteps: 65_104,
      puzzleLearningRate: 1e-4,
      puzzleWeightDecay: 1,
      emaRate: 0.999,
    });
  });

  it.each(["beta1", "beta2", "emaRate"])("refuses a decay rate of 1 for %s", (key) => {
    const parse = (value: number) => parseConfig({ ...sizes, [key]: value });
    expect(() => parse(1)).toThrow(ConfigError);
    expect(() => parse(1)).toThrow(new RegExp(`^config: ${key}: .*got 1$`));
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (value) => {
        expect(parse(value).training).toMatchObject({ [key]: value });
      }),
    );
  });

  it("refuses decay rates of 1 under the official name betas", () => {
    expect(() => parseConfig({ ...sizes, betas: [0.9, 1] }, "official")).toThrow(/beta2: .*got 1/);
  });

  it.each([
    ["nSup", 100_000],
    ["T", 100_000],
    ["n", 100_000],
    ["solverIterations", 100_000],
    ["gradientSteps", 100_000],
    ["layers", 1000],
    ["layersY", 1000],
  ])("refuses a value of %s above %d, which no training needs", (key, most) => {
    const parse = (value: number) => parseConfig({ ...sizes, [key]: value });
    for (const value of [most + 1, Number.MAX_SAFE_INTEGER]) {
      expect(() => parse(value)).toThrow(new RegExp(`^config: ${key}: .*<=${most}, got ${value}$`));
    }
    expect(() => parse(most)).not.toThrow();
  });

  it.each([
    [{}, "config: columns: expected a number of columns that divides sequenceLength for the positions rotary2d"],
    [{ columns: 10 }, "config: columns: expected a number of columns that divides sequenceLength"],
    [{ columns: 0 }, "config: columns: "],
    [{ columns: 9, mixer: "mlp" }, 'config: mixer: expected "attention" for the positions rotary2d, got "mlp"'],
    [
      { columns: 9, hiddenSize: 12, heads: 2 },
      "config: heads: expected a head size (hiddenSize / heads) that is a multiple",
    ],
  ])("refuses positions rotary2d with %j", (given, message) => {
    const settings = { ...sizes, mixer: "attention", positions: "rotary2d", ...given };
    expect(() => parseConfig(settings, "config")).toThrow(message);
  });

  it.each(["singleZ", "multiZ", "direct", "fixedPoint"] as const)(
    "refuses the 1-step gradient for the recursion %s",
    (recursion) => {
      const parse = () => parseConfig({ vocabularySize: 5, sequenceLength: 16, recursion, oneStepGradient: true });
      expect(parse).toThrow("config: oneStepGradient: expected false unless the recursion is trm, got true");
    },
  );

  it.each(["singleZ", "direct"] as const)(
    "refuses separate networks for the recursion %s, which has one",
    (recursion) => {
      const parse = () => parseConfig({ vocabularySize: 5, sequenceLength: 16, recursion, separateNets: true });
      expect(parse).toThrow(
        "config: separateNets: expected false for the recursions singleZ and direct, which have one network, got true",
      );
    },
  );

  it("refuses a number of columns that no position uses", () => {
    const parse = (): Config => parseConfig({ ...sizes, mixer: "attention", positions: "rotary", columns: 9 });
    expect(parse).toThrow("config: columns: expected none unless the positions are rotary2d, got 9");
  });

  it.each([null, undefined, 3, "text", [sizes]])("is not read from %j", (settings) => {
    const parse = () => parseConfig(settings as unknown as typeof sizes);
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow("as config, expected an object of settings such as { hiddenSize: 64 }");
  });

  it("is refused where a part is expected or is missing, and the message names what is missing", () => {
    const config = parseConfig(sizes);
    expect(() => expectModelConfig("here", config.model)).not.toThrow();
    expect(() => expectModelConfig("here", config)).toThrow(
      "here: got a whole configuration, expected its part for the model",
    );
    const { heads: _, ...withoutHeads } = config.model;
    expect(() => expectModelConfig("here", withoutHeads)).toThrow(
      "here: got settings without heads, expected the settings",
    );
    expect(() => expectModelConfig("here", null)).toThrow("here: got null, expected the settings of a model");
    expect(() => expectModelConfig("here", 3)).toThrow("here: got 3, expected the settings of a model");

    expect(() => new Model(withoutHeads as ModelConfig, new Random(1))).toThrow("Model: got settings without heads");

    expect(() => expectConfig("here", config)).not.toThrow();
    const { model, training } = config;
    for (const part of [{ model }, { training }, {}, null]) {
      expect(() => expectConfig("here", part)).toThrow("expected one with model and training");
    }
    const { nSup: __, ...withoutSteps } = training;
    const incomplete = { model, training: withoutSteps } as unknown as Config;
    expect(() => expectConfig("here", incomplete)).toThrow("here: got training settings without nSup, expected all");
  });
});
