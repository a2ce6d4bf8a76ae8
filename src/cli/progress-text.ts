// The two lines that show a training in progress. Each fits 80 columns, the first beside the bar.
import { haltingShare, type UnseenLine } from "../runs/index.ts";
import { duration, lossText, thousands } from "./format.ts";

export interface Pace {
  readonly step: number;
  /** Step at which the training ends; null if it ends after a time. */
  readonly totalSteps: number | null;
  readonly stepsPerSecond: number;
  /** Seconds; null if unknown. */
  readonly left: number | null;
  /** Whether the training may end before that time, because it has reached its target. */
  readonly mayEndEarlier?: boolean;
}

/** "step 1,234 of 20,000 · 12.3 steps/s · 1:23:45 left" */
export function progressText({ step, totalSteps, stepsPerSecond, left, mayEndEarlier }: Pace): string {
  const of = totalSteps === null ? "" : ` of ${thousands(totalSteps)}`;
  const speed =
    stepsPerSecond < 0.1 ? `${(1 / stepsPerSecond).toFixed(0)} s/step` : `${stepsPerSecond.toFixed(1)} steps/s`;
  const time = left === null ? [] : [`${mayEndEarlier ? "at most " : ""}${duration(left)} left`];
  return [`step ${thousands(step)}${of}`, speed, ...time].join(" · ");
}

/** The part of a step that is computed. */
export interface StepPart {
  readonly slots: number;
  /** Slots of the whole batch. */
  readonly of: number;
  /** Since the step began. */
  readonly seconds: number;
}

/** "step 65,104: puzzles 153 of 768 · 6:40 left" */
export function stepPartText({ step, slots, of, seconds }: StepPart & Pick<Pace, "step">): string {
  const left = duration((seconds / slots) * (of - slots));
  return `step ${thousands(step)}: puzzles ${thousands(slots)} of ${thousands(of)} · ${left} left`;
}

/** "step 1,000, evaluating: 25 of 100 · 1:00 left" */
export function evaluationText(part: { step: number; done: number; total: number; seconds: number }): string {
  const { step, done, total, seconds } = part;
  const left = done === 0 ? "" : ` · ${duration((seconds / done) * (total - done))} left`;
  return `step ${thousands(step)}, evaluating: ${thousands(done)} of ${thousands(total)}${left}`;
}

export interface Quality {
  readonly loss: number;
  readonly learningRate: number;
  readonly unseen: UnseenLine | undefined;
}

/**
 * "loss 0.123 · lr 8.3e-4 · unseen: cells 95.1→99.0%, exact 45.0→90.0%, 67% halt": accuracy on the watched puzzles after the
 * first and the last supervision step, and the share of them for which q says halt.
 */
export function progressDetails({ loss, learningRate, unseen }: Quality): string {
  const parts = [`loss ${lossText(loss)}`, `lr ${rateText(learningRate)}`];
  if (unseen) {
    const halting = haltingShare(unseen);
    const halt = halting === null ? "" : `, ${Math.round(100 * halting)}% halt`;
    parts.push(`unseen: cells ${change(unseen.cellAfter)}, exact ${change(unseen.exactAfter)}${halt}`);
  }
  return parts.join(" · ");
}

/** "45.0→90.0%" */
const change = (after: readonly number[]): string => `${shortPercent(after[0]!)}→${shortPercent(after.at(-1)!)}%`;

const shortPercent = (share: number): string => (share === 1 ? "100" : (100 * share).toFixed(1));

const rateText = (rate: number): string => {
  const rounded = Number(rate.toPrecision(2));
  return rounded < 1e-3 ? rounded.toExponential() : String(rounded);
};
