// The calls of the view Train: a training that runs until it is cancelled, and can be looked at between two of its steps.
import {
  type CheckpointSide,
  type Config,
  type Examples,
  evaluate,
  evaluateRollouts,
  packCheckpoint,
  parseConfig,
  parseSide,
  restoreTraining,
  ShuffledExamples,
  type Task,
  type TaskChoice,
  Training,
  taskOf,
  weightCount,
} from "trm-ts";
import type {
  Calls,
  RolloutChoice,
  TrainProgress,
  TrainSettings,
  TrainStarted,
  WithRollouts,
} from "../shared/calls.ts";
import { checkpointFile } from "../shared/checkpoints.ts";
import type { CallContext, Handlers } from "../shared/protocol.ts";
import { counted } from "../shared/words.ts";
import { breathe, lock } from "./lock.ts";
import { chooseBackend, kernelBytes, machineOf } from "./machine.ts";
import { boardOf, puzzleAt } from "./puzzles.ts";
import { traceSteps } from "./solver.ts";

/** Unseen puzzles that are watched during a training. */
const watched = 200;
/** Training time between two evaluations grows with the time that they take: at most a fifth is spent on them. */
const evaluationShare = 0.2;
const secondsBetweenReports = 0.25;

interface Session {
  readonly choice: TaskChoice;
  readonly config: Config;
  readonly training: Training;
  readonly unseen: Examples;
  seconds: number;
}

let session: Session | null = null;
const exclusive = lock();

function current(): Session {
  if (!session) throw new Error("worker: no training has begun");
  return session;
}

/** The settings that each rival changes. */
function variantOf({ variant }: TrainSettings): Record<string, unknown> {
  switch (variant) {
    case "none":
      return {};
    case "hrm":
      return { separateNets: true, oneStepGradient: true, continueLoss: true };
    case "no-deep-supervision":
      return { nSup: 1 };
    case "direct":
      return { recursion: "direct", haltAgainstContinue: true };
  }
}

/** Settings of the preset `small` that the page does not offer, with those that it does. */
function configOf(settings: TrainSettings, { vocabularySize, sequenceLength }: Task): Config {
  const { T, n, nSup, width, rate, ema, seed } = settings;
  return parseConfig({
    vocabularySize,
    sequenceLength,
    T,
    n,
    nSup,
    hiddenSize: width,
    heads: 4,
    widthMultiple: width <= 32 ? 8 : 16,
    batchSize: settings.task === "sudoku4" ? 32 : 64,
    learningRate: rate,
    warmupSteps: 50,
    weightDecay: 0.1,
    emaRate: ema,
    emaWarmup: true,
    totalSteps: 20_000,
    seed,
    ...variantOf(settings),
  });
}

export const trainerHandlers: Pick<Handlers<Calls>, "begin" | "train" | "traceNow" | "checkpoint"> = {
  begin: (args, context) => exclusive(() => begin(args, context)),
  train: (args, context) => train(current(), args, context),
  traceNow: ({ puzzle, steps }, { signal, progress }) =>
    exclusive(async () => {
      const { training, config } = current();
      const began = performance.now();
      await traceSteps(
        { model: training.evaluationModel, config, basis: undefined },
        [puzzle],
        steps,
        signal,
        progress,
      );
      return { truth: puzzle.truth, machine: machineOf("the training"), milliseconds: performance.now() - began };
    }),
  checkpoint: () =>
    exclusive(async () => {
      const { training, choice, seconds } = current();
      const { backend, build } = machineOf("");
      return packCheckpoint(training, {
        madeBy: "trm-ts explorer",
        task: choice,
        backend: { name: backend, build },
        seconds,
      });
    }),
};

async function begin(
  { settings, checkpoint, hasItsData, share }: Calls["begin"]["args"],
  { progress, signal }: CallContext<string>,
): Promise<TrainStarted> {
  session?.training.dispose();
  session = null;
  const side = checkpoint ? parseSide(checkpointFile(checkpoint, "checkpoint.json"), "checkpoint.json") : null;
  const choice = side?.task ?? { name: settings.task, ...(settings.task === "sudoku6" && { clues: 10 }) };
  const task = taskOf(choice);
  progress(`Generating ${counted(settings.data, "puzzle")}`);
  await breathe();
  const { train: puzzles, test } = task.generate({ train: settings.data, test: watched, seed: settings.seed });
  signal.throwIfAborted();
  const config = side?.config ?? configOf(settings, task);
  progress("Choosing the number of threads");
  const threads = await chooseThreads(config, puzzles, share);
  signal.throwIfAborted();
  const augment = task.name === "sudoku4" ? undefined : task;
  const training = new Training(config, new ShuffledExamples(puzzles, settings.seed, augment));
  if (side && checkpoint) {
    restoreTraining(training, hasItsData ? side : withoutPosition(side, training), checkpoint, "checkpoint");
  }
  session = { choice, config, training, unseen: test, seconds: side?.seconds ?? 0 };
  return {
    parameters: weightCount(config.model),
    updates: training.model.recursion.updates,
    T: training.model.T,
    nSup: config.training.nSup,
    machine: machineOf("the training"),
    board: boardOf(task),
    unseen: Array.from({ length: 12 }, (_, i) => puzzleAt(test, i)),
    step: training.step,
    choice: threads,
    hasItsData: side === null || hasItsData,
  };
}

/** Training steps that are timed for each number of threads. */
const timedSteps = 4;

/** Opens the faster of one thread and all but one of the processor's, and says why in one line. Threads do not always pay on a small model. */
async function chooseThreads(config: Config, puzzles: Examples, share: number): Promise<string> {
  const processors = globalThis.navigator?.hardwareConcurrency ?? 1;
  const many = globalThis.crossOriginIsolated ? Math.floor((processors - 1) / share) : 1;
  const timeOf = async (threads: number): Promise<number> => {
    await chooseBackend({ backend: "wasm", threads });
    const trial = new Training(config, new ShuffledExamples(puzzles, 0));
    await trial.supervisionStep(); // compiles and allocates
    const began = performance.now();
    for (let step = 0; step < timedSteps; step++) await trial.supervisionStep();
    trial.dispose();
    return (performance.now() - began) / timedSteps;
  };
  if (many <= 1) {
    await chooseBackend({ backend: "wasm", threads: 1 });
    return "";
  }
  const [one, all] = [await timeOf(1), await timeOf(many)];
  await chooseBackend({ backend: "wasm", threads: all < one ? many : 1 });
  return `one step took ${one.toFixed(1)} ms on 1 thread, ${all.toFixed(1)} ms on ${many}`;
}

/** The position in the data of the command line means nothing for the puzzles of the page. */
const withoutPosition = (side: CheckpointSide, training: Training): CheckpointSide => ({
  ...side,
  source: training.source.state,
});

async function train(
  own: Session,
  { steps, evaluation }: Calls["train"]["args"],
  { signal, progress }: CallContext<TrainProgress>,
): Promise<TrainProgress | null> {
  const { training, config } = own;
  let [sum, count, busy, evaluating, sinceEvaluation] = [0, 0, 0, 0, 0];
  let halted = new Array<number>(config.training.nSup).fill(0);
  let last: TrainProgress | null = null;
  const until = training.step + steps;
  const report = (exact: number[] | null, withRollouts: WithRollouts | null): void => {
    last = {
      step: training.step,
      seconds: own.seconds,
      loss: sum / Math.max(1, count),
      stepsPerSecond: count / Math.max(1e-9, busy),
      halted,
      bytes: kernelBytes(),
      exact,
      withRollouts,
      puzzles: own.unseen.count,
    };
    progress(last);
    [sum, count, busy] = [0, 0, 0];
    halted = new Array<number>(config.training.nSup).fill(0);
  };
  while (training.step < until && !signal.aborted && session === own) {
    await exclusive(async () => {
      const began = performance.now();
      const { loss } = await training.supervisionStep();
      const seconds = (performance.now() - began) / 1000;
      sum += loss;
      count++;
      busy += seconds;
      own.seconds += seconds;
      sinceEvaluation += seconds;
      const { carry } = training;
      carry.halted.forEach((isHalted, slot) => {
        if (isHalted) halted[carry.steps[slot]! - 1]!++;
      });
    });
    if (sinceEvaluation * evaluationShare >= Math.max(evaluating, 0.1)) {
      const began = performance.now();
      const exact = await exclusive(() => exactCounts(own, signal));
      const withRollouts = exact && (await exclusive(() => countsWithRollouts(own, evaluation, signal)));
      evaluating = (performance.now() - began) / 1000;
      sinceEvaluation = 0;
      if (exact) report(exact, withRollouts);
    } else if (busy >= secondsBetweenReports) report(null, null);
    await breathe();
  }
  return last;
}

/** Unseen puzzles are evaluated in batches of this size. */
const evaluationBatch = 50;

/** Unseen puzzles with the whole answer correct after every supervision step, with the averaged weights; null if the page cancels. */
const exactCounts = ({ training, unseen, config }: Session, signal: AbortSignal): Promise<number[] | null> =>
  unlessAborted(signal, async (onProgress) => {
    const options = { ...config.training, batchSize: evaluationBatch, onProgress };
    const { exact, puzzles } = await evaluate(training.evaluationModel, unseen, options);
    return exact.map((share) => Math.round(share * puzzles));
  });

/** The same puzzles with rollouts; null if none are asked for, the model has no z, or the page cancels. */
async function countsWithRollouts(
  { training, unseen, config }: Session,
  choice: RolloutChoice,
  signal: AbortSignal,
): Promise<WithRollouts | null> {
  const { updates, output } = training.model.recursion;
  if (!choice || updates.every((latent) => latent === output)) return null;
  return unlessAborted(signal, async (onProgress) => {
    const options = { ...config.training, batchSize: evaluationBatch, onProgress, ...choice };
    const made = await evaluateRollouts(training.evaluationModel, unseen, options);
    const { puzzles, deterministic, bestQ, passAtK } = made;
    const count = (share: number): number => Math.round(share * puzzles);
    return {
      ...choice,
      plain: count(deterministic),
      byQ: count(bestQ[choice.rollouts]!),
      any: count(passAtK[choice.rollouts]!),
    };
  });
}

/** What `work` returns; null if the page cancels meanwhile. `work` awaits its argument often, so that the page can cancel it soon. */
async function unlessAborted<T>(
  signal: AbortSignal,
  work: (onProgress: () => Promise<void>) => Promise<T>,
): Promise<T | null> {
  try {
    return await work(async () => {
      await breathe();
      signal.throwIfAborted();
    });
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}
