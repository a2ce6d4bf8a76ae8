// Deep supervision: the loop around the recursion. Every step runs deepRecursion on all slots of the batch, takes the loss
// against the true answers, updates the weights, and hands the detached carry to the next step; a slot whose puzzle has
// halted takes a new one. Paper section 2.3 and fig. 3; batch handling of the official code.

import { affine, gradients, noGrad, type Variable } from "../autograd/index.ts";
import { Adam, learningRate, updateAverage } from "../nn/index.ts";
import * as t from "../tensor/index.ts";
import { Carry } from "./carry.ts";
import type { Config } from "./config.ts";
import type { BatchSource } from "./examples.ts";
import { drawMinimumSteps, haltedAfter } from "./halting.ts";
import { labelCounts, lossOf, readReport } from "./losses.ts";
import { Model } from "./model.ts";
import { deepRecursion, type Latents } from "./recursion.ts";

/** What a training step tells. Sums over the batch; "halted" ones over the puzzles that halted after this step. */
export interface StepMetrics {
  readonly step: number;
  readonly loss: number;
  readonly answerLoss: number;
  readonly haltLoss: number;
  readonly continueLoss: number;
  readonly learningRate: number;
  /** Puzzles that halted. */
  readonly halted: number;
  /** Sum over them of the share of right cells, of whole right answers, of right halting decisions (q >= 0), of steps taken. */
  readonly cellAccuracy: number;
  readonly exact: number;
  readonly haltAccuracy: number;
  readonly steps: number;
}

/** What an observer sees of a step, while its tensors live. */
export interface Observed {
  readonly logits: t.Tensor;
  readonly q: t.Tensor;
  readonly targetQContinue: t.Tensor | null;
  /** By parameter name, of loss / batch size. */
  readonly gradients: ReadonlyMap<string, t.Tensor>;
  readonly puzzleGradient: t.Tensor | null;
}

export interface TrainingHooks {
  /** Replaces the random exploration: minimum steps per slot. */
  readonly minimumSteps?: () => Int32Array;
  readonly observe?: (observed: Observed) => void;
}

export class Training {
  readonly model: Model;
  /** The averaged weights, for evaluation; null without EMA. */
  readonly averaged: Model | null;
  readonly optimizer: Adam;
  readonly carry: Carry;
  /** Draws the exploration. */
  readonly random: t.Random;
  step = 0;
  readonly #names: readonly string[];
  readonly #parameters: readonly Variable[];

  constructor(
    readonly config: Config,
    readonly source: BatchSource,
    private readonly hooks: TrainingHooks = {},
  ) {
    const { training } = config;
    const random = new t.Random(training.seed);
    const forWeights = random.split();
    const start = forWeights.state;
    this.random = random.split();
    this.model = new Model(config.model, forWeights);
    // The same draws give the average the same weights to start from. Puzzle rows are not averaged (official code: buffers).
    const { puzzleEmbedding } = this.model;
    this.averaged = training.emaRate > 0 ? new Model(config.model, t.Random.fromState(start), puzzleEmbedding) : null;
    const named = new Map(this.model.namedParameters());
    this.#names = [...named.keys()];
    this.#parameters = [...named.values()];
    const { beta1, beta2, weightDecay } = training;
    this.optimizer = new Adam(training.optimizer, { beta1, beta2, weightDecay }, named);
    this.carry = new Carry(this.model, training.batchSize);
  }

  /** The weights to evaluate with. */
  get evaluated(): Model {
    return this.averaged ?? this.model;
  }

  /** One supervision step on every slot. */
  async supervisionStep(): Promise<StepMetrics> {
    const { model, carry, config } = this;
    const { training } = config;
    this.step++;
    carry.refill(this.source.next(training.batchSize));
    const rates = this.#learningRates();

    const report = t.scope(() => {
      const [inputs, puzzleIds] = this.#question();
      const { x, puzzleRows } = model.embed(inputs, puzzleIds);
      const { carry: next, logits, q } = deepRecursion(model, x, carry.latents);
      const targetQContinue = training.continueLoss ? this.#continueTarget(x, next) : null;
      const loss = lossOf({ logits, q, labels: carry.labels, targetQContinue }, training);

      const perPuzzle = affine(loss.total, 1 / training.batchSize);
      const wanted = puzzleRows ? [...this.#parameters, puzzleRows] : this.#parameters;
      const all = gradients(perPuzzle, wanted);
      const [ofWeights, puzzleGradient] = [all.slice(0, this.#parameters.length), all[this.#parameters.length] ?? null];
      this.hooks.observe?.({
        logits: logits.value,
        q: q.value,
        targetQContinue,
        gradients: new Map(this.#names.map((name, i) => [name, ofWeights[i]!])),
        puzzleGradient,
      });

      this.optimizer.update(ofWeights, rates.weights);
      if (puzzleGradient)
        model.puzzleEmbedding!.update(puzzleIds, puzzleGradient, rates.puzzles, training.puzzleWeightDecay);
      if (this.averaged) updateAverage(this.averaged, model, training.emaRate);
      carry.replaceLatents(next);
      return loss.report;
    });
    const numbers = readReport(await report.data());
    report.dispose();
    return this.#halt(numbers, rates.weights);
  }

  #learningRates(): { weights: number; puzzles: number } {
    const { training } = this.config;
    const { warmupSteps, totalSteps, minRatio } = training;
    const at = (base: number): number => learningRate(this.step, { base, warmupSteps, totalSteps, minRatio });
    return { weights: at(training.learningRate), puzzles: at(training.puzzleLearningRate) };
  }

  /** The puzzles of the slots as tensors: inputs [B, L], ids [B]. */
  #question(): [t.Tensor, t.Tensor] {
    const { inputs, puzzleIds, slots } = this.carry;
    return [t.tensor(inputs, { shape: [slots, this.model.config.sequenceLength] }), t.tensor(puzzleIds)];
  }

  // DEVIATION: continue loss — does not run for TRM in the official code; here it does.
  /** σ(last step ? q_halt' : max(q_halt', q_continue')), the primed values from one more pass over the new carry. [B] */
  #continueTarget(x: Variable, next: Latents): t.Tensor {
    const { slots, steps } = this.carry;
    return t.scope(() => {
      const { q } = noGrad(() => deepRecursion(this.model, x, next));
      const column = (i: number): t.Tensor => t.reshape(t.slice(q.value, 1, i, i + 1), [slots]);
      const isLast = t.tensor(Float32Array.from(steps, (step) => (step + 1 >= this.config.training.nSup ? 1 : 0)));
      return t.sigmoid(t.select(isLast, column(0), t.maximum(column(0), column(1))));
    });
  }

  /** Counts the step, decides which slots have halted, and sums up the puzzles that have. */
  #halt(report: ReturnType<typeof readReport>, rate: number): StepMetrics {
    const { carry, config } = this;
    const { training } = config;
    for (let slot = 0; slot < carry.slots; slot++) carry.steps[slot]!++;
    const minimum = this.hooks.minimumSteps?.() ?? drawMinimumSteps(this.random, carry.slots, training);
    haltedAfter(carry.steps, report, minimum, training).forEach((halted, slot) => {
      carry.halted[slot] = halted;
    });
    const counts = labelCounts(carry.labels, config.model.sequenceLength);
    const done = [...carry.halted.keys()].filter((slot) => carry.halted[slot] && counts[slot]! > 0);
    const sumOver = (f: (slot: number) => number): number => done.reduce((sum, slot) => sum + f(slot), 0);
    const isRight = (slot: number): boolean => report.rightCells[slot] === counts[slot];
    return {
      step: this.step,
      loss: report.loss,
      answerLoss: report.answerLoss,
      haltLoss: report.haltLoss,
      continueLoss: report.continueLoss,
      learningRate: rate,
      halted: done.length,
      cellAccuracy: sumOver((slot) => report.rightCells[slot]! / counts[slot]!),
      exact: sumOver((slot) => Number(isRight(slot))),
      haltAccuracy: sumOver((slot) => Number(report.qHalt[slot]! >= 0 === isRight(slot))),
      steps: sumOver((slot) => carry.steps[slot]!),
    };
  }

  dispose(): void {
    this.model.dispose();
    this.averaged?.dispose();
    this.optimizer.dispose();
    this.carry.dispose();
  }
}
