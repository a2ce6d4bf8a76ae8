// Rollouts: a trained model answers a puzzle K times with noise on z, and one of the answers is selected. PTRM (arXiv 2605.19943,
// figure 4); selection by residual as in EqR (arXiv 2605.21488). Only the evaluation changes, so every checkpoint can be used.
import { expectArray, expectObject, expectWhole, Random, showValue } from "../tensor/index.ts";
import { ConfigError } from "./errors.ts";
import {
  batchHooks,
  compare,
  type EvaluationOptions,
  expectEvaluation,
  expectLabels,
  type PairedDifference,
  pairedDifference,
  wilson95,
} from "./evaluation.ts";
import { type EvaluationSet, evaluationBatches } from "./examples.ts";
import type { Model } from "./model.ts";
import { noiseOnZ, randomStarts, reasoningLatents } from "./noise.ts";
import { expectQuestion, type PredictionHooks, predictions, type Question } from "./prediction.ts";
import type { StepHooks } from "./step-hooks.ts";

/** How the answer is selected: the highest q, the most frequent whole answer, or the logits that change least. */
export const rolloutSelections = ["q", "mode", "residual"] as const;
/** One of `rolloutSelections`. */
export type RolloutSelection = (typeof rolloutSelections)[number];

/** How many rollouts are made, and with which noise. */
export interface RolloutSettings {
  /** K, the number of rollouts. */
  readonly rollouts: number;
  /** Standard deviation of the noise on z before every supervision step. It is absolute: latents have an RMS of about 1. */
  readonly sigma: number;
  /** Whether every rollout starts from random latents (`randomStarts`, EqR) instead of y_init and z_init. Default false. */
  readonly randomStarts?: boolean | undefined;
  /** Seed of the noise, which is not that of a training. Default 0. */
  readonly noiseSeed?: number | undefined;
}

/** One rollout on the puzzles of a batch: what is known after its last step. */
export interface Rollout {
  /** [B, L] */
  readonly tokens: Int32Array;
  /** [B] */
  readonly qHalt: Float32Array;
  /**
   * [B] how much the logits still change: |logits_t - logits_(t-1)|, the Euclidean norm over the vocabulary, averaged over the
   * positions and over the last three steps. With fewer steps, it is averaged over all of them; with a single step, it is 0.
   */
  readonly residual: Float64Array;
}

/** The options of `predictRollouts`. */
export interface RolloutOptions extends RolloutSettings {
  /** Supervision steps of every rollout, none of which stops early. */
  readonly steps: number;
  /** Index of the first puzzle in its set; noise belongs to the puzzle. Default 0. */
  readonly firstPuzzle?: number | undefined;
  /** Other changes of the supervision steps. Its hook `before` runs after the noise was added. Every rollout has its own `random`. */
  readonly hooks?: PredictionHooks | undefined;
  /** Called and awaited after every supervision step. */
  readonly onStep?: (() => void | Promise<void>) | undefined;
}

/**
 * Answers every puzzle of a batch `rollouts` times. The noise of a rollout depends on the seed, the puzzle, the number of the
 * rollout and the step alone. With sigma 0 every rollout is the plain prediction,
 * bit for bit, unless the starts are random or the model has path noise.
 *
 * @returns the rollouts k = 1, 2, ... in order
 * @throws ConfigError if the model has no z, or for settings out of range
 */
export async function predictRollouts(model: Model, question: Question, options: RolloutOptions): Promise<Rollout[]> {
  expectQuestion("predictRollouts", model, question, options);
  expectWhole("predictRollouts", "the number of steps", options.steps);
  expectRollouts(model, options);
  const made: Rollout[] = [];
  for (let k = 1; k <= options.rollouts; k++) made.push(await oneRollout(model, question, options, k));
  return made;
}

/** Rollout k; k = 0 is the plain prediction, without the noise of the rollouts. */
async function oneRollout(model: Model, question: Question, options: RolloutOptions, k: number): Promise<Rollout> {
  const { steps, sigma, noiseSeed: seed = 0, firstPuzzle = 0, hooks = {}, onStep } = options;
  const noise = noiseOnZ(k === 0 ? 0 : sigma);
  const own = hooks.before;
  const before: StepHooks["before"] = (latents, context) => {
    const noisy = noise(latents, context);
    return own ? own(noisy, context) : noisy;
  };
  const initial = options.randomStarts && k > 0 ? randomStarts(model.config, model.recursion.latents) : hooks.initial;
  const changes = new LogitChanges(question.inputs.length / model.config.sequenceLength, model.config.vocabularySize);
  // k = 0 has the default key of a prediction, so that a model that draws noise itself answers as in `evaluate`.
  const rollout = k === 0 ? undefined : { seed, k };
  const random = k === 0 ? hooks.random : Random.keyed(seed, k, firstPuzzle); // for hooks that draw numbers
  const all = predictions(model, question, steps, { ...hooks, before, initial, firstPuzzle, rollout, random });
  for await (const { step, tokens, qHalt, logits } of all) {
    if (step >= steps - residualSteps) changes.add((await logits.data()) as Float32Array);
    await onStep?.();
    if (step === steps) return { tokens, qHalt, residual: changes.mean() };
  }
  throw new Error("unreachable: the last step returns");
}

/** Steps whose changes of the logits are averaged. */
const residualSteps = 3;

/** The changes of the logits of every puzzle from step to step. */
class LogitChanges {
  readonly #sums: Float64Array;
  #previous: Float32Array | null = null;
  #steps = 0;

  constructor(
    puzzles: number,
    private readonly vocabularySize: number,
  ) {
    this.#sums = new Float64Array(Math.floor(puzzles)); // `predictions` refuses a question of a wrong length
  }

  /** @param logits [B, L, V] */
  add(logits: Float32Array): void {
    const previous = this.#previous;
    this.#previous = logits.slice();
    if (!previous) return;
    this.#steps++;
    const perPuzzle = logits.length / this.#sums.length;
    const cells = perPuzzle / this.vocabularySize;
    this.#sums.forEach((_, puzzle) => {
      for (let cell = puzzle * perPuzzle; cell < (puzzle + 1) * perPuzzle; cell += this.vocabularySize) {
        let square = 0;
        for (let i = cell; i < cell + this.vocabularySize; i++) square += (logits[i]! - previous[i]!) ** 2;
        this.#sums[puzzle]! += Math.sqrt(square) / cells;
      }
    });
  }

  mean(): Float64Array {
    return this.#sums.map((sum) => sum / Math.max(1, this.#steps));
  }
}

/** @throws ConfigError */
function expectRollouts(model: Model, { rollouts, sigma, noiseSeed = 0 }: RolloutSettings): void {
  if (reasoningLatents(model.recursion.latents).length === 0) {
    throw new ConfigError(
      `rollouts: got the recursion ${model.config.recursion}, expected one with a z to add noise to`,
    );
  }
  if (!Number.isInteger(rollouts) || rollouts < 1) {
    throw new ConfigError(`rollouts: got ${rollouts} rollouts, expected an integer from 1`);
  }
  if (!(Number.isFinite(sigma) && sigma >= 0)) throw new ConfigError(`sigma: got ${sigma}, expected a number from 0`);
  if (!Number.isSafeInteger(noiseSeed)) throw new ConfigError(`noiseSeed: got ${noiseSeed}, expected an integer`);
}

/** One answer to one puzzle, for the selection. */
export interface RolloutAnswer {
  readonly tokens: ArrayLike<number>;
  readonly q: number;
  readonly residual: number;
}

/** The answers of all rollouts to the puzzle in a slot of the batch. */
export function answersOf(rollouts: readonly Rollout[], slot: number, length: number): RolloutAnswer[] {
  expectArray("answersOf", "the rollouts", rollouts);
  expectWhole("answersOf", "the slot", slot, 0);
  expectWhole("answersOf", "the length", length);
  for (const [k, each] of rollouts.entries()) expectObject("answersOf", `rollout ${k + 1}`, each, ["tokens", "qHalt"]);
  return rollouts.map(({ tokens, qHalt, residual }) => ({
    tokens: tokens.subarray(slot * length, (slot + 1) * length),
    q: qHalt[slot]!,
    residual: residual[slot]!,
  }));
}

/**
 * The index of the selected answer. Ties go to the lowest index; `mode` returns the first of the most frequent answers. NaN is the
 * lowest score.
 *
 * @throws ConfigError without answers
 */
export function selectRollout(answers: readonly RolloutAnswer[], selection: RolloutSelection): number {
  expectArray("selectRollout", "the answers", answers);
  if (!rolloutSelections.includes(selection)) {
    throw new ConfigError(
      `selectRollout: got ${showValue(selection)}, expected one of ${rolloutSelections.join(", ")}`,
    );
  }
  const parts = selection === "residual" ? ["tokens", "residual"] : ["tokens", "q"];
  for (const [k, each] of answers.entries()) expectObject("selectRollout", `answer ${k + 1}`, each, parts);
  if (answers.length === 0) throw new ConfigError("selectRollout: got no answers, expected at least one");
  const scores = selection === "mode" ? frequencies(answers) : answers.map(scoreBy[selection]);
  let best = 0;
  scores.forEach((score, k) => {
    if (score > scores[best]! || (Number.isNaN(scores[best]!) && !Number.isNaN(score))) best = k;
  });
  return best;
}

const scoreBy = {
  q: ({ q }: RolloutAnswer): number => q,
  residual: ({ residual }: RolloutAnswer): number => -residual,
};

/** For every answer: how many of the answers are the same. */
function frequencies(answers: readonly RolloutAnswer[]): number[] {
  const keys = answers.map(({ tokens }) => Array.from(tokens).join());
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return keys.map((key) => counts.get(key)!);
}

/**
 * The probability that k of n rollouts, chosen at random, contain one of the c correct ones: 1 - C(n - c, k) / C(n, k). The mean over
 * all choices has less variance than the first k rollouts alone.
 */
export function expectedPassAtK(n: number, c: number, k: number): number {
  for (const [name, value] of Object.entries({ n, c, k })) expectWhole("expectedPassAtK", name, value, 0);
  if (c > n || k > n) throw new ConfigError(`expectedPassAtK: got n ${n}, c ${c}, k ${k}, expected c and k up to n`);
  let allWrong = 1;
  for (let i = 0; i < k; i++) allWrong *= Math.max(0, n - c - i) / (n - i);
  return 1 - allWrong;
}

/** Shares of puzzles by K: "1", "2", "5", "10", ... up to the number of rollouts. */
export type ByK<T> = Readonly<Record<string, T>>;
type Interval = readonly [low: number, high: number];

/** The figures that an evaluation with rollouts measures for every K, each from the first K rollouts. */
export interface RolloutShares<T> {
  /** Whether any of the rollouts is correct. An oracle: it knows the answer. */
  readonly passAtK: ByK<T>;
  /** Whether the answer with the highest q is correct. */
  readonly bestQ: ByK<T>;
  /** Whether the most frequent answer is correct. */
  readonly mode: ByK<T>;
  /** Whether the answer whose logits change least is correct. */
  readonly residual: ByK<T>;
}

/** The figures of an evaluation with rollouts, as shares of the puzzles that have labels. */
export interface RolloutEvaluation extends RolloutShares<number> {
  readonly puzzles: number;
  readonly unlabelled: number;
  readonly rollouts: number;
  readonly sigma: number;
  /** Supervision steps of every rollout. */
  readonly steps: number;
  /** Share that the model solves without the noise of the rollouts: the last `exact` of `evaluate`. */
  readonly deterministic: number;
  /** Mean of `expectedPassAtK` over the puzzles. */
  readonly expectedPassAtK: ByK<number>;
  /** 95% Wilson intervals over the puzzles. */
  readonly interval95: RolloutShares<Interval> & { readonly deterministic: Interval };
  /** What every selection from all rollouts changes in comparison with the deterministic answers to the same puzzles. */
  readonly againstDeterministic: Readonly<Record<RolloutSelection, PairedDifference>>;
}

/** 1, 2, 5, 10, 20, 50, ... below the number of rollouts, then that number. */
export function rolloutCounts(rollouts: number): number[] {
  expectWhole("rolloutCounts", "the number of rollouts", rollouts);
  const counts: number[] = [];
  for (let power = 1; power < rollouts; power *= 10) counts.push(power, 2 * power, 5 * power);
  return [...counts.filter((count) => count < rollouts), rollouts];
}

/**
 * Evaluates a model with rollouts, each of nSup supervision steps. The cost is rollouts · nSup deep recursions per puzzle, and nSup
 * more for the deterministic share.
 *
 * @throws ConfigError, see `predictRollouts` and `evaluate`
 */
export async function evaluateRollouts(
  model: Model,
  set: EvaluationSet,
  options: EvaluationOptions & RolloutSettings,
): Promise<RolloutEvaluation> {
  expectEvaluation("evaluateRollouts", model, set, options);
  expectRollouts(model, options);
  const { nSup: steps, batchSize, rollouts, sigma, noiseSeed, randomStarts, onProgress } = options;
  const { sequenceLength: length } = model.config;
  const hooksAt = batchHooks(options);
  const ks = rolloutCounts(rollouts);
  const zeros = (): Record<string, number> => Object.fromEntries(ks.map((k) => [k, 0]));
  const counts = { passAtK: zeros(), q: zeros(), mode: zeros(), residual: zeros() };
  const expected = zeros();
  const changed = { q: { gained: 0, lost: 0 }, mode: { gained: 0, lost: 0 }, residual: { gained: 0, lost: 0 } };
  let [done, puzzles, deterministic] = [0, 0, 0];
  for (const batch of evaluationBatches(set, batchSize)) {
    let stepsMade = 0;
    const onStep = () => {
      stepsMade++;
      const share = stepsMade / ((rollouts + 1) * steps);
      return onProgress?.(Math.floor(done + share * batch.puzzleIds.length), set.count);
    };
    const hooks = hooksAt(done);
    const { firstPuzzle } = hooks;
    const given = { steps, rollouts, sigma, noiseSeed, randomStarts, firstPuzzle, hooks, onStep };
    const plain = await oneRollout(model, batch, given, 0);
    const made = await predictRollouts(model, batch, given);
    for (let slot = 0; slot < batch.puzzleIds.length; slot++) {
      const isCorrect = ({ tokens }: Rollout): boolean => {
        const { correct, labelled } = compare(tokens, batch.labels, slot, length);
        return correct === labelled;
      };
      if (compare(plain.tokens, batch.labels, slot, length).labelled === 0) continue;
      puzzles++;
      const isPlainCorrect = isCorrect(plain);
      if (isPlainCorrect) deterministic++;
      const right = made.map(isCorrect);
      const answers = answersOf(made, slot, length);
      const isChosenCorrect = (how: RolloutSelection, k: number): boolean =>
        right[selectRollout(answers.slice(0, k), how)]!;
      for (const how of rolloutSelections) {
        for (const k of ks) if (isChosenCorrect(how, k)) counts[how][k]!++;
        const isCorrectNow = isChosenCorrect(how, rollouts);
        if (isCorrectNow && !isPlainCorrect) changed[how].gained++;
        if (isPlainCorrect && !isCorrectNow) changed[how].lost++;
      }
      const total = right.filter(Boolean).length;
      for (const k of ks) {
        if (right.slice(0, k).includes(true)) counts.passAtK[k]!++;
        expected[k]! += expectedPassAtK(rollouts, total, k);
      }
    }
    done += batch.puzzleIds.length;
    await onProgress?.(done, set.count);
  }
  expectLabels(puzzles, set);
  const each = <T>(convert: (count: number) => T): RolloutShares<T> => {
    const byK = (of: Record<string, number>): ByK<T> =>
      Object.fromEntries(Object.entries(of).map(([k, count]) => [k, convert(count)]));
    const { passAtK, q: bestQ, mode, residual } = counts;
    return { passAtK: byK(passAtK), bestQ: byK(bestQ), mode: byK(mode), residual: byK(residual) };
  };
  const interval = (count: number): Interval => wilson95(count, puzzles);
  const against = (how: RolloutSelection): PairedDifference =>
    pairedDifference(changed[how].gained, changed[how].lost, puzzles);
  return {
    puzzles,
    unlabelled: set.count - puzzles,
    rollouts,
    sigma,
    steps,
    deterministic: deterministic / puzzles,
    ...each((count) => count / puzzles),
    expectedPassAtK: Object.fromEntries(Object.entries(expected).map(([k, sum]) => [k, sum / puzzles])),
    interval95: { deterministic: interval(deterministic), ...each(interval) },
    againstDeterministic: { q: against("q"), mode: against("mode"), residual: against("residual") },
  };
}
