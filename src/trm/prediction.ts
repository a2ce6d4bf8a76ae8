// Answers without training: the supervision steps of a batch of puzzles, one after another.

import { noGrad } from "../autograd/index.ts";
import * as t from "../tensor/index.ts";
import { Carry } from "./carry.ts";
import type { Model } from "./model.ts";
import { deepRecursion } from "./recursion.ts";

export interface Question {
  /** [B, L] tokens */
  readonly inputs: Int32Array;
  /** [B]; the blank id 0 if left out */
  readonly puzzleIds?: Int32Array | undefined;
}

/** What the model says after a supervision step. */
export interface Answer {
  /** Supervision steps so far, from 1. */
  readonly step: number;
  /** [B, L] tokens: y decoded */
  readonly tokens: Int32Array;
  /** [B] */
  readonly qHalt: Float32Array;
  readonly qContinue: Float32Array;
  /** [B, L, V], alive until the next step is asked for */
  readonly logits: t.Tensor;
  /** [B, 2], likewise */
  readonly q: t.Tensor;
}

/** The answers after 1, 2, ... `steps` supervision steps. Stop iterating to halt early. */
export async function* answers(model: Model, question: Question, steps: number): AsyncGenerator<Answer> {
  const { sequenceLength } = model.config;
  const slots = question.inputs.length / sequenceLength;
  const puzzleIds = question.puzzleIds ?? new Int32Array(slots);
  const carry = new Carry(model, slots);
  try {
    for (let step = 1; step <= steps; step++) {
      const { logits, q, tokens } = noGrad(() => {
        const inputs = t.tensor(question.inputs, { shape: [slots, sequenceLength] });
        const { x } = model.embed(inputs, t.tensor(puzzleIds));
        const { carry: next, logits, q } = deepRecursion(model, x, carry.latents);
        carry.replaceLatents(next);
        return { logits: t.keep(logits.value), q: t.keep(q.value), tokens: t.keep(t.argmax(logits.value)) };
      });
      try {
        const [cells, pairs] = await Promise.all([tokens.data(), q.data()]);
        yield {
          step,
          tokens: cells as Int32Array,
          qHalt: Float32Array.from({ length: slots }, (_, slot) => pairs[2 * slot]!),
          qContinue: Float32Array.from({ length: slots }, (_, slot) => pairs[2 * slot + 1]!),
          logits,
          q,
        };
      } finally {
        for (const tensor of [logits, q, tokens]) tensor.dispose();
      }
    }
  } finally {
    carry.dispose();
  }
}
