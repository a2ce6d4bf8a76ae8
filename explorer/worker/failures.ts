// The calls of the view Failures: answers to many puzzles, and rollouts of one puzzle with noise on z.
import {
  answersOf,
  type Model,
  predictions,
  predictRollouts,
  type RolloutAnswer,
  type RolloutSettings,
  selectRollout,
  type Task,
} from "trm-ts";
import type { Calls, Exam, Rollout } from "../shared/calls.ts";
import type { CallContext } from "../shared/protocol.ts";
import { breathe } from "./lock.ts";
import { machineOf } from "./machine.ts";
import type { isRight } from "./puzzles.ts";
import { questionOf } from "./step.ts";

interface Opened {
  readonly model: Model;
  readonly task: Task;
  readonly name: string;
  /** Judges an answer. An import would move it out of the file that the first answer loads, into one more. */
  readonly judge: typeof isRight;
}

export async function takeExam(
  { model, task, name, judge }: Opened,
  { puzzles, steps }: Calls["exam"]["args"],
  { signal, progress }: CallContext<number>,
): Promise<Exam> {
  const { sequenceLength } = model.config;
  const right: Uint8Array[] = [];
  for await (const { step, tokens } of predictions(model, questionOf(...puzzles), steps)) {
    right.push(
      Uint8Array.from(puzzles, (puzzle, i) =>
        Number(judge(task, puzzle, tokens.subarray(i * sequenceLength, (i + 1) * sequenceLength))),
      ),
    );
    progress(step);
    await breathe();
    signal.throwIfAborted();
  }
  return { right, machine: machineOf(name) };
}

/** The rollouts of trm-ts on one puzzle, with the answer that q selects and the one without noise. */
export async function rollOut(
  { model, task, name, judge }: Opened,
  { puzzle, steps, sigma, count }: Calls["rollouts"]["args"],
  { signal, progress }: CallContext<number>,
): Promise<Calls["rollouts"]["result"]> {
  const { sequenceLength } = model.config;
  let done = 0;
  const onStep = async (): Promise<void> => {
    progress(++done);
    await breathe();
    signal.throwIfAborted();
  };
  const made = async (options: RolloutSettings): Promise<RolloutAnswer[]> =>
    answersOf(await predictRollouts(model, questionOf(puzzle), { steps, onStep, ...options }), 0, sequenceLength);
  const [plain] = await made({ rollouts: 1, sigma: 0 });
  const answers = await made({ rollouts: count, sigma });
  const plainOf = ({ tokens, q }: RolloutAnswer): Rollout => ({
    tokens: Array.from(tokens),
    q,
    isRight: judge(task, puzzle, tokens),
  });
  return {
    plain: plainOf(plain!),
    rollouts: answers.map(plainOf),
    byQ: selectRollout(answers, "q"),
    byVote: selectRollout(answers, "mode"),
    machine: machineOf(name),
  };
}
