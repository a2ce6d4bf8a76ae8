// One supervision step as a training computes it, from the latents with which it starts, with every update in reach.
import {
  type Config,
  deepRecursion,
  type Latents,
  lossOf,
  type Model,
  type Question,
  traceTensors,
  trainingLabels,
} from "trm-ts";
import { constant, noGrad, type Variable } from "trm-ts/autograd";
import * as t from "trm-ts/tensor";
import type { Puzzle } from "../shared/calls.ts";

/** [P + L, D] numbers of every latent by name. */
export type LatentNumbers = Readonly<Record<string, Float32Array>>;

export const questionOf = (...puzzles: readonly Puzzle[]): Question => ({
  inputs: Int32Array.from(puzzles.flatMap(({ question }) => question)),
});

/** The latents at the start of a supervision step; null for the initial ones. */
export async function latentsBefore(model: Model, question: Question, step: number): Promise<LatentNumbers | null> {
  if (step === 1) return null;
  const end = { step: step - 1, cycle: model.T, update: model.recursion.updates.length };
  return (await traceTensors(model, question, end)).latents;
}

export interface StepSubject {
  readonly model: Model;
  readonly config: Config;
  readonly puzzle: Puzzle;
  /** The latents with which the step, or its last cycle, starts; null for the initial ones. */
  readonly before: LatentNumbers | null;
}

export interface ComputedStep {
  /** The result of every update, in order. */
  readonly updates: readonly Variable[];
  /** The loss of the puzzle, a float64 scalar. */
  readonly loss: Variable;
}

/** Computes `cycles` latent recursions, of which the last is on the tape, and the loss. Runs in the scope of the caller. */
export function computeStep({ model, config, puzzle, before }: StepSubject, cycles = model.T): ComputedStep {
  const { sequenceLength, hiddenSize } = model.config;
  const inputs = t.tensor(Int32Array.from(puzzle.question), { shape: [1, sequenceLength] });
  const { x } = model.embed(inputs, t.tensor(new Int32Array(1)));
  const shape = [1, x.shape[1]!, hiddenSize];
  const asLatents = (numbers: LatentNumbers): Latents =>
    Object.fromEntries(Object.entries(numbers).map(([name, values]) => [name, constant(t.tensor(values, { shape }))]));
  const updates: Variable[] = [];
  const recur = model.recurAround((_, compute) => {
    const result = compute();
    updates.push(result);
    return result;
  });
  const latents = before ? asLatents(before) : model.initialLatents(1);
  const { logits, q } = model.heads(deepRecursion(recur, x, latents, cycles));
  const labels = trainingLabels(Int32Array.from(puzzle.truth ?? puzzle.question.map(() => 0)));
  const { total } = lossOf({ logits, q, labels, targetQContinue: null }, config.training);
  return { updates, loss: total };
}

/** The loss alone, without a tape. */
export async function lossOfStep(subject: StepSubject, cycles: number): Promise<number> {
  const loss = noGrad(() => computeStep(subject, cycles).loss.value);
  const value = await loss.item();
  loss.dispose();
  return value;
}
