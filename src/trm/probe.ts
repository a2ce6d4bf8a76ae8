// The experiments of the critics of recursive models, on one model: whether it fails with one blank left, whether solved puzzles stay
// solved, whether y settles, and whether q is calibrated. docs/after-the-paper.md names the papers.
import { expectFunction, Random } from "../tensor/index.ts";
import { ConfigError } from "./errors.ts";
import {
  batchHooks,
  compare,
  type EvaluationOptions,
  evaluate,
  expectEvaluation,
  expectLabels,
  wilson95,
} from "./evaluation.ts";
import { blanksOf, type EvaluationSet, type Examples, evaluationBatches } from "./examples.ts";
import { haltProbability } from "./halting.ts";
import type { Model } from "./model.ts";
import { PredictionRun, splitPairs } from "./prediction.ts";

/** A number of puzzles, and the share of them that is correct. */
export interface Share {
  readonly puzzles: number;
  /** Null without puzzles. */
  readonly exact: number | null;
  /** 95% Wilson interval of the share. */
  readonly interval95: readonly [low: number, high: number];
}

/** Puzzles whose value (clues, rating, q) lies in a range. */
export interface ShareOfRange extends Share {
  /** Smallest and largest value of these puzzles. */
  readonly from: number;
  readonly to: number;
}

/** One bin of the reliability curve. */
export interface ReliabilityBin extends ShareOfRange {
  /** Mean of σ(q_halt). */
  readonly confidence: number;
}

/** What `probe` measures. Shares are of the puzzles with labels. */
export interface Probe {
  readonly puzzles: number;
  readonly unlabelled: number;
  readonly steps: number;
  /** Share of puzzles whose whole answer is correct, after step 1, 2, ... */
  readonly exact: readonly number[];
  /** The same puzzles with all blanks but one filled in. Only puzzles with at least two blanks take part; null without any. */
  readonly oneBlank: (Share & { readonly byStep: readonly number[] }) | null;
  /** Of the puzzles that are correct after some step, the share that stays correct up to the last step. */
  readonly monotonicity: Share;
  readonly drift: {
    /** Steps over whose changes the drift is averaged. */
    readonly window: number;
    /** A puzzle has settled if its drift is below this. */
    readonly threshold: number;
    readonly settledCorrect: number;
    readonly settledWrong: number;
    readonly driftingCorrect: number;
    readonly driftingWrong: number;
    /** Probability that a correct answer drifts less than a wrong one, ties counted half; null if all or none are correct. */
    readonly auc: number | null;
  };
  readonly q: {
    /** Probability that a correct answer has a higher q than a wrong one; null if all or none are correct. */
    readonly auc: number | null;
    /** Expected calibration error: the mean of |confidence - share correct| over the puzzles. */
    readonly calibrationError: number;
    /** Ten bins of σ(q_halt) of equal width, those without puzzles left out. */
    readonly reliability: readonly ReliabilityBin[];
  };
  /** By the number of cells that the question gives. */
  readonly byClues: readonly ShareOfRange[];
  /** By the rating of the options, in up to five groups of equal size; null without a rating. */
  readonly byRating: readonly ShareOfRange[] | null;
}

/** The options of `probe`: those of an evaluation, and what a probe adds. */
export interface ProbeOptions extends EvaluationOptions {
  /** A puzzle has settled if its drift is below this. Default 0.05; the RMS of y is about 1. */
  readonly settled?: number | undefined;
  /** The difficulty of a puzzle: question and answer, [L] tokens each. */
  readonly rating?: ((question: Int32Array, answer: Int32Array) => number) | undefined;
}

/** Steps over whose changes the drift is averaged. */
const driftWindow = 4;

interface ProbedPuzzle {
  readonly puzzleId: number;
  readonly question: Int32Array;
  readonly answer: Int32Array;
  /** Whether the answer is correct after step 1, 2, ... */
  readonly correct: boolean[];
  /** Mean |y_t - y_(t-1)| over the last steps. */
  drift: number;
  /** q_halt after the last step. */
  q: number;
}

/**
 * Measures on every puzzle of a set how its answer, y and q develop over nSup supervision steps, and how many puzzles with a single
 * blank are solved.
 *
 * @throws ConfigError if no puzzle has labels, the puzzles do not fit the model, or nSup is 1
 */
export async function probe(model: Model, set: EvaluationSet, options: ProbeOptions): Promise<Probe> {
  expectEvaluation("probe", model, set, options);
  const { nSup: steps, settled: threshold = 0.05, rating } = options;
  if (rating !== undefined) expectFunction("probe", "rating", rating);
  if (steps < 2)
    throw new ConfigError(`probe: got ${steps} supervision steps, expected at least 2, so that y can drift`);
  const puzzles = await probedPuzzles(model, set, { ...options, onProgress: progressOf(0, set, options) });
  expectLabels(puzzles.length, set);
  if (puzzles.some(({ q, drift }) => Number.isNaN(q) || Number.isNaN(drift))) {
    throw new ConfigError("probe: got NaN as y or q of a puzzle, expected a model that computes numbers");
  }
  const isCorrect = ({ correct }: ProbedPuzzle): boolean => correct.at(-1)!;
  const everSolved = puzzles.filter(({ correct }) => correct.includes(true));
  const stays = ({ correct }: ProbedPuzzle): boolean => !correct.slice(correct.indexOf(true)).includes(false);
  const count = (isSettled: boolean, isRight: boolean): number =>
    puzzles.filter((each) => each.drift < threshold === isSettled && isCorrect(each) === isRight).length;
  const judged = (value: (puzzle: ProbedPuzzle) => number): Judged[] =>
    puzzles.map((each) => ({ value: value(each), isCorrect: isCorrect(each) }));
  const reliability = reliabilityOf(judged(({ q }) => haltProbability(q)));
  return {
    puzzles: puzzles.length,
    unlabelled: set.count - puzzles.length,
    steps,
    exact: Array.from({ length: steps }, (_, i) => puzzles.filter(({ correct }) => correct[i]).length / puzzles.length),
    oneBlank: await oneBlankTest(model, puzzles, { ...options, onProgress: progressOf(1, set, options) }),
    monotonicity: shareOf(everSolved.filter(stays).length, everSolved.length),
    drift: {
      window: Math.min(driftWindow, steps - 1),
      threshold,
      settledCorrect: count(true, true),
      settledWrong: count(true, false),
      driftingCorrect: count(false, true),
      driftingWrong: count(false, false),
      auc: areaUnderCurve(judged(({ drift }) => -drift)),
    },
    q: {
      auc: areaUnderCurve(judged(({ q }) => q)),
      calibrationError:
        reliability.reduce((sum, bin) => sum + bin.puzzles * Math.abs(bin.confidence - bin.exact!), 0) / puzzles.length,
      reliability,
    },
    byClues: byValue(judged(({ question, answer }) => question.length - blanksOf(question, answer).length)),
    byRating: rating
      ? inGroups(
          judged(({ question, answer }) => rating(question, answer)),
          5,
        )
      : null,
  };
}

/** Reports the progress of one of the two passes, the puzzles (0) and those with one blank (1), as a share of both. */
const progressOf =
  (pass: 0 | 1, { count }: EvaluationSet, { onProgress }: ProbeOptions): EvaluationOptions["onProgress"] =>
  (done, of) =>
    onProgress?.(Math.floor((count * (pass + done / of)) / 2), count);

async function probedPuzzles(model: Model, set: EvaluationSet, options: ProbeOptions): Promise<ProbedPuzzle[]> {
  const { nSup: steps, batchSize, onProgress } = options;
  const { sequenceLength: length } = model.config;
  const { output } = model.recursion;
  const window = Math.min(driftWindow, steps - 1);
  const hooksAt = batchHooks(options);
  const found: ProbedPuzzle[] = [];
  let done = 0;
  for (const batch of evaluationBatches(set, batchSize)) {
    const { inputs, labels, puzzleIds } = batch;
    const part = (all: Int32Array, slot: number): Int32Array => all.slice(slot * length, (slot + 1) * length);
    const puzzles = Array.from(puzzleIds, (puzzleId, slot): ProbedPuzzle => {
      return { puzzleId, question: part(inputs, slot), answer: part(labels, slot), correct: [], drift: 0, q: 0 };
    });
    const run = new PredictionRun(model, batch, hooksAt(done));
    try {
      let previous: Float32Array | null = null;
      for (let step = 1; step <= steps; step++) {
        const { logits, q, tokens } = run.step();
        const reads = Promise.all([tokens.data(), q.data(), run.latents[output]!.value.data()]);
        for (const tensor of [logits, q, tokens]) tensor.dispose(); // a read that has started outlives its tensor
        const [cells, pairs, current] = (await reads) as [Int32Array, Float32Array, Float32Array];
        const size = current.length / puzzles.length;
        const { qHalt } = splitPairs(pairs);
        puzzles.forEach((puzzle, slot) => {
          const { correct, labelled } = compare(cells, labels, slot, length);
          puzzle.correct.push(correct === labelled);
          puzzle.q = qHalt[slot]!;
          if (previous && step > steps - window) {
            puzzle.drift += meanChange(current, previous, slot * size, (slot + 1) * size) / window;
          }
        });
        previous = current;
        await onProgress?.(done + Math.floor((puzzles.length * step) / steps), set.count);
      }
    } finally {
      run.dispose();
    }
    found.push(...puzzles.filter(({ answer }) => answer.some((token) => token >= 0)));
    done += puzzleIds.length;
  }
  return found;
}

function meanChange(a: Float32Array, b: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / (to - from);
}

/** The puzzles with all blanks but one filled in. Which one stays is drawn by the index of the puzzle. */
export function oneBlankPuzzles(
  puzzles: readonly { readonly question: Int32Array; readonly answer: Int32Array; readonly puzzleId?: number }[],
): Examples {
  const kept = puzzles.flatMap(({ question, answer, puzzleId = 0 }, index) => {
    const blanks = blanksOf(question, answer);
    if (blanks.length < 2) return [];
    const blank = blanks[Random.keyed(1, index).integer(blanks.length)]!;
    const inputs = answer.map((token, cell) => (cell === blank || token < 0 ? question[cell]! : token));
    return [{ inputs, answer, puzzleId }];
  });
  const length = puzzles[0]?.question.length ?? 0;
  const join = (rows: readonly Int32Array[]): Int32Array => Int32Array.from(rows.flatMap((row) => [...row]));
  return {
    count: kept.length,
    length,
    inputs: join(kept.map(({ inputs }) => inputs)),
    labels: join(kept.map(({ answer }) => answer)),
    puzzleIds: Int32Array.from(kept, ({ puzzleId }) => puzzleId),
    ignoreLabel: null, // the labels are those of a batch, in which ignored ones are negative
  };
}

async function oneBlankTest(model: Model, puzzles: readonly ProbedPuzzle[], options: ProbeOptions) {
  const set = oneBlankPuzzles(puzzles);
  if (set.count === 0) return null;
  const { exact } = await evaluate(model, set, options);
  return { ...shareOf(Math.round(exact.at(-1)! * set.count), set.count), byStep: exact };
}

const shareOf = (correct: number, puzzles: number): Share => ({
  puzzles,
  exact: puzzles === 0 ? null : correct / puzzles,
  interval95: wilson95(correct, puzzles),
});

/** A value of a puzzle, and whether its answer is correct. */
export interface Judged {
  readonly value: number;
  readonly isCorrect: boolean;
}

/** The probability that a correct puzzle has a larger value than a wrong one, ties counted half; null if one kind is missing. */
export function areaUnderCurve(puzzles: readonly Judged[]): number | null {
  const sorted = puzzles.toSorted((a, b) => a.value - b.value);
  let [pairs, wrongBelow] = [0, 0];
  for (let start = 0; start < sorted.length; ) {
    let end = start + 1;
    while (end < sorted.length && sorted[end]!.value === sorted[start]!.value) end++;
    const correct = sorted.slice(start, end).filter(({ isCorrect }) => isCorrect).length;
    const wrong = end - start - correct;
    pairs += correct * (wrongBelow + wrong / 2);
    wrongBelow += wrong;
    start = end;
  }
  const right = puzzles.length - wrongBelow;
  return right === 0 || wrongBelow === 0 ? null : pairs / (right * wrongBelow);
}

/** A test set may have more puzzles than a call can take arguments, so that Math.min and Math.max take two at a time. */
const rangeOf = (puzzles: readonly Judged[]): ShareOfRange => ({
  from: puzzles.reduce((least, { value }) => Math.min(least, value), Number.POSITIVE_INFINITY),
  to: puzzles.reduce((most, { value }) => Math.max(most, value), Number.NEGATIVE_INFINITY),
  ...shareOf(puzzles.filter(({ isCorrect }) => isCorrect).length, puzzles.length),
});

/** Ten bins of the values, which lie between 0 and 1, without those that have no puzzles. */
export function reliabilityOf(puzzles: readonly Judged[]): ReliabilityBin[] {
  const bins = Array.from({ length: 10 }, (_, bin) =>
    puzzles.filter(({ value }) => Math.min(9, Math.floor(10 * value)) === bin),
  );
  return bins
    .filter((bin) => bin.length > 0)
    .map((bin) => ({ ...rangeOf(bin), confidence: bin.reduce((sum, { value }) => sum + value, 0) / bin.length }));
}

function byValue(puzzles: readonly Judged[]): ShareOfRange[] {
  const values = [...new Set(puzzles.map(({ value }) => value))].sort((a, b) => a - b);
  return values.map((value) => rangeOf(puzzles.filter((each) => each.value === value)));
}

/** Groups of nearly equal size, in the order of their values. Equal values stay together. */
export function inGroups(puzzles: readonly Judged[], groups: number): ShareOfRange[] {
  const sorted = puzzles.toSorted((a, b) => a.value - b.value);
  const found: Judged[][] = [];
  for (const [index, puzzle] of sorted.entries()) {
    const isBorder = found.length < Math.floor((index * groups) / sorted.length) + 1;
    if (found.length === 0 || (isBorder && puzzle.value !== sorted[index - 1]!.value)) found.push([]);
    found.at(-1)!.push(puzzle);
  }
  return found.map(rangeOf);
}
