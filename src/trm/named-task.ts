// Tasks by the name that a command line, a run folder or a page uses. A new task is one more row of `families`.
import { z } from "zod";
import { ConfigError } from "./errors.ts";
import { mazeTask, readMazeCsv } from "./tasks/maze.ts";
import { readSudokuCsv, type SudokuSide, sudokuTask } from "./tasks/sudoku.ts";
import type { Examples, Task } from "./tasks/task.ts";

export const taskNames = ["sudoku4", "sudoku6", "sudoku9", "maze"] as const;
export type TaskName = (typeof taskNames)[number];

/** Which task, and what can be chosen about it. Plain data: run folders hold it. */
export const taskChoiceSchema = z.strictObject({
  name: z.enum(taskNames),
  /** Generated Sudokus: stop removing clues at this many; left out: as few as the unique solution allows. */
  clues: z.number().int().min(0).optional(),
  /** Mazes: rows and columns. */
  side: z.number().int().optional(),
});
export type TaskChoice = z.output<typeof taskChoiceSchema>;

interface Family {
  task(choice: TaskChoice): Task;
  /** Questions and answers from the official CSV form. @throws DatasetError naming file, line and column */
  readCsv(choice: TaskChoice, text: string, fileName: string): Examples;
}

const defaultMazeSide = 9;
const sideOf = ({ side = defaultMazeSide }: TaskChoice): number => side;

const sudoku = (side: SudokuSide): Family => ({
  task({ name, clues, side: given }) {
    if (given !== undefined) throw new ConfigError(`${name}: a side is for mazes; the side of ${name} is ${side}`);
    return sudokuTask(side, { clues });
  },
  readCsv: (_, text, fileName) => readSudokuCsv(text, fileName, { side }).examples,
});

const families: Record<TaskName, Family> = {
  sudoku4: sudoku(4),
  sudoku6: sudoku(6),
  sudoku9: sudoku(9),
  maze: {
    task(choice) {
      if (choice.clues !== undefined) throw new ConfigError("maze: clues are for Sudokus");
      return mazeTask(sideOf(choice));
    },
    readCsv: (choice, text, fileName) => readMazeCsv(text, fileName, { side: sideOf(choice) }).examples,
  },
};

/** @throws ConfigError for a choice that its task does not offer */
export const taskOf = (choice: TaskChoice): Task => families[choice.name].task(choice);

/** Puzzles of the task from the official CSV form. @throws DatasetError naming file, line and column */
export const readTaskCsv = (choice: TaskChoice, text: string, fileName: string): Examples =>
  families[choice.name].readCsv(choice, text, fileName);
