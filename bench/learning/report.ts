// The table of bench:learn: per goal the steps and the time that each seed needed.
import type { Run } from "./curves.ts";
import type { LearningTask } from "./goals.ts";
import { type Point, reached } from "./session.ts";

/** A task and the trainings of its seeds. */
export interface Learned {
  readonly name: string;
  readonly task: Pick<LearningTask, "goals">;
  readonly runs: readonly Pick<Run, "ours" | "peer">[];
}

/** A line for each run: when and where it was measured. With --resume the runs may come from several machines. */
export function originLines(results: readonly { readonly name: string; readonly runs: readonly Origin[] }[]): string[] {
  return results.flatMap(({ name, runs }) =>
    runs.map(({ seed, date, load, machine }) =>
      [`${name} seed ${seed}: ${date}`, ...Object.values(machine), `load ${load}`].join("; "),
    ),
  );
}

type Origin = Pick<Run, "seed" | "date" | "load" | "machine">;

/** A Markdown table. The figures of the seeds stand side by side; "-" is a goal that a seed did not reach. */
export function learningTable(results: readonly Learned[]): string {
  const lines = [
    "| task | goal | trm-ts: steps | trm-ts: time | PyTorch: steps | PyTorch: time | best accuracy |",
    "|---|---|---|---|---|---|---|",
  ];
  for (const { name, task, runs } of results) {
    const ours = runs.map((run) => run.ours);
    const peer = runs.map((run) => run.peer);
    const best = ours.map((points) => percent(Math.max(0, ...points.map(({ exact }) => exact[1]))));
    for (const goal of task.goals) {
      const columns = [...atGoal(ours, goal.exact), ...atGoal(peer, goal.exact), best.join(", ")];
      lines.push(`| ${[name, `${percent(goal.exact)} in ${duration(60 * goal.minutes)}`, ...columns].join(" | ")} |`);
    }
  }
  return lines.join("\n");
}

/** Steps and time at which the seeds reach an accuracy. */
function atGoal(curves: readonly (readonly Point[] | null)[], exact: number): [steps: string, time: string] {
  if (curves.every((curve) => curve === null)) return ["not run", "not run"];
  const points = curves.map((curve) => curve && reached(curve, exact));
  const list = (write: (point: Point) => string): string =>
    points.map((point, i) => (point ? write(point) : curves[i] ? "-" : "not run")).join(", ");
  return [list(({ step }) => String(step)), list(({ seconds }) => duration(seconds))];
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
