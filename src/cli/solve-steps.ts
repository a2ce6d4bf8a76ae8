// One puzzle, one supervision step after another: what the model answers, what it changes, what it believes.
import { type Config, type Model, predictions, saysHalt, type Task } from "../trm/index.ts";

export interface SolveStep {
  readonly step: number;
  readonly tokens: Int32Array;
  readonly qHalt: number;
  readonly qContinue: number;
  /** Cells that differ from the step before (from the puzzle, for the first). */
  readonly changed: ReadonlySet<number>;
  readonly saysHalt: boolean;
}

export interface Solution {
  readonly question: Int32Array;
  readonly steps: readonly SolveStep[];
  /** First step at which q says stop, or null. */
  readonly haltStep: number | null;
  /** The answer at that step, else at the last. */
  readonly answer: Int32Array;
  /** Why the answer is wrong; undefined if the task says nothing against it. */
  readonly mistake: string | undefined;
}

export async function solvePuzzle(
  { model, config, task }: { readonly model: Model; readonly config: Config; readonly task: Task },
  question: Int32Array,
  supervisionSteps: number,
): Promise<Solution> {
  const steps: SolveStep[] = [];
  let before = question;
  for await (const { step, tokens, qHalt, qContinue } of predictions(model, { inputs: question }, supervisionSteps)) {
    const last = before;
    steps.push({
      step,
      tokens,
      qHalt: qHalt[0]!,
      qContinue: qContinue[0]!,
      changed: new Set([...tokens.keys()].filter((cell) => tokens[cell] !== last[cell])),
      saysHalt: saysHalt(qHalt[0]!, qContinue[0]!, config.training),
    });
    before = tokens;
  }
  const halting = steps.find((each) => each.saysHalt);
  const answer = (halting ?? steps.at(-1))?.tokens ?? question;
  return { question, steps, haltStep: halting?.step ?? null, answer, mistake: task.mistake(question, answer) };
}
