/**
 * What the trainer, the evaluation and the command line need to know of a puzzle: how it becomes tokens and back.
 *
 * A task is a grid of cells with one token each, read row by row: a question (the input) and an answer of the same shape.
 * Token 0 is padding; a label of 0 counts for nothing (the trainer turns it into -100).
 */
import type { Random } from "../tensor/index.ts";
import type { ExampleSets, TokenPair } from "./examples.ts";

export interface GenerateOptions {
  readonly train: number;
  readonly test: number;
  readonly seed: number;
  /** Called now and then with the number of finished examples. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Task {
  /** As on the command line: "sudoku9". */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** L = rows * columns. */
  readonly sequenceLength: number;
  /** V, the padding token included. */
  readonly vocabularySize: number;

  /** A question in its one-line text form. @throws PuzzleError if it is malformed or contradicts itself. */
  parse(question: string): Int32Array;

  /** The one-line text form. Tokens that mean nothing (padding) become "?". */
  format(tokens: ArrayLike<number>): string;

  /**
   * A picture in text, one line per row.
   * @param paint may decorate a cell's symbol (colour, brackets); it gets the cell's position.
   */
  draw(tokens: ArrayLike<number>, paint?: (symbol: string, position: number) => string): string;

  /** Why the answer is not a right answer to the question, in one line; undefined if nothing can be said against it. */
  mistake(question: ArrayLike<number>, answer: ArrayLike<number>): string | undefined;

  /** Whether an answer without a mistake is right. False where the rule is known from examples alone. */
  readonly canJudge: boolean;

  /** A train and a test set. No test question is a training question, nor a symmetry of one where the task says so. */
  generate(options: GenerateOptions): ExampleSets;

  /**
   * The same puzzle seen otherwise: a random symmetry of question and answer. The image of a training puzzle is never an unseen
   * puzzle of `generate`; a task that cannot promise that (4x4 Sudoku) returns the puzzle as it is.
   */
  augment(question: Int32Array, answer: Int32Array, random: Random): TokenPair;
}

/** Whether an answer is right; null where the task cannot tell. @param mistake  what the task says of it */
export const isRight = ({ canJudge }: Task, mistake: string | undefined): boolean | null =>
  mistake !== undefined ? false : canJudge || null;
