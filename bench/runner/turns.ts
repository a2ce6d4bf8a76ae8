// Programs take turns: ours (on one Node or two), the peer, ours, the peer ... so that whatever else changes on the machine meets both, and the
// ratio of each turn stays fair. In its turn a program takes two steps, of which the second is timed: training takes steps in a row, and the
// first one finds the caches as another program has left them (which does not matter to a step of seconds: then it takes one). Before anything is timed they must have the same parameters and compute the
// same losses.
import type { PeakRates } from "../own-peak.ts";
import { medianRatio } from "../shared/statistics.ts";
import type { Contestant } from "./contestants.ts";
import { ServedStep } from "./served.ts";

export interface Measured {
  readonly peer: string;
  readonly threads: number;
  readonly params: number;
  /** Losses of the first two steps. */
  readonly losses: readonly number[];
  /** Milliseconds, turn by turn. */
  readonly train: readonly number[];
  readonly eval: readonly number[];
  /** The machine's peak after each training step; empty for a program that does not measure it. */
  readonly peaks: readonly PeakRates[];
  /** Bytes; null where the system does not say. */
  readonly peakMemory: number | null;
}

export interface TurnOptions {
  readonly config: string;
  /** Folder of the case. */
  readonly folder: string;
  readonly threads: number;
  /** Timed turns, at most. */
  readonly turns: number;
  /** About how long the turns may take in all, where they are long; a few are taken anyway. */
  readonly seconds?: number;
  readonly onTurn?: (done: number, of: number) => void;
}

/** Steps that a program takes in its turn, of which the last one is timed. @param ms  what one takes */
export const stepsInTurn = (ms: number): number => (ms < 5000 ? 2 : 1);

/** Turns that are taken however long they are. */
const fewestTurns = 3;

/** Losses of the first step, from the same weights and batch, may differ by this much. */
export const lossTolerance = 1e-4;
/**
 * And of the second, after one update. Adam-atan2 makes a full-sized step of the smallest gradient, so that rounding shows more;
 * a wrong gradient or update shows a thousand times more.
 */
export const secondLossTolerance = 1e-3;

/** @returns what was measured, in the order of the contestants. @throws Error if they do not compute the same */
export async function takeTurns(contestants: readonly Contestant[], options: TurnOptions): Promise<Measured[]> {
  const programs: ServedStep[] = [];
  try {
    for (const contestant of contestants) {
      programs.push(await ServedStep.start(contestant, options));
    }
    const losses: number[][] = [];
    const stepMs: number[] = [];
    for (const program of programs) {
      const first = await program.step("train");
      const second = await program.step("train");
      losses.push([first.loss!, second.loss!]);
      stepMs.push(second.ms);
    }
    const turns = turnsWithin(options, stepMs);
    programs.forEach((program, i) => {
      checkSame(programs[0]!, program, losses[0]!, losses[i]!);
    });
    const timed = async (kind: "train" | "eval", from: number): Promise<number[][]> => {
      const times = programs.map((): number[] => []);
      for (let turn = 0; turn < turns; turn++) {
        for (const [i, program] of programs.entries()) {
          times[i]!.push((await program.step(kind, stepsInTurn(stepMs[i]!))).ms);
          if (kind === "train" && program.introduction.peak) peaks[i]!.push(await program.peak());
        }
        options.onTurn?.(from + turn + 1, 2 * turns);
      }
      return times;
    };
    const peaks = programs.map((): PeakRates[] => []);
    const train = await timed("train", 0);
    const evaluation = await timed("eval", turns);
    return programs.map((program, i) => ({
      ...program.introduction,
      losses: losses[i]!,
      train: train[i]!,
      peaks: peaks[i]!,
      eval: evaluation[i]!,
      peakMemory: program.peakMemory(),
    }));
  } finally {
    await Promise.all(programs.map((program) => program.end()));
  }
}

/** @param stepMs  one training step of each; their evaluation steps take some 0.6 times as long */
export function turnsWithin(
  { turns, seconds = Number.POSITIVE_INFINITY }: TurnOptions,
  stepMs: readonly number[],
): number {
  const turnMs = stepMs.reduce((sum, ms) => sum + 1.6 * stepsInTurn(ms) * ms, 0);
  const affordable = Math.floor((seconds * 1000) / turnMs);
  return Math.min(turns, Math.max(fewestTurns, affordable));
}

function checkSame(first: ServedStep, other: ServedStep, losses: readonly number[], others: readonly number[]): void {
  const { peer, params } = other.introduction;
  if (params !== first.introduction.params) {
    throw new Error(`${peer}: got ${params} parameters, expected ${first.introduction.params}`);
  }
  [lossTolerance, secondLossTolerance].forEach((tolerance, step) => {
    const difference = Math.abs(others[step]! - losses[step]!);
    if (!(difference <= tolerance)) {
      throw new Error(`${peer}: loss of step ${step + 1} is ${others[step]}, expected ${losses[step]} to ${tolerance}`);
    }
  });
}

/** Median over the turns of (time of the peer / our time). */
export const ratioOf = (our: Measured, peer: Measured, kind: "train" | "eval"): number =>
  medianRatio(peer[kind], our[kind]);
