// One process's work on a run: supervision steps, evaluations on unseen puzzles, metrics and checkpoints, until the goal is
// reached or a stop is requested. A run that is resumed has had several sessions.
import type { EvaluatedStep, RunAbout, WritableRun } from "../runs/index.node.ts";
import {
  type CheckpointFiles,
  isAsGood,
  type MetricsLine,
  packCheckpoint,
  type RunSets,
  type StepLine,
  type UnseenLine,
  WorkClock,
} from "../runs/index.ts";
import { type Backend, defaultBackend, type ThreadChoice } from "../tensor/index.ts";
import { type Config, type Evaluation, evaluate, type StepMetrics, type Training } from "../trm/index.ts";
import { DivergenceCheck } from "./divergence.ts";
import { explain } from "./explain.ts";
import type { Progress } from "./progress.ts";
import { evaluationText, progressDetails, progressText, type StepPart, stepPartText } from "./progress-text.ts";
import type { StopRequest } from "./stop-request.ts";
import { type Goal, isReached, type Position, secondsLeft, shareDone } from "./time-left.ts";
import { invocation, madeBy, shellPath } from "./version.ts";

/** Training cannot continue. */
export class TrainingError extends Error {
  override name = "TrainingError";
}

export interface TrainingOptions {
  readonly goal: Goal;
  /** Steps between evaluations; null evaluates as often as a tenth of the time allows. */
  readonly evaluateEvery: number | null;
  /** Seconds between checkpoints. */
  readonly saveEvery: number;
  readonly stop: StopRequest;
  readonly progress: Progress;
  /** Times some steps and chooses the number of threads. */
  readonly threads?: ThreadChoice | undefined;
  /** Ends early when this many evaluations in a row reach the exact accuracy. */
  readonly target?: { readonly exact: number; readonly times: number } | undefined;
}

export type Ending = "goal" | "target" | "stopped";

/** Share of the time that evaluations may take if `evaluateEvery` is null. */
const evaluationShare = 0.1;
/** Minimum number of seconds between two evaluations. */
const evaluationPause = 5;
/** Puzzles per batch of an evaluation. A stop request is noticed after every supervision step of a batch. */
const evaluationBatch = 50;

/** The goal of `train --resume` without --steps and --minutes: that with which the run was started, else the end of the schedule. */
export function ownGoalOf({ goal: { steps, minutes } }: Pick<RunAbout, "goal">, { training }: Config): Goal {
  if (steps === null && minutes === null) return { step: training.totalSteps, seconds: null };
  return { step: steps, seconds: minutes === null ? null : 60 * minutes };
}

export class TrainingSession {
  /** A running mean that follows the last few dozen steps, for the progress line. */
  #meanLoss: number | undefined;
  readonly #divergence = new DivergenceCheck();
  readonly #start: Position;
  readonly #clock: WorkClock;
  #savedStep: number;
  readonly #evaluations: UnseenLine[] = [];
  #lastEvaluation: { end: number; cost: number | null };

  constructor(
    readonly training: Training,
    readonly run: WritableRun,
    readonly about: RunAbout,
    readonly sets: RunSets,
    /** Seconds of training in earlier sessions. */
    seconds: number,
  ) {
    this.#clock = new WorkClock(seconds);
    this.#start = { step: training.step, seconds };
    this.#savedStep = training.step;
    this.#lastEvaluation = { end: seconds, cost: null };
    const { name, build } = defaultBackend();
    run.metrics.append({ event: "start", step: training.step, backend: { name, build }, madeBy });
  }

  /** Seconds of training so far, including earlier sessions, without long pauses of the process. */
  get seconds(): number {
    return this.#clock.read();
  }

  /** The last evaluation on the watched puzzles; undefined before the first one of this session. */
  get lastEvaluation(): UnseenLine | undefined {
    return this.#evaluations.at(-1);
  }

  /** Running mean of the loss per puzzle; undefined before the first step of this session. */
  get lastLoss(): number | undefined {
    return this.#meanLoss;
  }

  get ownGoal(): Goal {
    return ownGoalOf(this.about, this.training.config);
  }

  /** The command that continues the training, given without "npx trm". */
  get continueCommand(): string {
    return `train --resume ${shellPath(this.run.path)}${this.#newGoal}`;
  }

  /** An option with a new goal; empty if the run has not reached its own goal yet. */
  get #newGoal(): string {
    return isReached(this.ownGoal, this.#position) ? " --minutes 10" : "";
  }

  async train(options: TrainingOptions): Promise<Ending> {
    const { goal, stop, target, saveEvery } = options;
    let savedAt = this.seconds;
    let isDone = isReached(goal, this.#position);
    while (!isDone) {
      if (await stop.check()) return "stopped";
      const metrics = await this.#step(options);
      this.#record(metrics);
      this.#show(options, metrics);
      isDone = isReached(goal, this.#position);
      if (isDone || this.#isEvaluationDue(options)) {
        if (!(await this.#evaluate(options))) return "stopped";
        if (target && this.#hasReached(target)) return "target";
      }
      if (this.seconds - savedAt >= saveEvery) {
        await this.save();
        savedAt = this.seconds;
      }
    }
    return "goal";
  }

  async #step(options: TrainingOptions): Promise<StepMetrics> {
    const { threads } = options;
    const begin = this.seconds;
    const makeStep = () =>
      this.training.supervisionStep((slots, of) =>
        this.#showPart(options, { slots, of, seconds: this.seconds - begin }),
      );
    return threads ? threads.time(makeStep) : makeStep();
  }

  /** Writes a checkpoint. @throws TrainingError if that fails; the previous checkpoint is kept then */
  async save(): Promise<void> {
    const { training, run, about, lastEvaluation } = this;
    if (training.step === this.#savedStep) return;
    const evaluation = lastEvaluation?.step === training.step ? lastEvaluation : undefined;
    try {
      run.save(training.step, await packState(training, about, { seconds: this.seconds, evaluation }));
    } catch (error) {
      throw new TrainingError(`cannot save step ${training.step}: ${explain(error)}; ${this.#kept}`);
    }
    this.#savedStep = training.step;
  }

  get #position(): Position {
    return { step: this.training.step, seconds: this.seconds };
  }

  #record(metrics: StepMetrics): void {
    const problem = this.#divergence.problemOf(metrics);
    if (problem !== undefined)
      throw new TrainingError(`step ${metrics.step}: ${problem}; ${this.#kept}${this.#advice}`);
    this.#meanLoss = this.#meanLoss === undefined ? metrics.loss : 0.95 * this.#meanLoss + 0.05 * metrics.loss;
    this.#log(stepLine(metrics, this.seconds));
  }

  #log(line: MetricsLine): void {
    const { metrics } = this.run;
    try {
      metrics.append(line);
    } catch (error) {
      throw new TrainingError(`cannot write ${metrics.path}: ${explain(error)}; ${this.#kept}`);
    }
  }

  /** Whether this session has completed a step. */
  get hasTrained(): boolean {
    return this.#meanLoss !== undefined;
  }

  get #kept(): string {
    if (this.run.isNew && !this.hasTrained) return `${this.run.path} is removed, because no step was completed`;
    if (!this.run.has(this.#savedStep))
      return `${this.run.path} no longer holds the checkpoint of step ${this.#savedStep}`;
    return `the checkpoint of step ${this.#savedStep} is kept in ${this.run.path}`;
  }

  /** How to continue after a divergence; empty if nothing is left to continue. */
  get #advice(): string {
    const lower = `learningRate=${Number((this.training.config.training.learningRate / 2).toPrecision(2))}`;
    if (this.run.isNew && !this.hasTrained) return `; try --set ${lower}`;
    if (!this.run.has(this.#savedStep)) return "";
    const { path, steps } = this.run;
    const others = steps.filter((step) => step !== this.#savedStep);
    const or = others.length === 0 ? "" : ` (or --from ${others.join(", ")})`;
    const command = `train --resume ${shellPath(path)} --from ${this.#savedStep} --set ${lower}${this.#newGoal}`;
    return `; to continue: ${invocation} ${command}${or}`;
  }

  #show({ goal, target, progress }: TrainingOptions, { learningRate }: StepMetrics): void {
    const now = this.#position;
    const steps = now.step - this.#start.step;
    const left = secondsLeft(goal, this.#start, now);
    const text = progressText({
      step: now.step,
      totalSteps: goal.step,
      stepsPerSecond: steps / (now.seconds - this.#start.seconds),
      left,
      mayEndEarlier: target !== undefined,
    });
    const details = progressDetails({ loss: this.#meanLoss!, learningRate, unseen: this.lastEvaluation });
    progress.update(shareDone(goal, this.#start, now), text, details);
  }

  /** Shows the progress within a step that is computed in micro-batches, and lets other events in. */
  async #showPart({ goal, progress }: TrainingOptions, part: StepPart): Promise<void> {
    const { step } = this.training; // counts the running step
    const now = { step: step - 1 + part.slots / part.of, seconds: this.seconds };
    progress.update(shareDone(goal, this.#start, now), stepPartText({ step, ...part }));
    await new Promise((resolve) => setImmediate(resolve));
  }

  #isEvaluationDue({ evaluateEvery }: TrainingOptions): boolean {
    const { step, config } = this.training;
    if (this.sets.watch.count === 0) return false;
    if (evaluateEvery !== null) return step % evaluateEvery === 0;
    const { end, cost } = this.#lastEvaluation;
    const perStep = (this.seconds - this.#start.seconds) / (step - this.#start.step);
    // Before the first evaluation its cost is estimated: a forward pass takes about a third of a training step.
    const { nSup, batchSize } = config.training;
    const expected = cost ?? (perStep / 3) * nSup * (this.sets.watch.count / batchSize);
    return this.seconds - end >= Math.max(evaluationPause, expected * (1 / evaluationShare - 1));
  }

  /** Saves the best weights so far. Resolves to false if a stop was requested during the evaluation. */
  async #evaluate({ stop, progress }: TrainingOptions): Promise<boolean> {
    const { training, sets, run } = this;
    const { step } = training;
    if (sets.watch.count === 0) return true;
    const begin = this.seconds;
    const evaluation = await evaluateUnlessStopped(training, sets.watch, stop, (done, total) => {
      const seconds = this.seconds - begin;
      // A short evaluation leaves the lines of the training on the screen.
      if (seconds > 2) progress.update(done / total, evaluationText({ step, done, total, seconds }));
    });
    if (!evaluation) return false;
    this.#lastEvaluation = { end: this.seconds, cost: this.seconds - begin };
    const evaluated = unseenLine(evaluation, step, this.seconds);
    this.#evaluations.push(evaluated);
    this.#log(evaluated);
    const { best } = run;
    if (!best || isAsGood(evaluated, best)) await this.save();
    return true;
  }

  #hasReached({ exact, times }: { exact: number; times: number }): boolean {
    const last = this.#evaluations.slice(-times);
    return last.length === times && last.every((each) => each.exact >= exact);
  }
}

/**
 * The files of a checkpoint, with the metadata that the command line adds to the training state.
 *
 * @param about.evaluation  of the weights of this step; left out if they were not evaluated
 */
export function packState(
  training: Training,
  { task, fingerprint }: Pick<RunAbout, "task" | "fingerprint">,
  { seconds, evaluation }: { seconds: number; evaluation?: EvaluatedStep | undefined },
): Promise<CheckpointFiles> {
  const { name, build }: Backend = defaultBackend();
  const about = { task, seconds, madeBy, backend: { name, build }, data: fingerprint };
  if (!evaluation) return packCheckpoint(training, about);
  const { puzzles, exact, cell } = evaluation;
  return packCheckpoint(training, { ...about, evaluation: { puzzles, exact, cell } });
}

/** Thrown by the progress callback to leave `evaluate`. */
class Stopped extends Error {}

async function evaluateUnlessStopped(
  training: Training,
  examples: RunSets["watch"],
  stop: StopRequest,
  show: (done: number, total: number) => void,
) {
  const onProgress = async (done: number, total: number): Promise<void> => {
    show(done, total);
    if (await stop.check()) throw new Stopped();
  };
  try {
    const options = { ...training.config.training, batchSize: evaluationBatch, onProgress };
    return await evaluate(training.evaluationModel, examples, options);
  } catch (error) {
    if (error instanceof Stopped) return undefined;
    throw error;
  }
}

/** Means over the halted puzzles are null in a step in which no puzzle halted. */
function stepLine(metrics: StepMetrics, seconds: number): StepLine {
  const { step, haltedCount, learningRate, loss, answerLoss, haltLoss, continueLoss, gradientNorm } = metrics;
  const perHalted = (sum: number): number | null => (haltedCount > 0 ? sum / haltedCount : null);
  return {
    event: "step",
    step,
    seconds: toMilliseconds(seconds),
    loss,
    answerLoss,
    haltLoss,
    continueLoss,
    gradientNorm,
    learningRate,
    halted: haltedCount,
    exact: perHalted(metrics.exactCount),
    cell: perHalted(metrics.cellAccuracySum),
    haltAccuracy: perHalted(metrics.correctHaltCount),
    stepsUntilHalt: perHalted(metrics.stepsSum),
  };
}

function unseenLine(evaluation: Evaluation, step: number, seconds: number): UnseenLine {
  const { exact, cell, interval95, ...rest } = evaluation;
  return {
    event: "unseen",
    step,
    seconds: toMilliseconds(seconds),
    ...rest,
    exact: exact.at(-1)!,
    cell: cell.at(-1)!,
    exactLow: interval95[0],
    exactHigh: interval95[1],
    exactAfter: [...exact],
    cellAfter: [...cell],
    haltCounts: [...rest.haltCounts],
  };
}

const toMilliseconds = (seconds: number): number => Math.round(seconds * 1000) / 1000;
