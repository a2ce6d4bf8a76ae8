// Answers of a model to puzzles in the text form of a task: what a program needs to use a trained model.

import { expectInstance, expectObject, showValue } from "../tensor/index.ts";
import { trainingSchema } from "./config.ts";
import { predictionsAtExit } from "./early-exit.ts";
import { ConfigError, PuzzleError } from "./errors.ts";
import { batchHooks } from "./evaluation.ts";
import { type Examples, expectExamples } from "./examples.ts";
import { type HaltingOptions, saysHalt } from "./halting.ts";
import { Model } from "./model.ts";
import type { PredictionHooks } from "./prediction.ts";
import { isCorrect, misfitOf, type Task } from "./task.ts";

/** Steps, halting, batch size, and the hooks of the supervision steps. */
export interface PredictOptions extends PredictionHooks {
  /** Largest number of supervision steps per puzzle. Default: nSup of `training`. */
  readonly steps?: number | undefined;
  /**
   * Whether a puzzle stops at the first step at which q says that its answer is correct. Default true. With false every puzzle
   * makes all steps, as in the evaluation of the official code.
   */
  readonly halt?: boolean | undefined;
  /** The settings of the training of the model, which say how q is read. Default: those of TRM, with nSup = 16. */
  readonly training?: HaltingOptions | undefined;
  /** Number of puzzles that are computed together. Default 64. */
  readonly batchSize?: number | undefined;
}

/** The answer of a model to one puzzle. */
export interface Answer {
  /** [L] the question as tokens */
  readonly question: Int32Array;
  /** [L] the answer as tokens; `task.draw(tokens)` is a picture of it. */
  readonly tokens: Int32Array;
  /** The answer in the text form of the task. */
  readonly answer: string;
  /** q_halt after the last step: the logit of the estimate that the answer is correct. */
  readonly q: number;
  /** Supervision steps that the puzzle made. */
  readonly steps: number;
  /** Why the answer is wrong, in one line; undefined if the task finds no mistake. */
  readonly mistake: string | undefined;
  /** Whether the answer is correct; null if the task cannot judge it. */
  readonly correct: boolean | null;
}

/**
 * Answers puzzles, in their order. All memory of the computation is released.
 *
 * @param puzzles  questions as text (`task.parse`) or as L tokens each; or examples, such as the test set of `task.generate`,
 *   of which the questions and the puzzle ids are used
 * @throws PuzzleError for a malformed question, with its place in `puzzles`; ConfigError if task and model have different sizes
 */
export async function predict(
  model: Model,
  task: Task,
  puzzles: readonly (string | ArrayLike<number>)[] | Examples,
  options: PredictOptions = {},
): Promise<Answer[]> {
  expectInstance("predict", "the model", model, Model);
  expectObject("predict", "the task", task, ["sequenceLength", "parse", "format"]);
  expectObject("predict", "the options", options);
  const { halt = true, training = trainingSchema.parse({}), batchSize = 64 } = options;
  const { steps = training.nSup } = options;
  const misfit = misfitOf(task, model.config);
  if (misfit !== undefined) throw new ConfigError(`predict: ${misfit}`);
  for (const [name, value] of Object.entries({ steps, batchSize })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ConfigError(`predict: ${name}: got ${value}, expected an integer from 1`);
    }
  }
  const length = task.sequenceLength;
  if (isExamples(puzzles)) {
    expectExamples("predict", puzzles);
    if (puzzles.length !== length) {
      throw new ConfigError(
        `predict: got examples of ${puzzles.length} cells, expected ${length}, the cells of ${task.name}`,
      );
    }
  }
  const { inputs, puzzleIds } = isExamples(puzzles)
    ? puzzles
    : { inputs: tokensOf(task, puzzles), puzzleIds: undefined };
  const stops = (qHalt: number, qContinue: number): boolean => halt && saysHalt(qHalt, qContinue, training);
  const hooksAt = batchHooks(options);
  const answers: Answer[] = [];
  for (let first = 0; first * length < inputs.length; first += batchSize) {
    const batch = inputs.slice(first * length, (first + batchSize) * length);
    const question = { inputs: batch, puzzleIds: puzzleIds?.slice(first, first + batchSize) };
    const exit = await predictionsAtExit(model, question, {
      ...hooksAt(first),
      maxSteps: steps,
      stops,
    });
    exit.exitSteps.forEach((made, slot) => {
      const ofSlot = (tokens: Int32Array): Int32Array => tokens.slice(slot * length, (slot + 1) * length);
      answers.push(
        answerOf(task, { question: ofSlot(batch), tokens: ofSlot(exit.tokens), q: exit.qHalt[slot]!, steps: made }),
      );
    });
  }
  return answers;
}

function answerOf(task: Task, given: Pick<Answer, "question" | "tokens" | "q" | "steps">): Answer {
  const mistake = task.mistake(given.question, given.tokens);
  return { ...given, answer: task.format(given.tokens), mistake, correct: isCorrect(task, mistake) };
}

const isExamples = (puzzles: object): puzzles is Examples => Object(puzzles) === puzzles && "inputs" in puzzles;

/** The questions as tokens, [N, L]. @throws PuzzleError */
function tokensOf(task: Task, puzzles: readonly (string | ArrayLike<number>)[]): Int32Array {
  if (!Array.isArray(puzzles)) {
    throw new PuzzleError(`predict: puzzles: got ${showValue(puzzles)}, expected an array of questions, or examples`);
  }
  const inputs = new Int32Array(puzzles.length * task.sequenceLength);
  for (const [index, puzzle] of puzzles.entries()) {
    inputs.set(questionOf(task, puzzle, `predict: puzzles[${index}]`), index * task.sequenceLength);
  }
  return inputs;
}

/** @throws PuzzleError that begins with `where` */
function questionOf(task: Task, puzzle: unknown, where: string): ArrayLike<number> {
  const { sequenceLength, vocabularySize } = task;
  if (typeof puzzle === "string") {
    try {
      return task.parse(puzzle);
    } catch (error) {
      throw error instanceof PuzzleError ? new PuzzleError(`${where}: ${error.message}`) : error;
    }
  }
  const tokens = Array.from(Object(puzzle) as ArrayLike<unknown>);
  if (tokens.length !== sequenceLength) {
    throw new PuzzleError(`${where}: got ${tokens.length} tokens, expected ${sequenceLength} (or the puzzle as text)`);
  }
  const wrong = tokens.findIndex(
    (token) => !Number.isInteger(token) || Number(token) < 0 || Number(token) >= vocabularySize,
  );
  if (wrong >= 0) {
    throw new PuzzleError(
      `${where}: token ${wrong + 1} is ${tokens[wrong]}, expected an integer from 0 to ${vocabularySize - 1}`,
    );
  }
  return tokens as number[];
}
