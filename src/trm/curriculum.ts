// Changes of a training that came after the paper: a curriculum of the depth (CGAR, arXiv 2511.08653), and puzzles with some of their
// blanks filled in (easy mixing, arXiv 2601.10679).
import * as z from "zod/mini";
import { expectObject, expectWhole, Random } from "../tensor/index.ts";
import { randomStateSchema } from "./batches.ts";
import { type Config, expectConfig, expectStages } from "./config.ts";
import { ConfigError } from "./errors.ts";
import { type Batch, type BatchSource, blanksOf } from "./examples.ts";
import { trainingFlops } from "./flops.ts";
import type { StepHooks } from "./step-hooks.ts";

/** T and n of training step 1, 2, ... of `totalSteps`: a third of both, then two thirds, then all. */
function depthAt({ model: { T, n }, training: { totalSteps } }: Config, step: number): { T: number; n: number } {
  const share = (step - 1) / totalSteps;
  if (share < 0.3) return { T: Math.ceil(T / 3), n: Math.min(n, Math.max(2, Math.ceil(n / 3))) };
  if (share < 0.6) return { T: Math.ceil((2 * T) / 3), n: Math.ceil((2 * n) / 3) };
  return { T, n };
}

/**
 * The depth curriculum, as the hook `depth` of a training; the setting `depthCurriculum` passes it. The first 30% of totalSteps have a
 * third of T and n (n at least 2), the next 30% two thirds. An evaluation has the full depth. The stage follows from the number of the
 * step, so that a resumed training is in the same stage.
 *
 * @throws ConfigError for multiZ, where n is the number of z latents, for direct, which has no depth, and for fixedPoint
 */
export function depthCurriculum(config: Config): NonNullable<StepHooks["depth"]> {
  expectConfig("depthCurriculum", config);
  expectStages("depthCurriculum", config.model);
  return ({ step }) => depthAt(config, step);
}

/** Operations of the first `steps` training steps of a configuration, summed over the stages of its depth curriculum if it has one. */
export function operationsOf(config: Config, steps: number): number {
  expectConfig("operationsOf", config);
  expectWhole("operationsOf", "the number of steps", steps, 0);
  if (!config.training.depthCurriculum) return steps * trainingFlops(config);
  let sum = 0;
  for (let step = 1; step <= steps; step++) {
    sum += trainingFlops({ ...config, model: { ...config.model, ...depthAt(config, step) } });
  }
  return sum;
}

const revealState = z.strictObject({ random: randomStateSchema, source: z.unknown() });

/**
 * Training batches in which blanks of some puzzles are filled in. With the given probability, r blanks of a puzzle are filled in,
 * where r is uniform in 1 .. blanks - 1. Blanks are the labelled cells in which question and answer differ. The other puzzles stay as they are. The setting `revealProbability` puts
 * them in front of the batches of a training.
 */
export class RevealedExamples implements BatchSource {
  #random: Random;

  /** @throws ConfigError unless the probability is in 0..1 */
  constructor(
    readonly source: BatchSource,
    readonly revealProbability: number,
    seed: number,
  ) {
    expectObject("RevealedExamples", "the source", source, ["sequenceLength", "next"]);
    expectWhole("RevealedExamples", "the seed", seed, Number.MIN_SAFE_INTEGER);
    if (!(revealProbability >= 0 && revealProbability <= 1)) {
      throw new ConfigError(`RevealedExamples: got revealProbability ${revealProbability}, expected 0 to 1`);
    }
    this.#random = new Random(seed);
  }

  get sequenceLength(): number {
    return this.source.sequenceLength;
  }

  next(batchSize: number): Batch {
    const batch = this.source.next(batchSize);
    const inputs = batch.inputs.slice();
    const { sequenceLength: length } = this;
    for (let slot = 0; slot < batchSize; slot++) {
      if (!this.#random.bernoulli(this.revealProbability)) continue;
      const question = inputs.subarray(slot * length, (slot + 1) * length);
      const answer = batch.labels.subarray(slot * length, (slot + 1) * length);
      const blanks = blanksOf(question, answer);
      if (blanks.length < 2) continue;
      const revealed = this.#random.sample(blanks.length, 1 + this.#random.integer(blanks.length - 1));
      for (const index of revealed) question[blanks[index]!] = answer[blanks[index]!]!;
    }
    return { ...batch, inputs };
  }

  get state(): unknown {
    return { random: this.#random.state, source: this.source.state };
  }

  set state(state: unknown) {
    const parsed = revealState.safeParse(state);
    if (!parsed.success) throw new RangeError("the position in the training data cannot be read");
    this.source.state = parsed.data.source; // first, because it may be refused
    this.#random = Random.fromState(parsed.data.random);
  }
}
