// A solution on the screen and as JSON, for `trm solve` and for the end of the demo.
import { type Config, isCorrect, type Task } from "../trm/index.ts";
import { marksChanges, qText, sideBySide, solutionBlocks } from "./boards.ts";
import { counted } from "./format.ts";
import type { Solution } from "./solve-steps.ts";
import type { Colours, Terminal } from "./terminal.ts";

/** Lines that explain the drawings. */
export function legend(task: Task, { training }: Config, colours: Colours): string[] {
  const { continueLoss, haltAgainstContinue } = training;
  const changed = colours.isColorSupported ? "highlighted" : "*";
  const halt = continueLoss || haltAgainstContinue ? "above q to continue" : "q > 0, above 50%";
  return [
    ...(marksChanges(task, colours) ? [`${changed}: changed by this step`] : []),
    `q: estimate that the answer is correct (${halt}: halt)`,
  ];
}

/** Shows the steps up to the halt, or up to the last change if the model never halts. @param all  shows all steps instead */
export function showSolution(task: Task, solution: Solution, terminal: Terminal, { all = false } = {}): void {
  const { steps, haltStep, mistake } = solution;
  const { colours, columns } = terminal;
  const stable = 1 + (steps.findLast(({ changed }) => changed.size > 0)?.step ?? 0);
  const last = all ? steps.length : Math.min(steps.length, haltStep ?? stable);
  for (const line of sideBySide(solutionBlocks(task, solution, last, terminal), columns)) terminal.print(line);
  if (!all && haltStep === null && last < steps.length) {
    terminal.print(
      `nothing changes after step ${stable - 1}; q is ${qText(steps.at(-1)!.qHalt)} after step ${steps.length}`,
    );
  }
  const when = haltStep === null ? `no halt within ${counted(steps.length, "step")}` : `halts after step ${haltStep}`;
  terminal.print(`${when}; ${verdict(task, mistake, colours)}`);
}

function verdict(task: Task, mistake: string | undefined, colours: Colours): string {
  if (mistake !== undefined) return colours.red(`wrong: ${mistake}`);
  return task.canJudge ? colours.green("the answer is correct") : "this task cannot tell whether the answer is correct";
}

/** Plain data for `--json`. */
export function solutionJson(task: Task, { question, steps, haltStep, answer, mistake }: Solution) {
  return {
    task: task.name,
    puzzle: task.format(question),
    steps: steps.map(({ step, tokens, qHalt, qContinue, changed, saysHalt }) => ({
      step,
      answer: task.format(tokens),
      qHalt,
      qContinue,
      changed: [...changed],
      halts: saysHalt,
      correct: isCorrect(task, task.mistake(question, tokens)),
    })),
    haltStep,
    answer: task.format(answer),
    correct: isCorrect(task, mistake),
    mistake: mistake ?? null,
  };
}
