// When a training ends: at a step, after a time, or at whichever comes first.

export interface Goal {
  /** Step at which the training ends; null for no such limit. */
  readonly step: number | null;
  /** Seconds of training, including evaluations, after which the training ends; null for no such limit. */
  readonly seconds: number | null;
}

export interface Position {
  readonly step: number;
  readonly seconds: number;
}

export const isReached = (goal: Goal, { step, seconds }: Position): boolean =>
  (goal.step !== null && step >= goal.step) || (goal.seconds !== null && seconds >= goal.seconds);

/** Share of the way from `start` to the goal, 0 to 1. */
export function shareDone(goal: Goal, start: Position, now: Position): number {
  const along = (from: number, at: number, to: number | null): number =>
    to === null ? 0 : to <= from ? 1 : (at - from) / (to - from);
  const share = Math.max(along(start.step, now.step, goal.step), along(start.seconds, now.seconds, goal.seconds));
  return Math.min(1, Math.max(0, share));
}

/** Seconds until the goal at the mean speed since `start`; null before the first step of a goal in steps. */
export function secondsLeft(goal: Goal, start: Position, now: Position): number | null {
  const estimates: number[] = [];
  if (goal.seconds !== null) estimates.push(goal.seconds - now.seconds);
  const steps = now.step - start.step;
  if (goal.step !== null && steps > 0) {
    estimates.push(((goal.step - now.step) * (now.seconds - start.seconds)) / steps);
  }
  return estimates.length > 0 ? Math.max(0, Math.min(...estimates)) : null;
}
