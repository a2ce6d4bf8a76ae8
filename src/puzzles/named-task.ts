// Tasks by name, as a command line, a run folder or a page uses them. A new task is a row of `families`.
import * as z from "zod/mini";
import { expectObject, showValue } from "../tensor/index.ts";
import { ConfigError, type Examples, type Task } from "../trm/index.ts";
import { ARC_LENGTH, ARC_SIDE, ARC_VOCABULARY } from "./arc/grid.ts";
import { arcTaskOfSide, isArcSide } from "./arc/task.ts";
import { readGridCsv } from "./grid-csv.ts";
import { type GridTask, gridTask } from "./grid-task.ts";
import { isMazeSide } from "./maze/board.ts";
import { readMazeCsv } from "./maze/csv.ts";
import { MAZE_VOCABULARY, mazeTask } from "./maze/task.ts";
import type { SplitMetadata } from "./official-layout/layout.ts";
import { isSudokuSide, type SudokuSide } from "./sudoku/board.ts";
import { readSudokuCsv } from "./sudoku/csv.ts";
import { sudokuTask } from "./sudoku/task.ts";
import { tokensTask } from "./tokens-task.ts";

/** The tasks whose puzzles can be generated. */
export const taskNames = ["sudoku4", "sudoku6", "sudoku9", "maze"] as const;
/** The tasks that need a data set or a module. "grid" is a custom task with its symbols, "tokens" any other task. */
const otherTaskNames = ["arc", "grid", "tokens"] as const;
/** The names of tasks that run folders can store. */
export type TaskName = (typeof taskNames)[number] | (typeof otherTaskNames)[number];

/** A task with its options, as plain data that run folders store. */
export interface TaskChoice {
  readonly name: TaskName;
  /** Number of clues of generated Sudokus; by default, as few as a unique solution allows. */
  readonly clues?: number | undefined;
  /** Number of rows and columns of a maze (default: 9) or of the canvas of ARC (default: 30). */
  readonly side?: number | undefined;
  /** The shortest paths of generated mazes have more steps than this. Default: `defaultLongerThan(side)`. */
  readonly longerThan?: number | undefined;
  /** Number of cells of the task "tokens". */
  readonly cells?: number | undefined;
  /** Size of the vocabulary of the task "tokens". */
  readonly vocabulary?: number | undefined;
  /** The name of the task "grid". Its definition follows, without its functions. */
  readonly title?: string | undefined;
  /** Rows of the task "grid". */
  readonly rows?: number | undefined;
  /** Columns of the task "grid". */
  readonly columns?: number | undefined;
  /** Symbols of the task "grid". The first one is token 1. */
  readonly symbols?: string | undefined;
  /** Transforms that map puzzles of the task "grid" to puzzles. */
  readonly symmetry?: "none" | "dihedral" | undefined;
  /** Absolute path of the module that defines the task "grid" with its functions. */
  readonly module?: string | undefined;
}

/** Schema of a TaskChoice that was read from a file. */
export const taskChoiceSchema = z.strictObject({
  name: z.enum([...taskNames, ...otherTaskNames]),
  clues: z.optional(z.number().check(z.int(), z.minimum(0))),
  side: z.optional(z.number().check(z.int())),
  longerThan: z.optional(z.number().check(z.int(), z.minimum(0))),
  cells: z.optional(z.number().check(z.int(), z.minimum(1))),
  vocabulary: z.optional(z.number().check(z.int(), z.minimum(2))),
  title: z.optional(z.string()),
  rows: z.optional(z.number().check(z.int(), z.minimum(1))),
  columns: z.optional(z.number().check(z.int(), z.minimum(1))),
  symbols: z.optional(z.string()),
  symmetry: z.optional(z.enum(["none", "dihedral"])),
  module: z.optional(z.string()),
} satisfies Record<keyof TaskChoice, z.ZodMiniType>);

interface Family {
  task(choice: TaskChoice): Task;
  /** Reads questions and answers from a file of puzzles. @throws DatasetError */
  readCsv(task: Task, text: string, fileName: string): Examples;
}

const defaultMazeSide = 9;
const sideOf = ({ side = defaultMazeSide }: TaskChoice): number => side;

const sudoku = (side: SudokuSide): Family => ({
  task({ name, clues, side: given, longerThan }) {
    if (given !== undefined)
      throw new ConfigError(`${name}: got a side, expected none (the side of ${name} is ${side})`);
    if (longerThan !== undefined)
      throw new ConfigError(`${name}: got a length of paths, expected none (paths belong to mazes)`);
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
      if (choice.clues !== undefined)
        throw new ConfigError("maze: got a number of clues, expected none (clues belong to Sudokus)");
      return mazeTask(sideOf(choice), { longerThan: choice.longerThan });
    },
    readCsv: ({ rows }, text, fileName) => readMazeCsv(text, fileName, { side: rows }).examples,
  },
  arc: {
    task({ side = ARC_SIDE, clues, longerThan }) {
      if (clues !== undefined || longerThan !== undefined) {
        throw new ConfigError("arc: got a number of clues or a length of paths, expected none (arc has a side only)");
      }
      return arcTaskOfSide(side);
    },
    readCsv: noCsv,
  },
  grid: {
    task: storedGrid,
    readCsv: (task, text, fileName) => readGridCsv(text, fileName, task, taskOf(choiceOf(task)).parse),
  },
  tokens: { task: ({ cells = 1, vocabulary = 2 }) => tokensTask(cells, vocabulary), readCsv: noCsv },
};

/** A grid task as far as it can be stored: it reads, writes and draws puzzles, but cannot generate or judge them. */
function storedGrid({
  title: name = "grid",
  rows = 1,
  columns = 1,
  symbols = "",
  symmetry = "none",
}: TaskChoice): GridTask {
  const draw = (): never => {
    throw new ConfigError(`${name}: such puzzles cannot be generated without the definition of the task`);
  };
  return gridTask({ name, rows, columns, symbols, symmetry, draw });
}

function noCsv({ name }: Task): never {
  throw new ConfigError(`${name}: cannot be read from a CSV file, expected a data set in the official layout`);
}

/** The task that a choice describes. @throws ConfigError for an option that the task does not have */
export function taskOf(choice: TaskChoice): Task {
  expectObject("taskOf", "the choice", choice, ["name"]);
  if (!Object.hasOwn(families, choice.name)) {
    throw new ConfigError(
      `taskOf: got ${showValue(choice.name)} as the name, expected one of ${Object.keys(families).join(", ")}`,
    );
  }
  return families[choice.name].task(choice);
}

/**
 * The plain data from which `taskOf` makes a task with the same cells and tokens. They contain neither the clues of generated Sudokus and
 * the path length of generated mazes, nor the functions of a custom task.
 */
export function choiceOf(task: Task): TaskChoice {
  expectObject("choiceOf", "the task", task, ["name", "sequenceLength", "vocabularySize"]);
  const { name, rows, columns, sequenceLength, vocabularySize } = task;
  if ("symbols" in task) {
    const { symbols, symmetry } = task as GridTask;
    return { name: "grid", title: name, rows, columns, symbols, symmetry };
  }
  const side = Math.sqrt(sequenceLength);
  if (name === "arc" && isArcSide(side) && vocabularySize === ARC_VOCABULARY) {
    return side === ARC_SIDE ? { name } : { name, side };
  }
  const known = taskOfData({ sequenceLength, vocabularySize });
  return taskOf(known).name === name ? known : { name: "tokens", cells: sequenceLength, vocabulary: vocabularySize };
}

/** Sets the number of clues, which a preset chooses, unless the choice has one already. */
export const withClues = (choice: TaskChoice, clues: number | undefined): TaskChoice =>
  choice.clues === undefined && clues !== undefined ? { ...choice, clues } : choice;

/** Reads puzzles of a task from a file (csv/puzzle-csv.ts). @throws DatasetError that names file, line and column */
export function readTaskCsv(task: Task, text: string, fileName: string): Examples {
  expectObject("readTaskCsv", "the task", task, ["name", "sequenceLength", "vocabularySize"]);
  return families[choiceOf(task).name].readCsv(task, text, fileName);
}

/** Recognises the task of a data set without task.json by the size of its puzzles and of its vocabulary. */
export function taskOfData({
  sequenceLength,
  vocabularySize,
}: Pick<SplitMetadata, "sequenceLength" | "vocabularySize">): TaskChoice {
  const side = Math.sqrt(sequenceLength);
  if (isSudokuSide(side) && vocabularySize === side + 2) return { name: `sudoku${side}` };
  if (vocabularySize === MAZE_VOCABULARY && isMazeSide(side)) return { name: "maze", side };
  if (sequenceLength === ARC_LENGTH && vocabularySize === ARC_VOCABULARY) return { name: "arc" };
  return { name: "tokens", cells: sequenceLength, vocabulary: vocabularySize };
}
