// A solution on the screen and as JSON: `trm solve`, and the end of the demo.
import type { Config, Task } from "../trm/index.ts";
import { sideBySide, solutionBlocks } from "./boards.ts";
import { counted } from "./format.ts";
import type { Solution } from "./solve-steps.ts";
import type { Terminal } from "./terminal.ts";

/** What q means, in one line. */
export function qLegend({ training }: Config): string {
  const { continueLoss, haltAgainstContinue } = training;
  return continueLoss || haltAgainstContinue
    ? "q: the model's belief that every cell is right; it halts as soon as that is above its q to continue"
    : "q: the model's belief that every cell is right; it halts as soon as q > 0, that is above 50%";
}

/** @param all  also the steps after the halt */
export function showSolution(task: Task, solution: Solution, terminal: Terminal, { all = false } = {}): void {
  const { steps, haltStep, mistake } = solution;
  const last = all ? steps.length : (haltStep ?? steps.length);
  const { colours, columns } = terminal;
  for (const line of sideBySide(solutionBlocks(task, solution, last, terminal), columns)) terminal.print(line);
  const when = haltStep === null ? `no halt within ${counted(steps.length, "step")}` : `halts after step ${haltStep}`;
  const verdict = mistake === undefined ? colours.green("the answer is right") : colours.red(`wrong: ${mistake}`);
  terminal.print(`${when}; ${verdict}`);
}

/** Plain data for a program. */
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
      right: task.mistake(question, tokens) === undefined,
    })),
    haltStep,
    answer: task.format(answer),
    right: mistake === undefined,
    mistake: mistake ?? null,
  };
}
