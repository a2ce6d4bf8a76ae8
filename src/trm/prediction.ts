// Predictions without training: the supervision steps of a batch of puzzles, one after another.
import { noGrad } from "../autograd/index.ts";
import * as t from "../tensor/index.ts";
import { Carry } from "./carry.ts";
import { ConfigError } from "./errors.ts";
import type { Model } from "./model.ts";
import { deepRecursion } from "./recursion.ts";

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

/** The predictions after 1, 2, ... `steps` supervision steps. Stop iterating to halt early. @throws ConfigError */
export async function* predictions(model: Model, question: Question, steps: number): AsyncGenerator<Prediction> {
  const carry = carryOf(model, question);
  try {
    for (let step = 1; step <= steps; step++) {
      const { logits, q, tokens } = predictionStep(model, carry);
      try {
        const [cells, pairs] = await Promise.all([tokens.data(), q.data()]);
        yield { step, tokens: cells as Int32Array, ...splitPairs(pairs), logits, q };
      } finally {
        for (const tensor of [logits, q, tokens]) tensor.dispose();
      }
    }
  } finally {
    carry.dispose();
  }
}

/** A carry at the start of these questions. @throws ConfigError if the puzzles have another length than the model's */
export function carryOf(model: Model, { inputs, puzzleIds }: Question): Carry {
  const { sequenceLength } = model.config;
  const slots = inputs.length / sequenceLength;
  if (!Number.isInteger(slots) || slots === 0) {
    throw new ConfigError(`question: got ${inputs.length} tokens, expected a multiple of ${sequenceLength}`);
  }
  if (puzzleIds && puzzleIds.length !== slots) {
    throw new ConfigError(`question: got ${puzzleIds.length} puzzle ids, expected ${slots}`);
  }
  const carry = new Carry(model, slots);
  const labels = new Int32Array(inputs.length);
  carry.refill({ inputs, labels, puzzleIds: puzzleIds ?? new Int32Array(slots) });
  return carry;
}

/** One supervision step on every slot. The tensors of the result live until disposed. */
export function predictionStep(model: Model, carry: Carry): { logits: t.Tensor; q: t.Tensor; tokens: t.Tensor } {
  return noGrad(() => {
    const { inputs, puzzleIds, ...before } = carry.part(0, carry.slots);
    const { x } = model.embed(inputs, puzzleIds);
    const latents = deepRecursion(model.recur, x, before.latents, model.T);
    const { logits, q } = model.heads(latents);
    carry.advance(latents);
    return { logits: t.keep(logits.value), q: t.keep(q.value), tokens: t.keep(t.argmax(logits.value)) };
  });
}

/** q [B, 2], flat, as two arrays. */
export function splitPairs(pairs: ArrayLike<number>): { qHalt: Float32Array; qContinue: Float32Array } {
  const column = (i: number) => Float32Array.from({ length: pairs.length / 2 }, (_, slot) => pairs[2 * slot + i]!);
  return { qHalt: column(0), qContinue: column(1) };
}
