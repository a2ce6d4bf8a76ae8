// The calls on a loaded model: trace, inspection of one update, and a class of many puzzles.
import {
  type Config,
  deepRecursion,
  type LoadedModel,
  loadModel,
  lossOf,
  type Model,
  type PositionBasis,
  puzzleSlots,
  type Question,
  type Task,
  type TraceFrame,
  trace,
  traceHeader,
  traceTensors,
  trainingLabels,
} from "trm-ts";
import { constant, gradients, type TapeEntry, tapeOf, type Variable } from "trm-ts/autograd";
import * as t from "trm-ts/tensor";
import type { Calls, ClassFrame, Inspection, Puzzle } from "../shared/calls.ts";
import type { Place } from "../shared/link.ts";
import type { CallContext, Handlers } from "../shared/protocol.ts";
import { lock } from "./lock.ts";
import { chooseBackend, machineOf } from "./machine.ts";
import { readPuzzle } from "./puzzles.ts";

interface Opened extends LoadedModel {
  readonly name: string;
  readonly basis: PositionBasis | undefined;
}

let opened: Opened | null = null;
const exclusive = lock();

function openModel(): Opened {
  if (!opened) throw new Error("worker: no model is open");
  return opened;
}

const questionOf = (...puzzles: readonly Puzzle[]): Question => ({
  inputs: Int32Array.from(puzzles.flatMap(({ question }) => question)),
});

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
  "open" | "read" | "trace" | "header" | "judge" | "inspect" | "class"
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
      await traceSteps(subject, [puzzle], steps, signal, progress);
      return { machine: machineOf(subject.name), milliseconds: performance.now() - began };
    }),

  header: ({ puzzle }) =>
    exclusive(async () => {
      const { model, task, name, basis } = openModel();
      const truth = puzzle.truth ?? undefined;
      return traceHeader(model, questionOf(puzzle), { task: task.name, name, truth, basis });
    }),

  judge: ({ question, answers }) => answers.map((answer) => openModel().task.mistake(question, answer) ?? null),

  inspect: ({ puzzle, at }) => exclusive(() => inspect(openModel(), puzzle, at)),

  class: (args, context) => exclusive(() => traceClass(openModel(), args, context)),
};

// --- Inside one update ---------------------------------------------------------------------------------------------------

async function inspect({ model, config, name, basis }: Opened, puzzle: Puzzle, at: Place): Promise<Inspection> {
  const question = questionOf(puzzle);
  const after = await traceTensors(model, question, at, { basis, loss: config.training.loss } as object);
  const latent = model.recursion.updates[at.update - 1]!;
  const before = await latentsBefore(model, question, at.step);
  const truth = Int32Array.from(puzzle.truth ?? puzzle.question.map(() => 0));
  const recorded = t.scope(() => recordStep(model, config, { question, before, labels: trainingLabels(truth) }, at));
  const gradient = recorded.gradient ? ((await recorded.gradient.data()) as Float32Array) : null;
  const loss = Number((await recorded.loss.data())[0]);
  recorded.gradient?.dispose();
  recorded.loss.dispose();
  const [, positions, width] = after.shape as [number, number, number];
  return {
    values: after.latents[latent]!,
    gradient,
    positions,
    width,
    slots: puzzleSlots(model.config),
    tape: recorded.tape,
    tapeLength: recorded.tapeLength,
    loss,
    machine: machineOf(name),
  };
}

type LatentNumbers = Readonly<Record<string, Float32Array>>;

/** The latents at the start of a supervision step; null for the initial ones. */
async function latentsBefore(model: Model, question: Question, step: number): Promise<LatentNumbers | null> {
  if (step === 1) return null;
  const end = { step: step - 1, cycle: model.T, update: model.recursion.updates.length };
  return (await traceTensors(model, question, end)).latents;
}

interface StepInputs {
  readonly question: Question;
  readonly before: LatentNumbers | null;
  readonly labels: Int32Array;
}

/** Repeats one supervision step as a training computes it, with its tape and the gradient at the update `at`. */
function recordStep(model: Model, { training }: Config, { question, before, labels }: StepInputs, at: Place) {
  const { inputs } = question;
  const { sequenceLength, hiddenSize } = model.config;
  const asInt32 = (values: Int32Array, shape: readonly number[]) => t.tensor(values, { shape });
  const { x } = model.embed(asInt32(inputs, [1, sequenceLength]), asInt32(new Int32Array(1), [1]));
  const shape = [1, x.shape[1]!, hiddenSize];
  const latents = before
    ? Object.fromEntries(
        Object.entries(before).map(([latent, values]) => [latent, constant(t.tensor(values, { shape }))]),
      )
    : model.initialLatents(1);
  const updates: Variable[] = [];
  const recur = model.recurAround((_, compute) => {
    const result = compute();
    updates.push(result);
    return result;
  });
  const { logits, q } = model.heads(deepRecursion(recur, x, latents, model.T));
  const { total } = lossOf({ logits, q, labels, targetQContinue: null }, training);
  const index = (at.cycle - 1) * model.recursion.updates.length + at.update - 1;
  const variable = updates[index]!;
  const isOnTape = variable.node !== null;
  const tape = isOnTape ? entriesSince(tapeOf(variable), updates[index - 1]) : [];
  const tapeLength = tapeOf(total).length;
  const gradient = isOnTape ? gradients(total, [variable])[0]! : null;
  return { gradient, tape, tapeLength, loss: total.value };
}

/** The entries that are not yet on the tape of the update before. */
function entriesSince(entries: readonly TapeEntry[], before: Variable | undefined): Inspection["tape"] {
  const known = new Map<string, number>();
  const keyOf = ({ operation, shape }: TapeEntry): string => `${operation} ${shape}`;
  for (const entry of before?.node ? tapeOf(before) : []) known.set(keyOf(entry), (known.get(keyOf(entry)) ?? 0) + 1);
  return entries.flatMap((entry) => {
    const left = known.get(keyOf(entry)) ?? 0;
    if (left > 0) {
      known.set(keyOf(entry), left - 1);
      return [];
    }
    return [{ operation: entry.operation, shape: [...entry.shape] }];
  });
}

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
    const wrong = Uint16Array.from(own, ({ tokens, puzzle }) => {
      const truth = puzzles[puzzle]!.truth!;
      return tokens.reduce((sum, token, cell) => sum + Number(token !== truth[cell]), 0);
    });
    const move = Float32Array.from(own, ({ move: distance }) => distance / root);
    const q = own[0]!.q ? Float32Array.from(own, (frame) => frame.q!.halt) : null;
    result.push({ step, cycle, update, latent, onTape, wrong, move, q });
  }
  return result;
}

export type { Task };
