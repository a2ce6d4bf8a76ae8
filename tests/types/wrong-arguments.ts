// Calls that must not compile. `npm run typecheck` compiles this file: a line below @ts-expect-error that compiles is an error.
// Nothing here runs.
import {
  type Config,
  evaluate,
  Model,
  mazeTask,
  parseConfig,
  type ShuffledExamples,
  sudokuTask,
  Training,
} from "trm-ts";
import * as ad from "trm-ts/autograd";
import { Adam, Linear } from "trm-ts/nn";
import * as t from "trm-ts/tensor";
import { numbers, tensors } from "trm-ts/testing";

declare const config: Config;
declare const x: t.Tensor;
declare const v: ad.Variable;
declare const random: t.Random;
declare const source: ShuffledExamples;
declare const model: Model;

export async function wrongCalls(): Promise<void> {
  const sizes = { vocabularySize: 11, sequenceLength: 81 };
  parseConfig({ ...sizes, hiddenSize: 64, mixer: "attention" });
  // @ts-expect-error a misspelled setting
  parseConfig({ ...sizes, hidenSize: 64 });
  // @ts-expect-error a setting that is no number
  parseConfig({ ...sizes, hiddenSize: "64" });
  // @ts-expect-error a mixer that does not exist
  parseConfig({ ...sizes, mixer: "conv" });
  // @ts-expect-error no size of the vocabulary
  parseConfig({ sequenceLength: 81 });
  // @ts-expect-error an official name without the name of its source
  parseConfig({ ...sizes, H_cycles: 3 });
  parseConfig({ vocab_size: 11, seq_len: 81, H_cycles: 3 }, "official.json");

  sudokuTask(6, { clues: 12 });
  // @ts-expect-error a side that does not exist
  sudokuTask(8);
  // @ts-expect-error an option that does not exist
  sudokuTask(9, { clue: 30 });
  // @ts-expect-error the side is a number
  mazeTask("9");
  // @ts-expect-error `test` is missing
  sudokuTask(4).generate({ train: 10, seed: 1 });

  // @ts-expect-error the settings of the model alone
  new Model(config, random);
  // @ts-expect-error no random numbers
  new Model(config.model);
  // @ts-expect-error the settings of the model without those of the training
  new Training(config.model, source);
  // @ts-expect-error a hook that does not exist
  new Training(config, source, { observed: () => {} });
  // @ts-expect-error no batch size
  await evaluate(model, source, { nSup: 4 });

  // @ts-expect-error a number instead of a tensor
  t.add(x, 1);
  // @ts-expect-error a variable instead of a tensor
  t.add(x, v);
  // @ts-expect-error a tensor instead of a variable
  ad.add(v, x);
  // @ts-expect-error an element type that does not exist
  t.zeros([2], "float16");
  // @ts-expect-error an option that does not exist
  t.tensor([1], { type: "float32" });
  // @ts-expect-error an option that does not exist
  t.matmul(x, x, { transposeC: true });
  // @ts-expect-error axes are a list
  t.sum(x, 0);
  // @ts-expect-error the axis of a block is -1 or -2
  ad.rmsNorm(v, 0);
  // @ts-expect-error no random numbers
  new Linear(2, 3);
  // @ts-expect-error a rule that does not exist
  new Adam("sgd", { beta1: 0.9, beta2: 0.95, weightDecay: 0 }, new Map());
  // @ts-expect-error an option that does not exist
  numbers(3, { minimum: 0 });
  // @ts-expect-error kinks are a list
  tensors(undefined, { avoid: 0 });
}
