// predict: the answers of a model to puzzles given as text, tokens or examples.
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { constant, multiply, reshape } from "../../src/autograd/index.ts";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { ArgumentError, assign, defaultBackend, Random, tensor } from "../../src/tensor/index.ts";
import {
  ConfigError,
  Model,
  parseConfig,
  predict,
  predictions,
  type StepHooks,
  saysHalt,
  sliceExamples,
  weightCount,
} from "../../src/trm/index.ts";

const task = sudokuTask(4);
const config = parseConfig({
  vocabularySize: task.vocabularySize,
  sequenceLength: task.sequenceLength,
  T: 1,
  n: 1,
  layers: 1,
  hiddenSize: 8,
  widthMultiple: 8,
  puzzleEmbeddingSize: 8,
  puzzleSlots: 1,
  puzzleIds: 3,
});
/** Heads and puzzle rows that differ from the initial ones, so that q depends on the puzzle and on its id. */
function modelOf(seed: number, qBias: number): Model {
  const made = new Model(config.model, new Random(seed));
  const random = new Random(seed);
  const { weight, bias } = made.qWeights;
  assign(bias.value, Float32Array.of(qBias, -5));
  for (const tensor of [weight.value, made.puzzleEmbedding!.table]) {
    assign(
      tensor,
      Float32Array.from({ length: tensor.size }, () => random.normal()),
    );
  }
  return made;
}
const model = modelOf(1, -5);
const halting = modelOf(2, 0);
afterAll(() => {
  model.dispose();
  halting.dispose();
});
const { test } = task.generate({ train: 1, test: 5, seed: 1 });
const texts = Array.from({ length: test.count }, (_, i) => task.format(test.inputs.slice(16 * i, 16 * (i + 1))));

describe("predict", () => {
  it("draws the noise of a part of a set as for the whole set, if it is given the index of the first puzzle", async () => {
    const before: StepHooks["before"] = (latents, context) => {
      const scale = constant(tensor(Float32Array.from(context.puzzles, (puzzle) => 1 + puzzle)));
      return { ...latents, z: multiply(latents.z!, reshape(scale, [context.puzzles.length, 1, 1])) };
    };
    const whole = await predict(model, task, texts, { steps: 2, before });
    const part = await predict(model, task, texts.slice(2), { steps: 2, before, firstPuzzle: 2, batchSize: 2 });
    expect(part).toEqual(whole.slice(2));
  });

  it("gives the same answers to text, tokens and examples, in any batch size", async () => {
    const whole = await predict(model, task, texts, { steps: 3 });
    expect(whole).toHaveLength(5);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom("text", "tokens", "examples"),
        async (batchSize, form) => {
          const tokens = texts.map((text) => [...task.parse(text)]);
          const puzzles = form === "text" ? texts : form === "tokens" ? tokens : test;
          const answers = await predict(model, task, puzzles, { steps: 3, batchSize });
          expect(answers.map(({ answer, steps }) => [answer, steps])).toEqual(
            whole.map(({ answer, steps }) => [answer, steps]),
          );
        },
      ),
      { numRuns: 12 },
    );
  });

  it("reports the tokens, q and number of steps of the supervision step at which the puzzle halts", async () => {
    const first = await predict(halting, task, test, { steps: 1 });
    const median = first.map(({ q }) => q).toSorted((a, b) => a - b)[2]!;
    assign(halting.qWeights.bias.value, Float32Array.of(-median, -5)); // two of the five puzzles halt after the first step
    const answers = await predict(halting, task, test, { steps: 4 });
    const seen = new Set<number>();
    for (const [index, answer] of answers.entries()) {
      const inputs = test.inputs.slice(16 * index, 16 * (index + 1));
      for await (const { step, tokens, qHalt, qContinue } of predictions(halting, { inputs }, 4)) {
        if (!saysHalt(qHalt[0]!, qContinue[0]!, config.training) && step < 4) continue;
        expect(answer.steps).toBe(step);
        expect(answer.tokens).toEqual(tokens);
        expect(answer.question).toEqual(inputs);
        expect(answer.q).toBeCloseTo(qHalt[0]!, 4);
        seen.add(step);
        break;
      }
    }
    expect(seen.size).toBeGreaterThan(1);
    const all = await predict(halting, task, test, { steps: 4, halt: false });
    expect(all.map(({ steps }) => steps)).toEqual([4, 4, 4, 4, 4]);
  });

  it("makes nSup steps of the training, and 16 without settings", async () => {
    const never = modelOf(1, -100);
    const steps = async (options: object) => (await predict(never, task, texts.slice(0, 1), options))[0]!.steps;
    expect(await steps({})).toBe(16);
    expect(await steps({ training: { ...config.training, nSup: 3 } })).toBe(3);
    expect(await steps({ training: config.training, steps: 2 })).toBe(2);
    never.dispose();
  });

  it("judges the answers as the task does, and uses the puzzle ids of examples", async () => {
    const [plain] = await predict(model, task, texts.slice(0, 1), { steps: 1 });
    expect(plain!.mistake).toBe(task.mistake(plain!.question, plain!.tokens));
    expect(plain!.correct).toBe(plain!.mistake === undefined);
    const withId = { ...sliceExamples(test, 0, 1), puzzleIds: Int32Array.of(2) };
    const [marked] = await predict(model, task, withId, { steps: 1 });
    expect(marked!.q).not.toBe(plain!.q);
  });

  it("answers no puzzles with no answers", async () => expect(await predict(model, task, [])).toEqual([]));

  it("releases all memory, also after an error", async () => {
    const before = defaultBackend().memory().liveBytes;
    await predict(model, task, texts, { steps: 2, batchSize: 2 });
    await expect(predict(model, task, [...texts, "1"])).rejects.toThrow();
    expect(defaultBackend().memory().liveBytes).toBe(before);
  });

  const wrong: [puzzles: unknown, message: string][] = [
    [["1"], "predict: puzzles[0]: "],
    [[texts[0], [1, 2]], "predict: puzzles[1]: got 2 tokens, expected 16 (or the puzzle as text)"],
    [[Array(16).fill(6)], "predict: puzzles[0]: token 1 is 6, expected an integer from 0 to 5"],
    [[[...Array(15).fill(1), 1.5]], "predict: puzzles[0]: token 16 is 1.5, expected an integer from 0 to 5"],
    [[undefined], "predict: puzzles[0]: got 0 tokens"],
    [undefined, "predict: puzzles: got undefined, expected an array of questions, or examples"],
    [texts[0], `predict: puzzles: got the string "${texts[0]}", expected an array of questions, or examples`],
  ];
  it.each(wrong)("names the malformed question: %j", async (puzzles, message) => {
    await expect(predict(model, task, puzzles as string[])).rejects.toThrow(message);
  });

  it("takes every token of the vocabulary, padding included, as part of a question", async () => {
    const tokens = Int32Array.from({ length: 16 }, (_, i) => i % 6);
    expect(await predict(model, task, [tokens])).toHaveLength(1);
    await expect(predict(model, task, [tokens.map((token) => token + 1)])).rejects.toThrow("predict: puzzles[0]");
    await expect(predict(model, task, [tokens.map((token) => token - 1)])).rejects.toThrow("predict: puzzles[0]");
  });

  it("refuses examples of another length, although their tokens could be divided into puzzles", async () => {
    const longer = { count: 4, length: 8, inputs: new Int32Array(32), labels: new Int32Array(32) };
    await expect(predict(model, task, longer)).rejects.toThrow(
      new ConfigError("predict: got examples of 8 cells, expected 16, the cells of sudoku4"),
    );
  });

  it("refuses examples whose parts do not fit their count", async () => {
    const { count } = test;
    for (const [part, message] of [
      [{ inputs: test.inputs.slice(0, 32) }, `got 32 numbers as inputs, expected ${16 * count}`],
      [{ labels: test.labels.slice(0, 16) }, `got 16 numbers as labels, expected ${16 * count}`],
      [{ puzzleIds: new Int32Array(9) }, `got 9 numbers as puzzleIds, expected ${count}`],
      [{ count: 0.5 }, "got 0.5 as count, expected a whole number from 0"],
    ] as const) {
      await expect(predict(model, task, { ...test, ...part })).rejects.toThrow(
        new ArgumentError(`predict: ${message}`),
      );
    }
  });

  it("refuses a task of another size, and options out of range", async () => {
    await expect(predict(model, sudokuTask(6), [])).rejects.toThrow(
      "predict: the model has 16 cells and 6 tokens, sudoku6 has 36 and 8",
    );
    for (const options of [{ steps: 0 }, { batchSize: 1.5 }]) {
      await expect(predict(model, task, texts, options)).rejects.toThrow(/^predict: (steps|batchSize): got/);
    }
  });
});

it("the number of weights follows from the configuration", () => {
  const settings = fc.record({
    layers: fc.integer({ min: 1, max: 3 }),
    layersY: fc.integer({ min: 1, max: 3 }),
    separateNets: fc.boolean(),
    mixer: fc.constantFrom("mlp", "attention"),
    positions: fc.constantFrom("none", "rotary", "learned"),
    hiddenSize: fc.constantFrom(8, 16),
    heads: fc.constant(2),
    expansion: fc.constantFrom(1, 2.5, 4),
    widthMultiple: fc.constantFrom(1, 8),
    puzzleEmbeddingSize: fc.constantFrom(0, 8),
    puzzleIds: fc.integer({ min: 1, max: 4 }),
    puzzleSlots: fc.integer({ min: 1, max: 3 }),
    recursion: fc.constantFrom("trm", "singleZ", "multiZ", "direct"),
  });
  fc.assert(
    fc.property(settings, (given) => {
      const separateNets = given.separateNets && (given.recursion === "trm" || given.recursion === "multiZ");
      const { model: drawn } = parseConfig({ vocabularySize: 5, sequenceLength: 6, ...given, separateNets });
      const made = new Model(drawn, new Random(0));
      expect(weightCount(drawn)).toBe(made.parameterCount() + (made.puzzleEmbedding?.table.size ?? 0));
      made.dispose();
    }),
    { numRuns: 60 },
  );
});
