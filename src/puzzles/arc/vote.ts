// The ARC vote: the score by voting, as the official evaluator computes it.
//
// Every prediction for an augmented test pair is cropped and mapped back, and is one vote for the resulting grid. The grids of a test
// pair are ordered by votes, then by the mean of sigmoid(q). pass@k is the share of pairs (mean over the pairs of a task, then over
// tasks) whose answer is among the first k grids. Pairs without a prediction count as wrong; pairs whose answer is unknown are left
// out of the score.
import { DatasetError } from "../../formats/index.ts";
import { expectObject, showValue } from "../../tensor/index.ts";
import { ConfigError, haltProbability } from "../../trm/index.ts";
import type { Grid } from "../dihedral.ts";
import { type Augmentation, parseAugmentedName, restoreGrid } from "./augment.ts";
import { ARC_LENGTH, ARC_SIDE, cropTokens, gridKey, gridToRows } from "./grid.ts";
import { isArcSide } from "./task.ts";
import type { ArcTasks } from "./tasks.ts";

export const OFFICIAL_KS: readonly number[] = [1, 2, 5, 10, 100, 1000];

export interface ArcScoreOptions {
  /** Names by identifier (identifiers.json). */
  readonly identifiers: readonly string[];
  readonly blankIdentifier: number;
  /** L, the number of cells of the canvas. Default: 900, as published. */
  readonly sequenceLength?: number | undefined;
  readonly testPuzzles: ArcTasks;
}

/** The result of a vote: pass@K for every K, and the predictions behind it. */
export interface ArcScores {
  /** `ARC/pass@1` ...; empty if all answers are unknown. */
  readonly scores: Readonly<Record<string, number>>;
  /** The first grids of every task and test pair: attempt_1, attempt_2 ... (the form of Kaggle). */
  readonly submission: ReadonlyMap<string, readonly Readonly<Record<string, number[][]>>[]>;
  /** Tasks with a test pair that has no prediction. */
  readonly unpredicted: readonly string[];
  /** Number of test pairs, and how many of their answers are unknown. */
  readonly pairs: { readonly count: number; readonly unknown: number };
}

interface Candidate {
  readonly grid: Grid;
  votes: number;
  q: number;
}

/** Collects the predictions for all augmentations of the test tasks and lets them vote, as the official evaluation does. */
export class ArcVotes {
  readonly #options: ArcScoreOptions;
  readonly #names = new Map<number, { name: string; augmentation?: Augmentation }>();
  /** Task name and question -> predicted grids, in the order of their first vote. */
  readonly #candidates = new Map<string, Map<string, Candidate>>();

  /** @throws ConfigError unless `sequenceLength` is the square of a whole number from 1 to 30 */
  constructor(options: ArcScoreOptions) {
    expectObject("ArcVotes", "the options", options, ["identifiers", "blankIdentifier", "testPuzzles"]);
    const { sequenceLength = ARC_LENGTH } = options;
    if (!isArcSide(Math.sqrt(sequenceLength))) {
      throw new ConfigError(
        `ArcVotes: sequenceLength ${showValue(sequenceLength)}, expected the square of a whole number from 1 to ${ARC_SIDE}`,
      );
    }
    this.#options = options;
  }

  /**
   * Counts one prediction. Rows with the blank identifier are padding and are skipped.
   * @param input [L] tokens of the question as the model saw it
   * @param prediction [L] predicted tokens
   * @throws DatasetError if the identifier has no name or a row has another length
   */
  add(identifier: number, input: ArrayLike<number>, prediction: ArrayLike<number>, qLogit: number): void {
    if (identifier === this.#options.blankIdentifier) return;
    const { sequenceLength = ARC_LENGTH } = this.#options;
    for (const row of [input, prediction]) {
      if (row.length === sequenceLength) continue;
      throw new DatasetError(`a row of ${row.length} tokens, expected ${sequenceLength}`);
    }
    const { name, augmentation } = this.#name(identifier);
    const restored = (tokens: ArrayLike<number>) => {
      const grid = cropTokens(tokens);
      return augmentation === undefined ? grid : restoreGrid(augmentation, grid);
    };
    const question = questionKey(name, restored(input));
    const grid = restored(prediction);
    const key = gridKey(grid);
    const grids = this.#candidates.get(question) ?? new Map<string, Candidate>();
    this.#candidates.set(question, grids);
    const candidate = grids.get(key);
    const q = haltProbability(qLogit);
    if (candidate === undefined) grids.set(key, { grid, votes: 1, q });
    else {
      candidate.votes++;
      candidate.q += q;
    }
  }

  /**
   * @param attempts number of grids per test pair in the submission; if there are fewer, the first one is repeated
   * @throws DatasetError if there are no test tasks
   */
  result(ks: readonly number[] = OFFICIAL_KS, attempts = 2): ArcScores {
    const { testPuzzles } = this.#options;
    if (testPuzzles.size === 0) throw new DatasetError("no test tasks, expected at least one");
    const correct = ks.map(() => 0);
    const submission = new Map<string, Record<string, number[][]>[]>();
    const unpredicted: string[] = [];
    const pairs = { count: 0, unknown: 0 };
    let scoredTasks = 0;
    for (const [name, task] of testPuzzles) {
      const right = ks.map(() => 0);
      let scored = 0;
      const entries: Record<string, number[][]>[] = [];
      for (const { input, output } of task.get("test") ?? []) {
        pairs.count++;
        if (output === undefined) pairs.unknown++;
        else scored++;
        const ranked = this.#ranked(name, input);
        if (ranked.length === 0) {
          if (!unpredicted.includes(name)) unpredicted.push(name);
          continue;
        }
        const answer = output && gridKey(output);
        const place = ranked.findIndex(({ grid }) => gridKey(grid) === answer);
        ks.forEach((k, index) => {
          if (place >= 0 && place < k) right[index]!++;
        });
        entries.push(attemptsOf(ranked, attempts));
      }
      submission.set(name, entries);
      if (scored === 0) continue;
      scoredTasks++;
      right.forEach((count, index) => {
        correct[index]! += count / scored;
      });
    }
    const scores =
      scoredTasks === 0
        ? {}
        : Object.fromEntries(ks.map((k, index) => [`ARC/pass@${k}`, correct[index]! / scoredTasks]));
    return { scores, submission, unpredicted, pairs };
  }

  #ranked(name: string, input: Grid): Candidate[] {
    const grids = [...(this.#candidates.get(questionKey(name, input))?.values() ?? [])];
    return grids.sort((a, b) => b.votes - a.votes || b.q / b.votes - a.q / a.votes);
  }

  #name(identifier: number) {
    let known = this.#names.get(identifier);
    if (known === undefined) {
      const name = this.#options.identifiers[identifier];
      if (name === undefined) {
        throw new DatasetError(
          `puzzle identifier ${identifier}, expected 0 to ${this.#options.identifiers.length - 1}`,
        );
      }
      known = parseAugmentedName(name);
      this.#names.set(identifier, known);
    }
    return known;
  }
}

function attemptsOf(ranked: readonly Candidate[], attempts: number): Record<string, number[][]> {
  const grids = Array.from({ length: attempts }, (_, index) => (ranked[index] ?? ranked[0]!).grid);
  return Object.fromEntries(grids.map((grid, index) => [`attempt_${index + 1}`, gridToRows(grid)]));
}

function questionKey(name: string, input: Grid): string {
  return `${name} ${gridKey(input)}`;
}
