// Adaptive computation at evaluation: a puzzle whose q says stop leaves the batch, and the others continue in a smaller batch, so
// that its further steps are not computed. Paper section 2.4; the official code always makes N_sup steps.
import { expectInstance, expectObject, expectWhole } from "../tensor/index.ts";
import { Model } from "./model.ts";
import { type PredictionHooks, PredictionRun, type Question, splitPairs } from "./prediction.ts";

/** Options of `predictionsAtExit`. */
export interface EarlyExitOptions extends PredictionHooks {
  /** Supervision steps after which every puzzle leaves. This may exceed the number used in training. */
  readonly maxSteps: number;
  /** Whether a puzzle with these values leaves now. Called once per puzzle and step, except at the last step. */
  stops(qHalt: number, qContinue: number): boolean;
}

/** The predictions with which the puzzles of a batch left it. */
export interface ExitPredictions {
  /** [B, L] */
  readonly tokens: Int32Array;
  /** [B] the step after which the puzzle left, from 1 */
  readonly exitSteps: Int32Array;
  /** [B] at that step */
  readonly qHalt: Float32Array;
}

/**
 * Answers a batch of puzzles, each until `options.stops` says so or the steps are used up.
 *
 * @throws ArgumentError for a number of steps below 1; ConfigError if the puzzles have another length than the model's
 */
export async function predictionsAtExit(
  model: Model,
  question: Question,
  options: EarlyExitOptions,
): Promise<ExitPredictions> {
  expectInstance("predictionsAtExit", "the model", model, Model);
  expectObject("predictionsAtExit", "the options", options, ["maxSteps", "stops"]);
  expectWhole("predictionsAtExit", "maxSteps", options.maxSteps);
  expectObject("predictionsAtExit", "the question", question, ["inputs"]);
  const { sequenceLength: length } = model.config;
  const run = new PredictionRun(model, question, options);
  const exit: ExitPredictions = {
    tokens: new Int32Array(question.inputs.length),
    exitSteps: new Int32Array(run.puzzles.length),
    qHalt: new Float32Array(run.puzzles.length),
  };
  try {
    for (let step = 1; ; step++) {
      const { logits, tokens, q } = run.step();
      const reads = Promise.all([tokens.data(), q.data()]);
      for (const tensor of [logits, tokens, q]) tensor.dispose(); // a read that has started outlives its tensor
      const [cells, pairs] = await reads;

      const { qHalt, qContinue } = splitPairs(pairs);
      const stays = Array.from(
        run.puzzles,
        (_, slot) => step < options.maxSteps && !options.stops(qHalt[slot]!, qContinue[slot]!),
      );
      for (const [slot, puzzle] of run.puzzles.entries()) {
        if (stays[slot]) continue;
        exit.tokens.set((cells as Int32Array).subarray(slot * length, (slot + 1) * length), puzzle * length);
        exit.exitSteps[puzzle] = step;
        exit.qHalt[puzzle] = qHalt[slot]!;
      }
      const staying = [...run.puzzles.keys()].filter((slot) => stays[slot]);
      if (staying.length === 0) return exit;
      if (staying.length < run.puzzles.length) run.select(staying);
    }
  } finally {
    run.dispose();
  }
}
