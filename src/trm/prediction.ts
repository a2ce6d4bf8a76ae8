// Predictions without training: the supervision steps of a batch of puzzles, one after another.
import * as t from "../tensor/index.ts";
import { Carry } from "./carry.ts";
import { ConfigError } from "./errors.ts";
import { Model } from "./model.ts";
import { initialOf, type RolloutKey, recursionStep, type StepContext, type StepHooks } from "./step-hooks.ts";
import type { Latents } from "./variants.ts";

/** The puzzles of a batch: their tokens, and their puzzle ids if the model has an embedding of ids. */
export interface Question {
  /** [B, L] tokens */
  readonly inputs: Int32Array;
  /** [B]; the blank id 0 for every puzzle if left out */
  readonly puzzleIds?: Int32Array | undefined;
}

/** What a model predicts after a supervision step. */
export interface Prediction {
  /** Supervision steps so far, from 1. */
  readonly step: number;
  /** [B, L] tokens: y decoded. */
  readonly tokens: Int32Array;
  /** [B] */
  readonly qHalt: Float32Array;
  readonly qContinue: Float32Array;
  /** [B, L, V], valid until the next step is requested. */
  readonly logits: t.Tensor;
  /** [B, 2], likewise. */
  readonly q: t.Tensor;
}

/** Checks the arguments of a computation on a question. @throws ArgumentError */
export function expectQuestion(where: string, model: Model, question: Question, options: object): void {
  t.expectInstance(where, "the model", model, Model);
  t.expectObject(where, "the question", question, ["inputs"]);
  t.expectTokens(where, "the inputs of the question", question.inputs);
  t.expectObject(where, "the options", options);
}

/** The hooks of a prediction. */
export interface PredictionHooks extends StepHooks {
  /** The generator that the hooks receive. Default: one with seed 0. */
  readonly random?: t.Random | undefined;
  /** Index of the first puzzle, if the question is a part of a larger set. Default: 0. */
  readonly firstPuzzle?: number | undefined;
  /** Keys the noise of the prediction. Default: seed 0, rollout 0. */
  readonly rollout?: RolloutKey | undefined;
}

/** Yields the prediction after every supervision step, up to `steps` of them. Stop iterating to halt early. @throws ConfigError */
export async function* predictions(
  model: Model,
  question: Question,
  steps: number,
  hooks: PredictionHooks = {},
): AsyncGenerator<Prediction> {
  t.expectWhole("predictions", "the number of steps", steps);
  const run = new PredictionRun(model, question, hooks);
  try {
    for (let step = 1; step <= steps; step++) {
      const { logits, q, tokens } = run.step();
      try {
        const [cells, pairs] = await Promise.all([tokens.data(), q.data()]);
        yield { step, tokens: cells as Int32Array, ...splitPairs(pairs), logits, q };
      } finally {
        for (const tensor of [logits, q, tokens]) tensor.dispose();
      }
    }
  } finally {
    run.dispose();
  }
}

/** The tensors of a prediction. They live until disposed. */
export interface PredictionTensors {
  /** [B, L, V] */
  readonly logits: t.Tensor;
  /** [B, 2] */
  readonly q: t.Tensor;
  /** [B, L] int32 */
  readonly tokens: t.Tensor;
}

/** The supervision steps of some puzzles, which may leave one after another. */
export class PredictionRun {
  #carry: Carry;
  #step = 0;
  /** Indices into the question of the puzzles that remain in the batch. */
  #puzzles: Int32Array;
  readonly #random: t.Random;

  /** @throws ConfigError if the puzzles have another length than the model's */
  constructor(
    private readonly model: Model,
    question: Question,
    private readonly hooks: PredictionHooks = {},
  ) {
    expectQuestion("predictions", model, question, hooks);
    const { inputs, puzzleIds } = question;
    const { sequenceLength } = model.config;
    const slots = inputs.length / sequenceLength;
    if (!Number.isInteger(slots) || slots === 0) {
      throw new ConfigError(`question: got ${inputs.length} tokens, expected a positive multiple of ${sequenceLength}`);
    }
    if (puzzleIds && puzzleIds.length !== slots) {
      throw new ConfigError(`question: got ${puzzleIds.length} puzzle ids, expected ${slots}`);
    }
    this.#random = hooks.random ?? new t.Random(0);
    this.#puzzles = Int32Array.from({ length: slots }, (_, slot) => slot);
    this.#carry = new Carry(model, slots);
    const labels = new Int32Array(inputs.length);
    const batch = { inputs, labels, puzzleIds: puzzleIds ?? new Int32Array(slots) };
    try {
      t.scope(() => this.#carry.refill(batch, initialOf(model, hooks, this.#context(1))));
    } catch (error) {
      this.#carry.dispose(); // The caller gets no run to dispose.
      throw error;
    }
  }

  /** Indices into the question of the puzzles that remain in the batch. */
  get puzzles(): Int32Array {
    return this.#puzzles;
  }

  /** The latents by name, [B, P + L, D] each. They live until the next step. */
  get latents(): Latents {
    return this.#carry.latents;
  }

  /** One supervision step on every puzzle. @param recording  whether the last latent recursion is recorded, as in a training */
  step(recording = false): PredictionTensors {
    const { model, hooks } = this;
    const carry = this.#carry;
    this.#step++;
    const body = (): PredictionTensors => {
      const { inputs, puzzleIds, latents } = carry.part(0, carry.slots);
      const { x } = model.embed(inputs, puzzleIds);
      const next = recursionStep(model, { x, latents }, hooks, this.#context(this.#step));
      const { logits, q } = model.heads(next);
      carry.advance(next);
      return { logits: t.keep(logits.value), q: t.keep(q.value), tokens: t.keep(t.argmax(logits.value)) };
    };
    return t.scope(body, { recording });
  }

  #context(step: number): StepContext {
    const { firstPuzzle = 0, rollout = { seed: 0, k: 0 } } = this.hooks;
    const puzzles = this.#puzzles.map((puzzle) => firstPuzzle + puzzle);
    return { step, steps: this.#carry.steps, puzzles, random: this.#random, rollout };
  }

  /** Continues with some of the puzzles only. @param slots  positions in `puzzles` */
  select(slots: readonly number[]): void {
    this.#carry = this.#carry.select(slots);
    this.#puzzles = Int32Array.from(slots, (slot) => this.#puzzles[slot]!);
  }

  dispose(): void {
    this.#carry.dispose();
  }
}

/** q [B, 2], flat, as two arrays. */
export function splitPairs(pairs: ArrayLike<number>): { qHalt: Float32Array; qContinue: Float32Array } {
  const column = (i: number) => Float32Array.from({ length: pairs.length / 2 }, (_, slot) => pairs[2 * slot + i]!);
  return { qHalt: column(0), qContinue: column(1) };
}
