// Lets programs take turns: ours (on one or two versions of Node), the peer, ours, the peer ... Changes on the machine then affect both, and
// the ratio of each turn stays fair. In its turn a program makes two steps, of which the second is timed, because the first one runs with the
// caches of another program. (A step of seconds is not affected; then the program makes one step.) Before the timing, all programs
// must have the same number of parameters and the same losses.
import type { PeakRates } from "../shared/program.ts";
import { medianRatio } from "../shared/statistics.ts";
import type { Contestant } from "./contestants.ts";
import { ServedStep } from "./served.ts";

export interface Measured {
  readonly peer: string;
  readonly threads: number;
  readonly params: number;
  /** Losses of the first two steps. */
  readonly losses: readonly number[];
  /** Milliseconds by turn. */
  readonly train: readonly number[];
  readonly eval: readonly number[];
  /** The peak of the machine after each training step; empty if the program does not measure it. */
  readonly peaks: readonly PeakRates[];
  /** Bytes; null if the system does not report it. */
  readonly peakMemory: number | null;
}

export interface TurnOptions {
  readonly config: string;
  /** Folder of the case. */
  readonly folder: string;
  readonly threads: number;
  /** Maximum number of timed turns. */
  readonly turns: number;
  /** Approximate time limit for all turns; a minimum number of turns is made regardless. */
  readonly seconds?: number;
  readonly onTurn?: (done: number, of: number) => void;
}

/** Number of steps in a turn, of which the last one is timed. @param ms  duration of one step */
export const stepsInTurn = (ms: number): number => (ms < 5000 ? 2 : 1);

/** Number of turns that are made regardless of their duration. */
const minimumTurns = 3;

/** Allowed difference of the losses in the first step, which starts from the same weights and batch. */
export const lossTolerance = 1e-4;
/**
 * Allowed difference in the second step, after one update. Adam-atan2 makes a full-sized step even for the smallest gradient, which
 * amplifies rounding. A wrong gradient or update has an effect a thousand times larger.
 */
export const secondLossTolerance = 1e-3;

/** @returns the measurements in the order of the contestants. @throws Error if their losses or parameter counts differ */
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

/** @param stepMs  duration of a training step of each program; an evaluation step takes about 0.6 times as long */
export function turnsWithin(
  { turns, seconds = Number.POSITIVE_INFINITY }: TurnOptions,
  stepMs: readonly number[],
): number {
  const turnMs = stepMs.reduce((sum, ms) => sum + 1.6 * stepsInTurn(ms) * ms, 0);
  const affordable = Math.floor((seconds * 1000) / turnMs);
  return Math.min(turns, Math.max(minimumTurns, affordable));
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
