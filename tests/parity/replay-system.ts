// Replays a training run of the official code. Initial weights, batches and exploration draws come from the case; everything else
// is computed and compared.

import { constant, noGrad } from "../../src/autograd/index.ts";
import { learningRate } from "../../src/nn/index.ts";
import { importWeights, officialTensors } from "../../src/runs/weights.ts";
import { keep, type Tensor } from "../../src/tensor/index.ts";
import { parseConfig } from "../../src/trm/config.ts";
import { evaluate } from "../../src/trm/evaluation.ts";
import type { Batch, Examples } from "../../src/trm/examples.ts";
import { ignoredLabel, labelCounts, lossOf, readReport } from "../../src/trm/losses.ts";
import { fromOfficialSystem, officialStateName, officialWeightName } from "../../src/trm/official-names.ts";
import { predictions } from "../../src/trm/prediction.ts";
import { type StepMetrics, Training } from "../../src/trm/training.ts";
import type { CaseTensors, OfficialStep, SystemCase } from "./case.ts";
import type { Comparison } from "./compare.ts";

const gradientTolerance = 1e-3;
const weightTolerance = 1e-4;

/** The numbers of a tensor, read before its memory is released. */
type Snapshot = Promise<ArrayLike<number>>;

export async function replaySystem(official: SystemCase, tensors: CaseTensors, compare: Comparison): Promise<void> {
  const tolerance = Math.max(1e-4, 10 * official.float64_deviation);
  const { global_batch_size, ...train } = official.train;
  const settings = { ...official.config, ...train, intermediate_multiple: official.intermediate_multiple };
  const config = parseConfig(fromOfficialSystem(official.kind, settings, official.name), official.name);
  const { batchSize } = config.training;
  compare.equal("global batch size", [global_batch_size], [batchSize]);

  let step = 0;
  const readBatch = (prefix: string): Batch => ({
    inputs: tensors.integers(`${prefix}/inputs`),
    labels: tensors.integers(`${prefix}/labels`),
    puzzleIds: tensors.integers(`${prefix}/puzzle_identifiers`),
  });
  let observed = new Map<string, Snapshot>();
  const { sequenceLength } = config.model;
  const source = { sequenceLength, next: () => readBatch(`step${step}/batch`), state: null };
  const training = new Training(config, source, {
    minimumSteps: () => explored(official.steps[step - 1]!),
    observe: (seen) => {
      const onlyY = config.model.recursion === "direct";
      observed = new Map([
        ["logits", seen.logits.data()],
        ["q", seen.q.data()],
        ...[...seen.gradients].map(([name, g]) => [officialWeightName(name, onlyY), g.data()] as const),
      ]);
      if (seen.targetQContinue) observed.set("target_q_continue", seen.targetQContinue.data());
      if (seen.puzzleGradient) observed.set("inner.puzzle_emb.local_weights", seen.puzzleGradient.data());
    },
  });
  const initial = tensors.below("init/");
  for (const model of [training.model, training.ema]) if (model) importWeights(model, initial, official.name);

  for (const expected of official.steps) {
    step = expected.step;
    const metrics = await training.supervisionStep();
    await compareStep(expected, metrics);
  }
  const last = `step${official.steps.length}/carry/`;
  for (const [name, { value }] of Object.entries(training.carry.latents)) {
    await compareFloats(last + officialStateName(name).carry, value, tolerance);
  }
  compareIntegers(`${last}steps`, training.carry.steps);
  compareIntegers(`${last}halted`, Int32Array.from(training.carry.halted, Number));
  await compareWeights("final/", training.model);
  if (training.ema) await compareWeights("ema/", training.ema);
  await replayEvaluation();
  training.dispose();

  async function compareStep(expected: OfficialStep, metrics: StepMetrics): Promise<void> {
    const at = `step ${expected.step}`;
    const { warmupSteps, totalSteps, minRatio, learningRate: base, puzzleLearningRate } = config.training;
    const rate = (own: number): number => learningRate(expected.step, { base: own, warmupSteps, totalSteps, minRatio });
    compare.close(`${at} lr`, [metrics.learningRate], [expected.lr], 1e-9);
    compare.close(`${at} lr`, [rate(base), rate(puzzleLearningRate)], [expected.lr, expected.puzzle_emb_lr], 1e-9);
    compare.close(`${at} loss`, [metrics.loss * batchSize], [expected.loss], tolerance);
    compareMetrics(at, expected.metrics, metrics);
    compare.equal(`${at} steps`, training.carry.steps, expected.steps_after);
    compare.equal(`${at} halted`, training.carry.halted, expected.halted_after);
    compare.equal(`${at} all halted`, [training.carry.halted.every(Boolean)], [expected.all_halted]);

    const out = `step${expected.step}/out/`;
    const logits = await observed.get("logits")!;
    const q = await observed.get("q")!;
    compare.close(`${at} logits`, logits, tensors.floats(`${out}logits`), tolerance);
    compare.equal(
      `${at} predictions`,
      argmaxRows(logits, config.model.vocabularySize),
      tensors.integers(`${out}preds`),
    );
    const column = (i: number): Float64Array =>
      Float64Array.from({ length: q.length / 2 }, (_, row) => q[2 * row + i]!);
    compare.close(`${at} q_halt`, column(0), tensors.floats(`${out}q_halt_logits`), tolerance);
    compare.close(`${at} q_continue`, column(1), tensors.floats(`${out}q_continue_logits`), tolerance);
    if (tensors.has(`${out}target_q_continue`)) {
      const target = (await observed.get("target_q_continue")) ?? [];
      compare.close(`${at} target_q_continue`, target, tensors.floats(`${out}target_q_continue`), tolerance);
    }
    for (const [name, norm] of Object.entries(expected.grad_norms)) {
      const gradient = (await observed.get(name)) ?? [];
      const own = Math.hypot(...Array.from(gradient));
      compare.close(`${at} gradient norm of ${name}`, [own], [norm], gradientTolerance);
      const tensor = `step${expected.step}/grad/${name}`;
      if (tensors.has(tensor)) compare.close(tensor, gradient, tensors.floats(tensor), gradientTolerance);
    }
    compareIntegers(`step${expected.step}/grad/inner.puzzle_emb.local_ids`, training.carry.puzzleIds);
  }

  /** Compares sums over the batch: integers exactly, shares and losses within the tolerance. */
  function compareMetrics(
    at: string,
    expected: Readonly<Record<string, number>>,
    got: StepMetrics | EvalMetrics,
  ): void {
    const own: Record<string, number> = {
      count: got.haltedCount,
      accuracy: got.cellAccuracySum,
      exact_accuracy: got.exactCount,
      q_halt_accuracy: got.correctHaltCount,
      steps: got.stepsSum,
      lm_loss: got.answerLoss * batchSize,
      q_halt_loss: got.haltLoss * batchSize,
      q_continue_loss: got.continueLoss * batchSize,
    };
    for (const [name, value] of Object.entries(expected)) {
      const isWhole = ["count", "exact_accuracy", "q_halt_accuracy", "steps"].includes(name);
      if (isWhole || !(name in own)) compare.equal(`${at} ${name}`, [own[name]], [value]);
      else compare.close(`${at} ${name}`, [own[name]!], [value], name === "accuracy" ? 1e-6 : tolerance);
    }
  }

  async function compareFloats(name: string, tensor: Tensor, allowed: number): Promise<void> {
    compare.close(name, await tensor.data(), tensors.floats(name), allowed);
  }

  /** Compares the tensor if the case has it. */
  function compareIntegers(name: string, got: Int32Array): void {
    if (tensors.has(name)) compare.equal(name, got, tensors.integers(name));
  }

  async function compareWeights(prefix: string, model: Parameters<typeof officialTensors>[0]): Promise<void> {
    const own = new Map(officialTensors(model));
    for (const name of tensors.names.filter((each) => each.startsWith(prefix))) {
      const tensor = own.get(name.slice(prefix.length));
      compare.close(name, tensor ? await tensor.data() : [], tensors.floats(name), weightTolerance);
    }
  }

  async function replayEvaluation(): Promise<void> {
    const batch = readBatch("eval/batch");
    const steps = official.eval.supervision_steps;
    for await (const prediction of predictions(training.model, batch, steps)) {
      const out = `eval/out${prediction.step}/`;
      compare.equal(`${out}preds`, prediction.tokens, tensors.integers(`${out}preds`));
      compare.close(`${out}q_halt_logits`, prediction.qHalt, tensors.floats(`${out}q_halt_logits`), tolerance);
      if (tensors.has(`${out}logits`)) await compareFloats(`${out}logits`, prediction.logits, tolerance);
      if (prediction.step === steps)
        compareMetrics("eval", official.eval.metrics, await evalMetrics(prediction, batch, steps));
    }
    await compareEvaluate(batch, steps);
  }

  /** `evaluate` in batches of two, with one more row that has no labels: the official metrics do not count it either. */
  async function compareEvaluate({ inputs, labels, puzzleIds }: Batch, steps: number): Promise<void> {
    const examples: Examples = {
      count: puzzleIds.length + 1,
      length: sequenceLength,
      inputs: Int32Array.of(...inputs, ...inputs.subarray(0, sequenceLength)),
      labels: Int32Array.of(...labels, ...new Int32Array(sequenceLength).fill(ignoredLabel)),
      puzzleIds: Int32Array.of(...puzzleIds, 0),
      ignoreLabel: null,
    };
    const own = await evaluate(training.model, examples, { ...config.training, nSup: steps, batchSize: 2 });
    const { count, exact_accuracy } = official.eval.metrics;
    compare.equal("evaluate: puzzles", [own.puzzles], [count]);
    compare.close("evaluate: exact", [own.exact.at(-1)! * own.puzzles], [exact_accuracy!], 1e-9);
    const predicted = tensors.integers(`eval/out${steps}/preds`);
    const labelled = [...labels.keys()].filter((i) => labels[i]! >= 0);
    const correct = labelled.filter((i) => predicted[i] === labels[i]);
    compare.close("evaluate: cell", [own.cell.at(-1)!], [correct.length / labelled.length], 1e-9);
  }

  async function evalMetrics(
    prediction: { logits: Tensor; q: Tensor },
    batch: Batch,
    steps: number,
  ): Promise<EvalMetrics> {
    const { labels } = batch;
    const report = noGrad(() => {
      const inputs = { logits: constant(prediction.logits), q: constant(prediction.q), labels, targetQContinue: null };
      return keep(lossOf(inputs, config.training).report);
    });
    const { correctCells, qHalt, ...losses } = readReport([await report.data()]);
    report.dispose();
    const counts = labelCounts(labels, config.model.sequenceLength);
    const done = [...counts.keys()].filter((slot) => counts[slot]! > 0);
    const sumOver = (f: (slot: number) => number): number => done.reduce((sum, slot) => sum + f(slot), 0);
    const isCorrect = (slot: number): boolean => correctCells[slot] === counts[slot];
    return {
      answerLoss: losses.answerLoss / batchSize,
      haltLoss: losses.haltLoss / batchSize,
      continueLoss: losses.continueLoss / batchSize,
      haltedCount: done.length,
      cellAccuracySum: sumOver((slot) => correctCells[slot]! / counts[slot]!),
      exactCount: sumOver((slot) => Number(isCorrect(slot))),
      correctHaltCount: sumOver((slot) => Number(qHalt[slot]! >= 0 === isCorrect(slot))),
      stepsSum: steps * done.length,
    };
  }
}

type EvalMetrics = Omit<StepMetrics, "step" | "loss" | "learningRate" | "gradientNorm" | "notFinite">;

/** Minimum steps per slot from the recorded draws: a slot explores if its uniform draw is below the probability. */
const explored = ({ exploration: { uniform, min_halt_steps_if_explored, probability } }: OfficialStep): Int32Array =>
  Int32Array.from(uniform, (draw, slot) => (draw < probability ? min_halt_steps_if_explored[slot]! : 0));

function argmaxRows(values: ArrayLike<number>, width: number): Int32Array {
  return Int32Array.from({ length: values.length / width }, (_, row) => {
    let best = 0;
    for (let j = 1; j < width; j++) if (values[row * width + j]! > values[row * width + best]!) best = j;
    return best;
  });
}
