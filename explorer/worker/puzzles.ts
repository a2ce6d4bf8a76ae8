// Puzzles of the visitor: reading, solving and judging, all with the task's own functions.
import { solveMaze, solveSudoku, type Task } from "trm-ts";
import type { Puzzle } from "../shared/calls.ts";

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
  // Mazes can have several shortest paths; `judge` accepts each.
  return task.name.startsWith("maze") ? [...solveMaze(question, task.rows)] : null;
}
