// The table of bench:learn: per goal the steps and the time that each seed needed.
import type { Moment } from "../runner/machine.ts";
import type { LearningTask } from "./goals.ts";
import { type Point, reached } from "./session.ts";

export interface Learned {
  readonly name: string;
  readonly task: LearningTask;
  readonly seed: number;
  readonly moment: Moment;
  readonly ours: readonly Point[];
  /** Null if PyTorch was not run. */
  readonly peer: readonly Point[] | null;
}

/** A Markdown table. The figures of the seeds stand side by side; "-" is a goal that a seed did not reach. */
export function learningTable(results: readonly Learned[]): string {
  const lines = [
    "| task | goal | trm-ts: steps | trm-ts: time | PyTorch: steps | PyTorch: time | best accuracy |",
    "|---|---|---|---|---|---|---|",
  ];
  for (const name of new Set(results.map((result) => result.name))) {
    const seeds = results.filter((result) => result.name === name);
    for (const goal of seeds[0]!.task.goals) {
      const columns = [
        ...atGoal(
          seeds.map(({ ours }) => ours),
          goal.exact,
        ),
        ...atGoal(
          seeds.map(({ peer }) => peer),
          goal.exact,
        ),
        seeds.map(({ ours }) => percent(Math.max(0, ...ours.map(({ exact }) => exact[1])))).join(", "),
      ];
      lines.push(`| ${[name, `${percent(goal.exact)} in ${duration(60 * goal.minutes)}`, ...columns].join(" | ")} |`);
    }
  }
  return lines.join("\n");
}

/** Steps and time at which the seeds reach an accuracy. */
function atGoal(curves: readonly (readonly Point[] | null)[], exact: number): [steps: string, time: string] {
  const points = curves.map((curve) => curve && reached(curve, exact));
  const list = (write: (point: Point) => string): string =>
    points.map((point) => (point ? write(point) : "-")).join(", ");
  return [list(({ step }) => String(step)), list(({ seconds }) => duration(seconds))];
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
