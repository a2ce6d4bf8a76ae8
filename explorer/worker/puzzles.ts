// Puzzles: how their boards are drawn, and reading and solving those of a visitor, all with the task's own functions.
import { type Examples, solveMaze, solveSudoku, type Task } from "trm-ts";
import type { Puzzle } from "../shared/calls.ts";
import type { Board } from "../shared/models.ts";

export function boardOf(task: Task): Board {
  const { name, rows, columns, vocabularySize, sequenceLength } = task;
  const symbols = Array.from({ length: vocabularySize }, (_, token) => {
    let symbol = "";
    task.draw(new Int32Array(sequenceLength).fill(token), (drawn) => {
      symbol = drawn.trim() || drawn; // numbers are drawn with spaces before them
      return drawn;
    });
    return symbol;
  });
  return { kind: kindOf(name), rows, columns, symbols };
}

function kindOf(name: string): Board["kind"] {
  if (name.startsWith("sudoku")) return "sudoku";
  return name.startsWith("maze") ? "maze" : "grid";
}

/** One of the puzzles of a set. */
export function puzzleAt({ inputs, labels, length }: Examples, index: number): Puzzle {
  const own = (tokens: Int32Array): number[] => [...tokens.subarray(index * length, (index + 1) * length)];
  return { question: own(inputs), truth: own(labels) };
}

/** Reads a puzzle and finds its answer. @throws PuzzleError with the message of the task's parser */
export function readPuzzle(task: Task, text: string): Puzzle {
  const question = task.parse(text);
  return { question: [...question], truth: truthOf(task, question) };
}

function truthOf(task: Task, question: Int32Array): number[] | null {
  if (task.name.startsWith("sudoku")) {
    const solution = solveSudoku(question);
    return solution && [...solution];
  }
  return task.name.startsWith("maze") ? [...solveMaze(question, task.rows)] : null;
}

/**
 * Whether an answer is correct: by the rule of the task, because a maze may have several shortest paths; by the known answer if the
 * task has no rule; null if there is neither.
 */
export function isRight(task: Task, { question, truth }: Puzzle, answer: ArrayLike<number>): boolean | null {
  if (task.canJudge) return task.mistake(question, answer) === undefined;
  return truth === null ? null : truth.every((token, cell) => token === answer[cell]);
}

/** The answer of a puzzle, or another correct one that the model gave. */
export function truthBeside(task: Task, puzzle: Puzzle, answer: readonly number[]): Puzzle["truth"] {
  return puzzle.truth && isRight(task, puzzle, answer) ? answer : puzzle.truth;
}
