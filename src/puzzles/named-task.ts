// Tasks by the name that a command line, a run folder or a page uses. A new task is one more row of `families`.
import { z } from "zod";
import { ConfigError, type Examples, type Task } from "../trm/index.ts";
import { ARC_LENGTH, ARC_VOCABULARY, arcTask } from "./arc.ts";
import { isMazeSide, MAZE_VOCABULARY, mazeTask, readMazeCsv } from "./maze/task.ts";
import type { SplitMetadata } from "./official-layout/layout.ts";
import { isSudokuSide, readSudokuCsv, type SudokuSide, sudokuTask } from "./sudoku/task.ts";
import { tokensTask } from "./tokens-task.ts";

/** Tasks whose puzzles can be generated. */
export const taskNames = ["sudoku4", "sudoku6", "sudoku9", "maze"] as const;
/** Tasks that come as a data set only; "tokens" is any that is not known here. */
const dataTaskNames = ["arc", "tokens"] as const;
export type TaskName = (typeof taskNames)[number] | (typeof dataTaskNames)[number];

/** Which task, and what can be chosen about it. Plain data: run folders hold it. */
export const taskChoiceSchema = z.strictObject({
  name: z.enum([...taskNames, ...dataTaskNames]),
  /** Generated Sudokus: stop removing clues at this many; left out: as few as the unique solution allows. */
  clues: z.number().int().min(0).optional(),
  /** Mazes: rows and columns. */
  side: z.number().int().optional(),
  /** Tokens: cells of a puzzle, and size of the vocabulary. */
  cells: z.number().int().min(1).optional(),
  vocabulary: z.number().int().min(2).optional(),
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
  arc: { task: () => arcTask, readCsv: noCsv },
  tokens: { task: ({ cells = 1, vocabulary = 2 }) => tokensTask(cells, vocabulary), readCsv: noCsv },
};

function noCsv({ name }: TaskChoice): never {
  throw new ConfigError(`${name}: has no CSV form, expected a data set in the official layout`);
}

/** @throws ConfigError for a choice that its task does not offer */
export const taskOf = (choice: TaskChoice): Task => families[choice.name].task(choice);

/** The task with so many clues, as a preset has them, unless it says itself how many. */
export const withClues = (choice: TaskChoice, clues: number | undefined): TaskChoice =>
  choice.clues === undefined && clues !== undefined ? { ...choice, clues } : choice;

/** Puzzles of the task from the official CSV form. @throws DatasetError naming file, line and column */
export const readTaskCsv = (choice: TaskChoice, text: string, fileName: string): Examples =>
  families[choice.name].readCsv(choice, text, fileName);

/** The task that a data set is of, by the size of its puzzles and of its vocabulary. */
export function taskOfData({ sequenceLength, vocabularySize }: SplitMetadata): TaskChoice {
  const side = Math.sqrt(sequenceLength);
  if (isSudokuSide(side) && vocabularySize === side + 2) return { name: `sudoku${side}` };
  if (vocabularySize === MAZE_VOCABULARY && isMazeSide(side)) return { name: "maze", side };
  if (sequenceLength === ARC_LENGTH && vocabularySize === ARC_VOCABULARY) return { name: "arc" };
  return { name: "tokens", cells: sequenceLength, vocabulary: vocabularySize };
}
