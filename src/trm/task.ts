// The contract between the algorithm and a kind of puzzle: how puzzles become tokens, and how answers are read and checked.
//
// A task is a grid of cells with one token each, in row-major order: a question (the input) and an answer of the same shape.
// Token 0 is padding. A label of 0 is ignored by loss and accuracy.
import type { Random } from "../tensor/index.ts";
import type { ModelConfig } from "./config.ts";
import type { ExampleSets, TokenPair } from "./examples.ts";

/** How many puzzles `task.generate` draws, and from which seed. */
export interface GenerateOptions {
  readonly train: number;
  readonly test: number;
  readonly seed: number;
  /** Called from time to time with the number of finished examples. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A symmetry of a task: the image of a question has the image of its answer. [L] tokens to [L] tokens. */
export interface TaskSymmetry {
  apply(tokens: ArrayLike<number>): Int32Array;
  /** inverse(apply(tokens)) equals the tokens. */
  inverse(tokens: ArrayLike<number>): Int32Array;
}

/** A kind of puzzle: its text and tokens, how puzzles are drawn, and how an answer is judged. */
export interface Task {
  /** The name on the command line, such as "sudoku9". */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** L = rows * columns. */
  readonly sequenceLength: number;
  /** V, the padding token included. */
  readonly vocabularySize: number;

  /** A question in its one-line text form. @throws PuzzleError if it is malformed or contradicts itself. */
  parse(question: string): Int32Array;

  /** The one-line text form. Tokens without a symbol (padding) become "?". */
  format(tokens: ArrayLike<number>): string;

  /**
   * A picture in text, one line per row.
   * @param paint decorates the symbol of a cell (colour, brackets), given its position
   */
  draw(tokens: ArrayLike<number>, paint?: (symbol: string, position: number) => string): string;

  /** Why the answer is wrong, in one line; undefined if no mistake is found. */
  mistake(question: ArrayLike<number>, answer: ArrayLike<number>): string | undefined;

  /** Whether an answer without a mistake is correct. False if the rule is known from examples alone. */
  readonly canJudge: boolean;

  /** A train and a test set. No test question is a training question, or a symmetry of one if the task has symmetries. */
  generate(options: GenerateOptions): ExampleSets;

  /**
   * Applies a random symmetry to question and answer. The image of a training puzzle is never an unseen puzzle of `generate`; a
   * task that cannot guarantee this (4x4 Sudoku) returns the puzzle unchanged.
   */
  augment(question: Int32Array, answer: Int32Array, random: Random): TokenPair;

  /**
   * Symmetries under which a model can be asked the same question, see evaluateVote: the identity first, then `count - 1` others, or
   * all others if the task has fewer. Absent for a task without symmetries.
   */
  symmetries?(count: number, random: Random): readonly TaskSymmetry[];
}

/** Whether an answer is correct; null if the task cannot judge. @param mistake  the result of `task.mistake` */
export const isCorrect = ({ canJudge }: Task, mistake: string | undefined): boolean | null =>
  mistake !== undefined ? false : canJudge || null;

/** Why a model cannot be used for a task, in one line; undefined if their sizes agree. */
export function misfitOf(task: Task, { sequenceLength, vocabularySize, columns }: ModelConfig): string | undefined {
  if (sequenceLength !== task.sequenceLength || vocabularySize !== task.vocabularySize) {
    return `the model has ${sequenceLength} cells and ${vocabularySize} tokens, ${task.name} has ${task.sequenceLength} and ${task.vocabularySize}`;
  }
  if (columns === undefined || columns === task.columns) return undefined;
  return `the model has ${columns} columns, ${task.name} has ${task.columns}`;
}
