// Learning-rate schedule: linear warm-up, then half a cosine down to a share of the base rate.

export interface ScheduleOptions {
  readonly base: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
  /** What is left of `base` at the end; 1 keeps it constant after the warm-up. */
  readonly minRatio: number;
}

/** The rate of a step; training begins with step 1. */
export function learningRate(step: number, { base, warmupSteps, totalSteps, minRatio }: ScheduleOptions): number {
  if (step < warmupSteps) return (base * step) / Math.max(1, warmupSteps);
  // A run that goes on after its last planned step stays at the lowest rate: the cosine alone would rise again.
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
  return base * (minRatio + Math.max(0, (1 - minRatio) * 0.5 * (1 + Math.cos(Math.PI * progress))));
}
