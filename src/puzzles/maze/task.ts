// Mazes as a task: find a shortest path from S to G. Sides are 7 to 30 (the published set: 30).
//
// The vocabulary has 6 tokens: padding 0, then the characters "# SGo". This folder holds board (text, tokens, paths), generator and
// csv.
import { Random, showValue } from "../../tensor/index.ts";
import {
  ConfigError,
  type ExampleSets,
  type GenerateOptions,
  PuzzleError,
  packExamples,
  type Task,
} from "../../trm/index.ts";
import { checkedTask } from "../checked-task.ts";
import { dihedralSymmetries, transformTokens } from "../dihedral.ts";
import { drawApart } from "../draw-apart.ts";
import { drawRows } from "../draw-rows.ts";
import {
  formatMaze,
  isMazeSide,
  joinMazeRows,
  MAZE_CHARACTERS,
  MAZE_SIDES,
  mazeMistake,
  mazeProblem,
  parseMaze,
  solveMaze,
} from "./board.ts";
import { checkMazeOptions, generateMaze, type MazeOptions } from "./generator.ts";

export const MAZE_VOCABULARY = MAZE_CHARACTERS.length + 1;

/**
 * Mazes with `side` rows and columns as a task: the answer marks a shortest path.
 *
 * @throws ConfigError unless the side is 7 to 30, and for paths or shares of walls that no maze of this side has
 */
export function mazeTask(side: number, options: Omit<MazeOptions, "side"> = {}): Task {
  if (!isMazeSide(side)) {
    throw new ConfigError(
      `mazeTask: got ${showValue(side)} as the side, expected ${MAZE_SIDES.smallest} to ${MAZE_SIDES.largest}`,
    );
  }
  checkMazeOptions({ ...options, side });
  return checkedTask({
    name: `maze${side}`,
    rows: side,
    columns: side,
    sequenceLength: side * side,
    vocabularySize: MAZE_VOCABULARY,
    /** The rows in one line or on lines of their own; spaces and dots are free cells. */
    parse(question) {
      const tokens = parseMaze(joinMazeRows(question, side), side);
      const problem = mazeProblem(tokens, side);
      if (problem !== undefined) throw new PuzzleError(`maze: ${problem}`);
      return tokens;
    },
    format: formatMaze,
    draw(tokens, paint = (cell) => cell) {
      return drawRows([...formatMaze(tokens)].map(paint), side);
    },
    mistake: (question, answer) => mazeMistake(question, answer, side),
    canJudge: true,
    generate: (generateOptions) => generateSets(side, options, generateOptions),
    augment(question, answer, random) {
      const id = random.integer(8);
      const image = turnMaze(question, side, id);
      // The rule that selects one of several shortest paths prefers directions, so the image of its path is often not the path
      // that it selects in the image. Turning it would give the same maze different labels.
      const followsRule = sameTokens(answer, solveMaze(question, side));
      return { question: image, answer: followsRule ? solveMaze(image, side) : turnMaze(answer, side, id) };
    },
    /** The image of a shortest path is a shortest path of the image, although not always the one that the rule selects. */
    symmetries(count, random) {
      return dihedralSymmetries([0, 1, 2, 3, 4, 5, 6, 7], { rows: side, columns: side }, count, random);
    },
  });
}

const sameTokens = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  Array.from(a).every((token, i) => token === b[i]);

/** One of the eight dihedral images of a question or an answer. */
export function turnMaze(tokens: ArrayLike<number>, side: number, id: number): Int32Array {
  return transformTokens(tokens, { rows: side, columns: side }, id);
}

/** Different mazes; no test maze is a dihedral image of a training maze. */
function generateSets(side: number, maze: Omit<MazeOptions, "side">, options: GenerateOptions): ExampleSets {
  const { train, test } = drawApart({
    ...options,
    name: `maze${side}`,
    random: new Random(options.seed),
    draw: (random) => generateMaze({ ...maze, side }, random),
    key: ({ question }) => mazeKey(question, side),
  });
  return { train: packExamples(train, side * side), test: packExamples(test, side * side) };
}

/** Equal for the eight images of a maze, different for different mazes: the smallest of their texts. */
export function mazeKey(question: ArrayLike<number>, side: number): string {
  let smallest = formatMaze(question);
  for (let id = 1; id < 8; id++) {
    const image = formatMaze(turnMaze(question, side, id));
    if (image < smallest) smallest = image;
  }
  return smallest;
}
