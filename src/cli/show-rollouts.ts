// `trm solve --rollouts`: the answers of all rollouts to one puzzle, side by side, and the one that is selected.

import type { LoadedModel } from "../runs/index.ts";
import {
  answersOf,
  isCorrect,
  predictRollouts,
  type RolloutAnswer,
  type RolloutOptions,
  type RolloutSelection,
  selectRollout,
  type Task,
} from "../trm/index.ts";
import { drawChanged, marksChanges, qText, sideBySide } from "./boards.ts";
import type { Terminal } from "./terminal.ts";

export interface RolloutSolution {
  readonly question: Int32Array;
  readonly answers: readonly RolloutAnswer[];
  /** Index of the selected answer. */
  readonly chosen: number;
  readonly select: RolloutSelection;
}

export async function solveWithRollouts(
  { model, task }: Pick<LoadedModel, "model"> & { readonly task: Task },
  question: Int32Array,
  options: RolloutOptions & { readonly select: RolloutSelection },
): Promise<RolloutSolution> {
  const made = await predictRollouts(model, { inputs: question }, options);
  const answers = answersOf(made, 0, task.sequenceLength);
  return { question, answers, chosen: selectRollout(answers, options.select), select: options.select };
}

/** Cells that differ from the selected answer are highlighted. */
export function showRollouts(task: Task, solution: RolloutSolution, terminal: Terminal): void {
  const { question, answers, chosen, select } = solution;
  const { colours } = terminal;
  const selected = answers[chosen]!.tokens;
  const blocks = answers.map(({ tokens, q, residual }, index) => {
    const other = new Set([...Array.from(tokens).keys()].filter((cell) => tokens[cell] !== selected[cell]));
    const title = `rollout ${index + 1}`;
    return [
      index === chosen ? colours.green(`${title} chosen`) : colours.bold(title),
      ...drawChanged(task, tokens, other, colours),
      `q ${qText(q)}`,
      `residual ${residual.toFixed(3)}`,
    ];
  });
  const puzzle = [colours.bold("puzzle"), ...task.draw(question).split("\n")];
  for (const line of sideBySide([puzzle, ...blocks], terminal.columns)) terminal.print(line);
  const mistake = task.mistake(question, selected);
  const verdicts = answers.map(({ tokens }) => isCorrect(task, task.mistake(question, tokens)));
  const right = task.canJudge ? `; ${verdicts.filter(Boolean).length} of ${answers.length} rollouts are correct` : "";
  const judged = task.canJudge ? "it is correct" : "this task cannot tell whether it is correct";
  terminal.print(
    `rollout ${chosen + 1} is chosen by ${select}: ${mistake === undefined ? judged : `wrong: ${mistake}`}${right}`,
  );
  if (!marksChanges(task, colours)) return;
  terminal.print(colours.dim(`${colours.isColorSupported ? "highlighted" : "*"}: differs from the chosen answer`));
}

/** Plain data for `--json`. */
export function rolloutSolutionJson(task: Task, { question, answers, chosen, select }: RolloutSolution) {
  const judged = ({ tokens, q, residual }: RolloutAnswer) => {
    const mistake = task.mistake(question, tokens);
    return { answer: task.format(tokens), q, residual, correct: isCorrect(task, mistake), mistake: mistake ?? null };
  };
  const rollouts = answers.map(judged);
  const { answer, correct, mistake } = rollouts[chosen]!;
  return {
    task: task.name,
    puzzle: task.format(question),
    rollouts,
    select,
    chosen: chosen + 1,
    answer,
    correct,
    mistake,
  };
}
