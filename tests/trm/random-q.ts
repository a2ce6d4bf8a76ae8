// The q of a new model is -5 for every puzzle, because the weights of its head start at 0. Tests that read q need one that varies.
import { assign, Random } from "../../src/tensor/index.ts";
import type { Model } from "../../src/trm/index.ts";

/** Gives the model a q head with random weights [2, D] and the bias 0, so that q differs from puzzle to puzzle. Returns the model. */
export function withRandomQ(model: Model, seed: number): Model {
  const { weight, bias } = model.qWeights;
  const random = new Random(seed);
  assign(
    weight.value,
    Float32Array.from({ length: weight.value.size }, () => random.normal()),
  );
  assign(bias.value, new Float32Array(2));
  return model;
}
