// Deep supervision. A supervision step runs the recursion on the puzzles of the batch, computes the loss against the true answers and
// updates the weights. The detached latents, kept in the carry, are the start of the next step. A slot (a place in the batch) whose puzzle
// has halted gets a new puzzle.
// Paper section 2.3 and figure 3; batch handling as in the official code.
import { affine, gradients, noGrad, type Variable } from "../autograd/index.ts";
import {
  Adam,
  learningRate,
  Optimizer,
  type OptimizerState,
  type PuzzleEmbedding,
  updateAverage,
  warmedUpRate,
} from "../nn/index.ts";
import * as t from "../tensor/index.ts";
import { Carry, type CarryState, mapLatents } from "./carry.ts";
import { type Config, expectConfig, type ModelConfig, type TrainingConfig } from "./config.ts";
import { depthCurriculum, RevealedExamples } from "./curriculum.ts";
import { ConfigError } from "./errors.ts";
import type { BatchSource } from "./examples.ts";
import { drawMinimumSteps, haltedAfter } from "./halting.ts";
import { type LossFunction, labelCounts, lossOf, type Report, readReport } from "./losses.ts";
import { microBatchOf, type Pass, PassSum, releasePass } from "./micro-batch.ts";
import { Model } from "./model.ts";
import { readCheck, type StepCheck, squaredNorms, sums } from "./step-check.ts";
import { initialOf, recursionStep, type StepContext, type StepHooks } from "./step-hooks.ts";
import type { Latents } from "./variants.ts";

/** Metrics of one training step. Losses are means over the batch; counts and sums are over the puzzles that halted in it. */
export interface StepMetrics extends StepCheck {
  readonly step: number;
  readonly loss: number;
  readonly answerLoss: number;
  readonly haltLoss: number;
  readonly continueLoss: number;
  readonly learningRate: number;
  /** Puzzles with labels that halted. */
  readonly haltedCount: number;
  /** Sum of the shares of correct cells. */
  readonly cellAccuracySum: number;
  /** Puzzles whose whole answer is correct. */
  readonly exactCount: number;
  /** Puzzles for which q >= 0 agrees with whether the answer is correct. */
  readonly correctHaltCount: number;
  /** Sum of the supervision steps that these puzzles made. */
  readonly stepsSum: number;
}

/** The tensors of a step that an observer sees. They are valid until the observer returns, or the Promise that it returned resolves. */
export interface Observed {
  /** The step, from 1. */
  readonly step: number;
  /** The latents after the recursion, [B, P + L, D] each: y and z for TRM. */
  readonly latents: Readonly<Record<string, t.Tensor>>;
  /** [B, L, V] */
  readonly logits: t.Tensor;
  /** [B, 2] */
  readonly q: t.Tensor;
  /** [B] */
  readonly targetQContinue: t.Tensor | null;
  /** Gradients of loss / batch size by the name of the parameter. */
  readonly gradients: ReadonlyMap<string, t.Tensor>;
  /** [B, puzzleEmbeddingSize] */
  readonly puzzleGradient: t.Tensor | null;
}

/**
 * Changes to the algorithm. All are optional, and without them no number changes. The hooks of StepHooks apply to every supervision
 * step. docs/changing-the-algorithm.md has an example of each.
 */
export interface TrainingHooks extends StepHooks {
  /** Creates the model, and the model of the moving average, which shares the puzzle embedding. Default: `new Model(...)`. */
  readonly createModel?: CreateModel;
  /** Creates the optimizer of the parameters, which are given by name. Default: the Adam of the configuration. */
  readonly createOptimizer?: (parameters: ReadonlyMap<string, Variable>, config: TrainingConfig) => Optimizer;
  /** Replaces the loss of the configuration. */
  readonly loss?: LossFunction;
  /** Replaces the random exploration: the minimum number of steps of every slot. */
  readonly minimumSteps?: () => Int32Array;
  /** Sees every step before the weights are updated. It runs outside every scope: it has to release the tensors that it creates. */
  readonly observe?: (observed: Observed) => void | Promise<void>;
  /** Replaces the number of slots that are computed together. */
  readonly microBatch?: number;
}

/** What a training needs to continue bit for bit, as plain data. */
export interface TrainingState {
  readonly step: number;
  readonly optimizer: OptimizerState;
  readonly random: t.RandomState;
  /** The state of the batch source. */
  readonly source: unknown;
  readonly carry: CarryState;
}

/** Creates a model; `sharedPuzzles` is given for the moving average. See the constructor of Model. */
export type CreateModel = (config: ModelConfig, random: t.Random, sharedPuzzles?: PuzzleEmbedding | null) => Model;

const adamOf = (parameters: ReadonlyMap<string, Variable>, config: TrainingConfig): Optimizer => {
  const { optimizer, beta1, beta2, weightDecay } = config;
  return new Adam(optimizer, { beta1, beta2, weightDecay }, parameters);
};

/**
 * A training: model, optimizer, moving average and carry, advanced one supervision step at a time. `dispose` releases it; the source of
 * its batches stays open.
 */
export class Training {
  readonly model: Model;
  /** The moving average of the weights, or null without EMA. */
  readonly ema: Model | null;
  readonly optimizer: Optimizer;
  readonly carry: Carry;
  /** Draws the exploration. */
  readonly random: t.Random;
  /** Slots that are computed together; fewer than the batch if its tape would not fit in memory. */
  readonly microBatch: number;
  #step = 0;
  #isStepping = false;
  /** The batches: those that were given, with blanks filled in if the configuration says so. */
  readonly source: BatchSource;
  private readonly hooks: TrainingHooks;
  readonly #names: readonly string[];
  readonly #parameters: readonly Variable[];

  /** @throws ConfigError if the puzzles of the source have another length than the configuration says */
  constructor(
    readonly config: Config,
    source: BatchSource,
    hooks: TrainingHooks = {},
  ) {
    expectConfig("Training", config);
    t.expectObject("Training", "the source", source, ["sequenceLength", "next"]);
    t.expectObject("Training", "the hooks", hooks);
    if (hooks.microBatch !== undefined) t.expectWhole("Training", "microBatch", hooks.microBatch);
    const { training } = config;
    const { sequenceLength } = config.model;
    if (source.sequenceLength !== sequenceLength) {
      throw new ConfigError(
        `sequenceLength: got ${sequenceLength}, expected ${source.sequenceLength}, the length of the training puzzles`,
      );
    }
    const { depthCurriculum: hasStages, revealProbability, seed } = training;
    this.source = revealProbability > 0 ? new RevealedExamples(source, revealProbability, seed) : source;
    this.hooks = hasStages ? { ...hooks, depth: hooks.depth ?? depthCurriculum(config) } : hooks;
    const random = new t.Random(seed);
    const forWeights = random.split();
    const start = forWeights.state;
    this.random = random.split();
    this.microBatch = hooks.microBatch ?? microBatchOf(config);
    const createModel: CreateModel = hooks.createModel ?? ((...given) => new Model(...given));
    const parts = t.releaseOnError(() => {
      const model = createModel(config.model, forWeights);
      t.expectInstance("createModel", "the result", model, Model);
      // The average starts from the same weights, because it is drawn from the same state. Puzzle rows are not averaged, as in the
      // official code, where they are buffers.
      const { puzzleEmbedding } = model;
      const ema = training.emaRate > 0 ? createModel(config.model, t.Random.fromState(start), puzzleEmbedding) : null;
      if (ema && ema.puzzleEmbedding !== puzzleEmbedding) {
        throw new ConfigError(
          "createModel: got a model with a puzzle embedding of its own, expected the one that is passed",
        );
      }
      const named = new Map(model.namedParameters());
      const optimizer = hooks.createOptimizer ? hooks.createOptimizer(named, training) : adamOf(named, training);
      t.expectInstance("createOptimizer", "the result", optimizer, Optimizer);
      return { model, ema, named, optimizer, carry: new Carry(model, training.batchSize) };
    });
    this.model = parts.model;
    this.ema = parts.ema;
    this.#names = [...parts.named.keys()];
    this.#parameters = [...parts.named.values()];
    this.optimizer = parts.optimizer;
    this.carry = parts.carry;
  }

  /** Supervision steps made so far. */
  get step(): number {
    return this.#step;
  }

  /** Whether a supervision step is running. Weights, moments and carry belong together only between two steps. */
  get isStepping(): boolean {
    return this.#isStepping;
  }

  /** The model to evaluate: the averaged weights if there are any. */
  get evaluationModel(): Model {
    return this.ema ?? this.model;
  }

  /**
   * One supervision step on every slot. On all backends but gpu it does not return to the event loop: a loop of steps beside timers or
   * requests has to await `new Promise((resolve) => setTimeout(resolve))` now and then.
   *
   * @param onProgress  called and awaited after every micro-batch of a batch that has several, with the number of slots that are
   *   computed and the number of all slots. If it throws, the step ends without an update;
   *   it is still counted, and its batch is consumed
   * @throws Error if the previous step is still running
   */
  async supervisionStep(onProgress?: (slots: number, of: number) => void | Promise<void>): Promise<StepMetrics> {
    if (this.#isStepping)
      throw new Error("supervisionStep: the previous step is still running; await it before the next call");
    this.#isStepping = true;
    try {
      const minimumSteps = this.hooks.minimumSteps?.();
      if (minimumSteps) t.expectTokens("minimumSteps", "the result", minimumSteps, this.carry.slots);
      this.#refill();
      const { pass, reports } = await this.#forwardAndBackward(onProgress);
      if (this.hooks.observe) await this.#observe(this.hooks.observe, pass, reports);
      const checks = this.#update(pass, reports);
      // The only numbers that a step reads back: reading waits for the kernels, so they are joined.
      const numbers = await readTogether([...reports, ...checks]);
      const [norms, weightSums] = numbers.splice(-2) as [Float64Array, Float64Array];
      return { ...this.#halt(readReport(numbers), minimumSteps), ...readCheck(this.#names, norms, weightSums) };
    } finally {
      this.#isStepping = false;
    }
  }

  /** Puts the puzzles of a new batch into the slots that have halted. */
  #refill(): void {
    const { model, carry, config } = this;
    const batch = this.source.next(config.training.batchSize);
    this.#step++;
    const stepsMade = carry.steps.map((steps, slot) => (carry.halted[slot] ? 0 : steps));
    t.scope(() => carry.refill(batch, initialOf(model, this.hooks, this.#context(0, stepsMade))));
  }

  /** The pass of all slots, micro-batch by micro-batch, and the report of each. */
  async #forwardAndBackward(
    onProgress?: (slots: number, of: number) => void | Promise<void>,
  ): Promise<{ readonly pass: Pass; readonly reports: readonly t.Tensor[] }> {
    const { slots } = this.carry;
    const passes = new PassSum();
    const reports: t.Tensor[] = [];
    try {
      for (let first = 0; first < slots; first += this.microBatch) {
        const { report, ...pass } = t.scope(() => this.#passOf(first));
        reports.push(report);
        passes.add(pass);
        if (this.microBatch < slots) await onProgress?.(Math.min(first + this.microBatch, slots), slots);
      }
      return { pass: passes.finish(), reports };
    } catch (error) {
      passes.release();
      for (const each of reports) each.dispose();
      throw error;
    }
  }

  /** One supervision step of the slots from `first` on: the recursion, the loss and the gradients. */
  #passOf(first: number): Pass & { readonly report: t.Tensor } {
    const { model, carry } = this;
    const { training } = this.config;
    const { inputs, labels, puzzleIds, steps, ...before } = carry.part(first, this.microBatch);
    const { x, puzzleRows } = model.embed(inputs, puzzleIds);
    const context = this.#context(first, steps);
    const latents = recursionStep(model, { x, latents: before.latents }, this.hooks, context);
    const { logits, q } = model.heads(latents);
    const targetQContinue = training.continueLoss ? this.#continueTarget(x, latents, context) : null;
    const own = this.hooks.loss;
    const { total, report } = lossOf(
      { logits, q, labels, targetQContinue },
      training,
      own && ((parts) => own({ ...parts, inputs: carry.tokens(first, this.microBatch) })),
    );
    const loss = affine(total, 1 / training.batchSize);
    const weights = this.#parameters;
    const computed = gradients(loss, puzzleRows ? [...weights, puzzleRows] : weights);
    return {
      // New handles, because a step may leave a latent as it is, and then the carry holds the same tensor.
      latents: mapLatents(latents, (latent) => latent.view(latent.shape)),
      logits: logits.value,
      q: q.value,
      targetQContinue,
      gradients: computed.slice(0, weights.length),
      puzzleGradient: computed[weights.length] ?? null,
      report,
    };
  }

  /** Shows the pass to the observer. If the observer fails, the step ends without an update, and everything is released. */
  async #observe(
    observe: NonNullable<TrainingHooks["observe"]>,
    pass: Pass,
    reports: readonly t.Tensor[],
  ): Promise<void> {
    const latents = Object.fromEntries(Object.entries(pass.latents).map(([name, { value }]) => [name, value]));
    const gradients = new Map(this.#names.map((name, i) => [name, pass.gradients[i]!]));
    try {
      await observe({ ...pass, step: this.#step, latents, gradients });
    } catch (error) {
      abandon(pass, reports);
      throw error;
    }
  }

  /** The context of the slots from `first` on. */
  #context(first: number, steps: Int32Array): StepContext {
    const puzzles = Int32Array.from(steps, (_, i) => first + i);
    return { step: this.#step, steps, puzzles, random: this.random };
  }

  /**
   * Updates the weights and the carry. Releases everything else of the pass. Returns the squared norms of the gradients and the sums
   * of the updated weights.
   */
  #update(pass: Pass, reports: readonly t.Tensor[]): t.Tensor[] {
    const { gradients, puzzleGradient } = pass;
    const checks: t.Tensor[] = [];
    try {
      checks.push(squaredNorms(puzzleGradient ? [...gradients, puzzleGradient] : gradients));
      this.#updateWeights(pass);
      checks.push(sums(this.#parameters.map(({ value }) => value)));
    } catch (error) {
      for (const check of checks) check.dispose();
      abandon(pass, reports);
      throw error;
    }
    this.carry.advance(pass.latents);
    releasePass(pass);
    return checks;
  }

  /** Updates the weights, the puzzle rows and the average. */
  #updateWeights({ gradients, puzzleGradient }: Pass): void {
    const { carry, model, config } = this;
    const { training } = config;
    this.optimizer.update(gradients, this.#learningRate(training.learningRate));
    if (puzzleGradient) {
      const rate = this.#learningRate(training.puzzleLearningRate);
      t.scope(() =>
        model.puzzleEmbedding!.update(t.tensor(carry.puzzleIds), puzzleGradient, rate, training.puzzleWeightDecay),
      );
    }
    const { emaRate, emaWarmup } = training;
    if (this.ema) updateAverage(this.ema, model, emaWarmup ? warmedUpRate(this.#step, emaRate) : emaRate);
  }

  #learningRate(base: number): number {
    const { warmupSteps, totalSteps, minRatio } = this.config.training;
    return learningRate(this.#step, { base, warmupSteps, totalSteps, minRatio });
  }

  // DEVIATION: continue loss — does not run for TRM in the official code; here it does.
  /** σ(last step ? q_halt' : max(q_halt', q_continue')), the primed values from one more pass over the new carry. [B] */
  #continueTarget(x: Variable, latents: Latents, context: StepContext): t.Tensor {
    const { model, config } = this;
    const steps = context.steps.map((step) => step + 1);
    return t.scope(() => {
      const { q } = noGrad(() => model.heads(recursionStep(model, { x, latents }, this.hooks, { ...context, steps })));
      const column = (i: number): t.Tensor => t.reshape(t.slice(q.value, 1, i, i + 1), [steps.length]);
      const isLast = t.tensor(Float32Array.from(steps, (step) => (step >= config.training.nSup ? 1 : 0)));
      return t.sigmoid(t.select(isLast, column(0), t.maximum(column(0), column(1))));
    });
  }

  /**
   * Decides which slots have halted, and sums up the puzzles that have.
   *
   * @param minimumSteps  steps that every slot makes at least; drawn by default
   */
  #halt(report: Report, minimumSteps?: Int32Array): Omit<StepMetrics, keyof StepCheck> {
    const { carry, config } = this;
    const { training } = config;
    const minimum = minimumSteps ?? drawMinimumSteps(this.random, carry.slots, training);
    carry.halt(haltedAfter(carry.steps, report, minimum, training));
    const counts = labelCounts(carry.labels, config.model.sequenceLength);
    const done = [...carry.halted.keys()].filter((slot) => carry.halted[slot] && counts[slot]! > 0);
    const sumOver = (f: (slot: number) => number): number => done.reduce((sum, slot) => sum + f(slot), 0);
    const isCorrect = (slot: number): boolean => report.correctCells[slot] === counts[slot];
    return {
      step: this.#step,
      loss: report.loss / carry.slots,
      answerLoss: report.answerLoss / carry.slots,
      haltLoss: report.haltLoss / carry.slots,
      continueLoss: report.continueLoss / carry.slots,
      learningRate: this.#learningRate(training.learningRate),
      haltedCount: done.length,
      cellAccuracySum: sumOver((slot) => report.correctCells[slot]! / counts[slot]!),
      exactCount: sumOver((slot) => Number(isCorrect(slot))),
      correctHaltCount: sumOver((slot) => Number(report.qHalt[slot]! >= 0 === isCorrect(slot))),
      stepsSum: sumOver((slot) => carry.steps[slot]!),
    };
  }

  /**
   * Restores a state that a training of the same configuration was in. The weights are restored separately (importWeights).
   *
   * @throws RangeError for an invalid position in the training data, before anything is changed
   */
  restore({ step, optimizer, random, source, carry }: TrainingState): void {
    this.source.state = source;
    this.optimizer.restore(optimizer);
    this.carry.restore(carry);
    this.random.state = random;
    this.#step = step;
  }

  dispose(): void {
    this.model.dispose();
    this.ema?.dispose();
    this.optimizer.dispose();
    this.carry.dispose();
  }
}

/** Releases a pass, its latents and its reports after an error. The carry keeps the latents of the step before. */
function abandon(pass: Pass, reports: readonly t.Tensor[]): void {
  for (const { value } of Object.values(pass.latents)) value.dispose();
  for (const report of reports) report.dispose();
  releasePass(pass);
}

/** The numbers of the tensors, read at once. Releases the tensors. */
async function readTogether(parts: readonly t.Tensor[]): Promise<Float64Array[]> {
  const lengths = parts.map(({ size }) => size);
  let all: t.Tensor;
  try {
    all = t.concat(parts, 0);
  } finally {
    for (const part of parts) part.dispose();
  }
  const read = all.data();
  all.dispose(); // a read that has started outlives its tensor
  const numbers = Float64Array.from(await read);
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return numbers.subarray(end - length, end);
  });
}
