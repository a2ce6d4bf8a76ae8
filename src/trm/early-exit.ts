// Adaptive computation at evaluation: a puzzle whose q says stop leaves the batch, and the others go on in a smaller one, so
// that its further steps are not computed. Paper section 2.4; the official code always makes N_sup steps.
import { constant, noGrad } from "../autograd/index.ts";
import * as t from "../tensor/index.ts";
import type { Model } from "./model.ts";
import type { Question } from "./prediction.ts";
import { deepRecursion, type Latents } from "./recursion.ts";

export interface EarlyExitOptions {
  /** Supervision steps after which every puzzle leaves. May be more than were trained. */
  readonly maxSteps: number;
  /** Whether a puzzle may leave now. */
  stops(qHalt: number, qContinue: number): boolean;
}

/** The answers with which the puzzles of a batch left it. */
export interface ExitAnswers {
  /** [B, L] */
  readonly tokens: Int32Array;
  /** [B] the step after which the puzzle left, from 1 */
  readonly exitSteps: Int32Array;
  /** [B] at that step */
  readonly qHalt: Float32Array;
}

export async function answersAtExit(model: Model, question: Question, options: EarlyExitOptions): Promise<ExitAnswers> {
  const { sequenceLength: length } = model.config;
  const total = question.inputs.length / length;
  const answers: ExitAnswers = {
    tokens: new Int32Array(total * length),
    exitSteps: new Int32Array(total),
    qHalt: new Float32Array(total),
  };
  /** The puzzles that are still in the batch. */
  let present = Int32Array.from({ length: total }, (_, puzzle) => puzzle);
  let latents = kept(() => model.initialState(total));
  try {
    for (let step = 1; present.length > 0; step++) {
      const { next, tokens, q } = supervisionStep(model, subset(question, present, length), latents);
      dispose(latents);
      latents = next;
      const [cells, pairs] = await Promise.all([tokens.data(), q.data()]);
      for (const tensor of [tokens, q]) tensor.dispose();

      const staying: number[] = [];
      present.forEach((puzzle, slot) => {
        const [qHalt, qContinue] = [pairs[2 * slot]!, pairs[2 * slot + 1]!];
        if (step < options.maxSteps && !options.stops(qHalt, qContinue)) {
          staying.push(slot);
          return;
        }
        answers.tokens.set((cells as Int32Array).subarray(slot * length, (slot + 1) * length), puzzle * length);
        answers.exitSteps[puzzle] = step;
        answers.qHalt[puzzle] = qHalt;
      });
      if (staying.length === present.length) continue;
      present = Int32Array.from(staying, (slot) => present[slot]!);
      const before = latents;
      latents = staying.length === 0 ? {} : kept(() => rowsOf(before, staying));
      dispose(before);
    }
    return answers;
  } finally {
    dispose(latents);
  }
}

function supervisionStep(model: Model, { inputs, puzzleIds }: AskedPuzzles, latents: Latents) {
  return noGrad(() => {
    const shape = [puzzleIds.length, model.config.sequenceLength];
    const { x } = model.embed(t.tensor(inputs, { shape }), t.tensor(puzzleIds));
    const { carry, logits, q } = deepRecursion(model, x, latents);
    return { next: kept(() => carry), tokens: t.keep(t.argmax(logits.value)), q: t.keep(q.value) };
  });
}

interface AskedPuzzles {
  readonly inputs: Int32Array;
  readonly puzzleIds: Int32Array;
}

function subset({ inputs, puzzleIds }: Question, rows: Int32Array, length: number): AskedPuzzles {
  const picked = new Int32Array(rows.length * length);
  rows.forEach((row, slot) => {
    picked.set(inputs.subarray(row * length, (row + 1) * length), slot * length);
  });
  return { inputs: picked, puzzleIds: rows.map((row) => puzzleIds?.[row] ?? 0) };
}

/** The latents of these slots: [B, P + L, D] -> [rows, P + L, D]. */
function rowsOf(latents: Latents, rows: readonly number[]): Latents {
  const ids = t.tensor(Int32Array.from(rows));
  const pick = ({ value }: Latents[string]): Latents[string] => {
    const [slots, ...rest] = value.shape as [number, ...number[]];
    const table = t.reshape(value, [slots, t.sizeOf(rest)]);
    return constant(t.reshape(t.gatherRows(table, ids), [rows.length, ...rest]));
  };
  return Object.fromEntries(Object.entries(latents).map(([name, latent]) => [name, pick(latent)]));
}

/** Latents that live until `dispose`. */
function kept(make: () => Latents): Latents {
  return t.scope(() => {
    const latents = make();
    for (const { value } of Object.values(latents)) t.keep(value);
    return latents;
  });
}

function dispose(latents: Latents): void {
  for (const { value } of Object.values(latents)) value.dispose();
}
