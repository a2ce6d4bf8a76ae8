// Voting over the symmetries of a task: a model answers the images of a puzzle, and the answers, mapped back, vote. ARC's evaluation
// does the same with its augmented copies (arXiv 2512.11847 measures what it contributes). Only the evaluation changes.
import { expectObject, Random } from "../tensor/index.ts";
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
import { type Batch, type EvaluationSet, evaluationBatches } from "./examples.ts";
import { type HaltingOptions, haltProbability, saysHalt } from "./halting.ts";
import type { Model } from "./model.ts";
import { type PredictionHooks, predictions } from "./prediction.ts";
import { isCorrect, misfitOf, type Task, type TaskSymmetry } from "./task.ts";

/** Which task, and how many images of a puzzle vote. */
export interface VoteSettings {
  readonly task: Task;
  /** N: the puzzle itself and N - 1 images of it. */
  readonly votes: number;
  /** Seed of the symmetries, which are drawn for every puzzle. Default 0. */
  readonly symmetrySeed?: number | undefined;
}

/** Shares of puzzles of one way to answer. */
export interface VoteShares {
  /** Share of puzzles whose answer equals the label. */
  readonly exact: number;
  /** 95% Wilson interval of `exact`. */
  readonly interval95: readonly [low: number, high: number];
  /** Share of puzzles whose answer obeys the rules of the task, whatever the label; null if the task cannot judge. */
  readonly valid: number | null;
}

/** The figures of an evaluation with a vote, as shares of the puzzles that have labels. */
export interface VoteEvaluation {
  readonly puzzles: number;
  readonly unlabelled: number;
  readonly votes: number;
  /** Supervision steps of every pass. */
  readonly steps: number;
  /** The puzzle itself alone: the last `exact` of `evaluate`. */
  readonly single: VoteShares;
  /** The answer with the most votes. */
  readonly voted: VoteShares;
  /** Voted against single, by both measures. */
  readonly againstSingle: { readonly exact: PairedDifference; readonly valid: PairedDifference | null };
  /** Mean share of the passes of a puzzle after which q says halt. */
  readonly haltedShare: number;
}

/** The answer of one pass, in the frame of the puzzle. */
export interface Ballot {
  readonly tokens: Int32Array;
  readonly qHalt: number;
  /** Whether q says halt, that is, that the answer is correct. */
  readonly hasHalted: boolean;
}

/** Whether an answer equals the label, and whether it obeys the rules of the task. */
interface Verdict {
  readonly exact: boolean;
  readonly valid: boolean;
}

/**
 * The index of the elected ballot. Only passes that q halted vote, or all if there are none. The answer with the most votes wins, then
 * the one with the higher mean of sigma(q), as in ARC's vote, then the earlier one.
 *
 * @throws ConfigError without ballots
 */
export function electBallot(ballots: readonly Ballot[]): number {
  if (ballots.length === 0) throw new ConfigError("electBallot: got no ballots, expected at least one");
  const hasHalted = ballots.some((ballot) => ballot.hasHalted);
  const candidates = new Map<string, { first: number; votes: number; q: number }>();
  for (const [index, { tokens, qHalt, hasHalted: votes }] of ballots.entries()) {
    if (hasHalted && !votes) continue;
    const key = tokens.join();
    const candidate = candidates.get(key) ?? { first: index, votes: 0, q: 0 };
    candidate.votes++;
    candidate.q += haltProbability(qHalt);
    candidates.set(key, candidate);
  }
  const [winner] = [...candidates.values()].sort((a, b) => b.votes - a.votes || b.q / b.votes - a.q / a.votes);
  return winner!.first;
}

/**
 * Evaluates a model on every puzzle and on images of it under the symmetries of the task, nSup steps each, and lets the answers vote.
 * With one vote this is `evaluate`.
 *
 * A symmetry of a task maps valid answers to valid answers. Where a puzzle has several valid answers and a rule selects the label, as
 * in mazes, the answer to an image may be another valid one. Then `exact` may fall while `valid` does not.
 *
 * @throws ConfigError if the task has fewer symmetries than `votes` or does not fit the model's size; see also `evaluate`
 */
export async function evaluateVote(
  model: Model,
  set: EvaluationSet,
  options: EvaluationOptions & VoteSettings,
): Promise<VoteEvaluation> {
  expectEvaluation("evaluateVote", model, set, options);
  const { task, votes, symmetrySeed: seed = 0, nSup: steps, batchSize, onProgress } = options;
  expectObject("evaluateVote", "the task", task, ["sequenceLength", "mistake"]);
  const misfit = misfitOf(task, model.config);
  if (misfit !== undefined) throw new ConfigError(`evaluateVote: ${misfit}`);
  symmetriesOf(task, votes, new Random(0)); // reports too many votes before anything is computed
  const { sequenceLength: length } = model.config;
  const hooksAt = batchHooks(options);
  const verdicts: Record<"single" | "voted", Verdict>[] = [];
  let [done, halted] = [0, 0];
  for (const batch of evaluationBatches(set, batchSize)) {
    const slots = batch.puzzleIds.length;
    const hooks = hooksAt(done);
    const bySlot = Array.from({ length: slots }, (_, slot) =>
      symmetriesOf(task, votes, Random.keyed(seed, hooks.firstPuzzle + slot)),
    );
    const passes: Ballot[][] = [];
    for (let pass = 0; pass < votes; pass++) {
      const maps = bySlot.map((symmetries) => symmetries[pass]!);
      passes.push(await passOf(model, batch, maps, { ...options, ...hooks, rollout: { seed: 0, k: pass } }));
      await onProgress?.(Math.floor(done + (slots * (pass + 1)) / votes), set.count);
    }
    for (let slot = 0; slot < slots; slot++) {
      if (compare(passes[0]![slot]!.tokens, batch.labels.subarray(slot * length), 0, length).labelled === 0) continue;
      const ballots = passes.map((pass) => pass[slot]!);
      halted += ballots.filter(({ hasHalted }) => hasHalted).length / votes;
      const question = batch.inputs.subarray(slot * length, (slot + 1) * length);
      const judge = ({ tokens }: Ballot): Verdict => {
        const { correct, labelled } = compare(tokens, batch.labels.subarray(slot * length), 0, length);
        return { exact: correct === labelled, valid: isCorrect(task, task.mistake(question, tokens)) === true };
      };
      verdicts.push({ single: judge(ballots[0]!), voted: judge(ballots[electBallot(ballots)]!) });
    }
    done += slots;
  }
  const puzzles = verdicts.length;
  expectLabels(puzzles, set);
  const count = (holds: (verdict: (typeof verdicts)[number]) => boolean): number => verdicts.filter(holds).length;
  const shares = (way: "single" | "voted"): VoteShares => {
    const exact = count((verdict) => verdict[way].exact);
    const valid = count((verdict) => verdict[way].valid);
    return {
      exact: exact / puzzles,
      interval95: wilson95(exact, puzzles),
      valid: task.canJudge ? valid / puzzles : null,
    };
  };
  const against = (measure: keyof Verdict): PairedDifference => {
    const gained = count(({ single, voted }) => voted[measure] && !single[measure]);
    const lost = count(({ single, voted }) => single[measure] && !voted[measure]);
    return pairedDifference(gained, lost, puzzles);
  };
  return {
    puzzles,
    unlabelled: set.count - puzzles,
    votes,
    steps,
    single: shares("single"),
    voted: shares("voted"),
    againstSingle: { exact: against("exact"), valid: task.canJudge ? against("valid") : null },
    haltedShare: halted / puzzles,
  };
}

/** @throws ConfigError */
function symmetriesOf(task: Task, votes: number, random: Random): readonly TaskSymmetry[] {
  if (!Number.isInteger(votes) || votes < 1) {
    throw new ConfigError(`vote: got ${votes} votes, expected an integer from 1`);
  }
  const symmetries = task.symmetries?.(votes, random);
  if (!symmetries) throw new ConfigError(`vote: got the task ${task.name}, expected one with symmetries`);
  if (symmetries.length < votes) {
    throw new ConfigError(
      `vote: got ${votes} votes, expected at most ${symmetries.length}, the symmetries of ${task.name}`,
    );
  }
  return symmetries;
}

/** The answers to an image of every puzzle of a batch, mapped back. */
async function passOf(
  model: Model,
  { inputs, puzzleIds }: Batch,
  maps: readonly TaskSymmetry[],
  options: PredictionHooks & HaltingOptions,
): Promise<Ballot[]> {
  const length = inputs.length / maps.length;
  const images = inputs.slice();
  const part = (tokens: Int32Array, slot: number): Int32Array => tokens.subarray(slot * length, (slot + 1) * length);
  maps.forEach((map, slot) => {
    images.set(map.apply(part(inputs, slot)), slot * length);
  });
  for await (const prediction of predictions(model, { inputs: images, puzzleIds }, options.nSup, options)) {
    const { step, tokens, qHalt, qContinue } = prediction;
    if (step < options.nSup) continue;
    return maps.map((map, slot) => ({
      tokens: map.inverse(part(tokens, slot)),
      qHalt: qHalt[slot]!,
      hasHalted: saysHalt(qHalt[slot]!, qContinue[slot]!, options),
    }));
  }
  throw new Error("unreachable: the last step returns");
}
