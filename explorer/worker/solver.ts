// The calls on a loaded model: trace and a class of many puzzles. The calls of the other views are loaded when they are needed.
import {
  type Config,
  type LoadedModel,
  loadModel,
  type Model,
  type PositionBasis,
  puzzleSlots,
  type TraceFrame,
  trace,
} from "trm-ts";
import type { Calls, ClassFrame, Puzzle } from "../shared/calls.ts";
import { wrongCells } from "../shared/frames.ts";
import type { CallContext, Handlers } from "../shared/protocol.ts";
import { lock } from "./lock.ts";
import { chooseBackend, machineOf } from "./machine.ts";
import { isRight, readPuzzle, truthBeside } from "./puzzles.ts";
import { questionOf } from "./step.ts";

interface Opened extends LoadedModel {
  readonly name: string;
  readonly basis: PositionBasis | undefined;
}

const inspectionCalls = () => import("./inspection.ts");
const failureCalls = () => import("./failures.ts");
const gradientCalls = () => import("./gradients.ts");

let opened: Opened | null = null;
const exclusive = lock();

function openModel(): Opened {
  if (!opened) throw new Error("worker: no model is open");
  return opened;
}

/** Everything that a trace of a model needs. */
export interface TraceSubject {
  readonly model: Model;
  readonly config: Config;
  readonly basis: PositionBasis | undefined;
}

/** Runs a trace and reports the frames of one supervision step at a time. */
export async function traceSteps(
  { model, config, basis }: TraceSubject,
  puzzles: readonly Puzzle[],
  steps: number,
  signal: AbortSignal,
  report: (frames: TraceFrame[]) => void,
): Promise<void> {
  let frames: TraceFrame[] = [];
  const perStep = model.T * model.recursion.updates.length * puzzles.length;
  const { loss } = config.training;
  for await (const frame of trace(model, questionOf(...puzzles), { steps, basis, loss, signal })) {
    frames.push(frame);
    if (frames.length < perStep) continue;
    report(frames);
    frames = [];
  }
}

export const solverHandlers: Pick<
  Handlers<Calls>,
  "open" | "read" | "trace" | "inspect" | "class" | "exam" | "rollouts" | "tape" | "unfold" | "nudge"
> = {
  open: ({ files, choice }) =>
    exclusive(async () => {
      opened?.model.dispose();
      opened = null;
      await chooseBackend(choice);
      const { name, config, weights, basis } = files;
      opened = { name, basis: basis ?? undefined, ...loadModel({ config, weights }) };
      return machineOf(name);
    }),

  read: ({ text }) => readPuzzle(openModel().task, text),

  trace: ({ puzzle, steps }, { signal, progress }) =>
    exclusive(async () => {
      const subject = openModel();
      const began = performance.now();
      let answer: readonly number[] = [];
      await traceSteps(subject, [puzzle], steps, signal, (frames) => {
        answer = frames.at(-1)!.tokens;
        progress(frames);
      });
      const milliseconds = performance.now() - began;
      return { truth: truthBeside(subject.task, puzzle, answer), machine: machineOf(subject.name), milliseconds };
    }),

  inspect: (args) => exclusive(async () => (await inspectionCalls()).inspect(openModel(), args)),

  class: (args, context) => exclusive(() => traceClass(openModel(), args, context)),

  exam: (args, context) =>
    exclusive(async () => (await failureCalls()).takeExam({ ...openModel(), judge: isRight }, args, context)),

  rollouts: (args, context) =>
    exclusive(async () => (await failureCalls()).rollOut({ ...openModel(), judge: isRight }, args, context)),

  tape: (args) => exclusive(async () => (await gradientCalls()).tapeOfStep(openModel(), args)),

  unfold: async ({ operation }) => (await gradientCalls()).unfold(operation),

  nudge: (args, { signal }) =>
    exclusive(async () => {
      const own = openModel();
      const { nudge } = await gradientCalls();
      return { ...(await nudge(own, args, signal)), machine: machineOf(own.name) };
    }),
};

// --- A class of many puzzles ---------------------------------------------------------------------------------------------

async function traceClass(
  subject: Opened,
  { puzzles, steps }: Calls["class"]["args"],
  { signal, progress }: CallContext<readonly ClassFrame[]>,
): Promise<Calls["class"]["result"]> {
  const began = performance.now();
  const { model } = subject;
  const numbers = Math.sqrt(model.config.hiddenSize * (puzzleSlots(model.config) + model.config.sequenceLength));
  await traceSteps({ ...subject, basis: undefined }, puzzles, steps, signal, (frames) =>
    progress(summarise(frames, puzzles, numbers)),
  );
  return { machine: machineOf(subject.name), milliseconds: performance.now() - began };
}

/** One summary per update. @param root  √(numbers of a latent), which turns a distance into a root mean square */
export function summarise(frames: readonly TraceFrame[], puzzles: readonly Puzzle[], root: number): ClassFrame[] {
  const result: ClassFrame[] = [];
  for (let first = 0; first < frames.length; first += puzzles.length) {
    const own = frames.slice(first, first + puzzles.length);
    const { step, cycle, update, latent, onTape } = own[0]!;
    const wrong = Uint16Array.from(own, ({ tokens, puzzle }) => wrongCells(tokens, puzzles[puzzle]!.truth!));
    const move = Float32Array.from(own, ({ move: distance }) => distance / root);
    result.push({ step, cycle, update, latent, onTape, wrong, move });
  }
  return result;
}
