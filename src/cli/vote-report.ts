// `trm eval --vote N`: the option, and the result as a table.
import { Option } from "commander";
import type { Task, VoteEvaluation, VoteShares } from "../trm/index.ts";
import { unlabelledNote } from "./accuracy-table.ts";
import { counted, intervalText, percent } from "./format.ts";
import { wholeNumber } from "./options.ts";
import { differenceText } from "./rollout-report.ts";

export const voteOption = (): Option =>
  new Option("--vote <n>", "answer n images of every puzzle under the symmetries of the task, and let the answers vote")
    .argParser(wholeNumber(1, 100_000))
    .conflicts(["arc", "rollouts", "sweep", "svg"]);

/** @param seconds  time that the evaluation took */
export function voteTable(evaluation: VoteEvaluation, { canJudge, name }: Task, seconds: number): string[] {
  const { puzzles, unlabelled, votes, steps, single, voted, againstSingle, haltedShare } = evaluation;
  const row = (title: string, { exact, interval95, valid }: VoteShares): string => {
    const interval = intervalText(interval95).padStart(20);
    return `${title.padEnd(16)}${percent(exact).padStart(8)}${interval}${(valid === null ? "-" : percent(valid)).padStart(9)}`;
  };
  return [
    `${"".padEnd(16)}${"exact".padStart(8)}${"95% interval".padStart(20)}${"valid".padStart(9)}`,
    row("one pass", single),
    row(`vote of ${votes}`, voted),
    `exact  ${differenceText(voted.exact - single.exact, againstSingle.exact)}`,
    ...(againstSingle.valid ? [`valid  ${differenceText(voted.valid! - single.valid!, againstSingle.valid)}`] : []),
    `${counted(puzzles, "puzzle")}, ${steps} supervision steps; q halted ${percent(haltedShare)} of the passes`,
    canJudge ? "valid: the answer obeys the rules, whatever the label" : `valid: ${name} cannot judge an answer`,
    ...(name.startsWith("maze") ? ["a maze can have several shortest paths; the vote may elect another one"] : []),
    `cost: ${(votes * steps * puzzles).toLocaleString("en-US")} deep recursions in ${seconds.toFixed(1)} s`,
    ...unlabelledNote(unlabelled),
  ];
}
