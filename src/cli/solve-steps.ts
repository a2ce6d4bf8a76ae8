// Solves one puzzle and records every supervision step: the answer, the changed cells, q.
import { type Config, type Model, predictions, saysHalt, type Task } from "../trm/index.ts";

export interface SolveStep {
  readonly step: number;
  readonly tokens: Int32Array;
  readonly qHalt: number;
  readonly qContinue: number;
  /** Cells that differ from the previous step; for the first step, from the puzzle. */
  readonly changed: ReadonlySet<number>;
  readonly saysHalt: boolean;
}

export interface Solution {
  readonly question: Int32Array;
  readonly steps: readonly SolveStep[];
  /** First step at which q says halt, or null. */
  readonly haltStep: number | null;
  /** The answer at that step, or at the last step if q never says halt. */
  readonly answer: Int32Array;
  /** Why the answer is wrong; undefined if the task finds no mistake. */
  readonly mistake: string | undefined;
}

/** @param onStep  called and awaited after every supervision step */
export async function solvePuzzle(
  { model, config, task }: { readonly model: Model; readonly config: Config; readonly task: Task },
  question: Int32Array,
  supervisionSteps: number,
  onStep?: () => Promise<void>,
): Promise<Solution> {
  const steps: SolveStep[] = [];
  let last = question;
  for await (const { step, tokens, qHalt, qContinue } of predictions(model, { inputs: question }, supervisionSteps)) {
    const previous = last;
    steps.push({
      step,
      tokens,
      qHalt: qHalt[0]!,
      qContinue: qContinue[0]!,
      changed: new Set([...tokens.keys()].filter((cell) => tokens[cell] !== previous[cell])),
      saysHalt: saysHalt(qHalt[0]!, qContinue[0]!, config.training),
    });
    last = tokens;
    await onStep?.();
  }
  const halting = steps.find((each) => each.saysHalt);
  const answer = (halting ?? steps.at(-1))?.tokens ?? question;
  return { question, steps, haltStep: halting?.step ?? null, answer, mistake: task.mistake(question, answer) };
}
