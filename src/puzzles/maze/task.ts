/**
 * Mazes as a task: find a shortest path from S to G. Sides 7 to 30 (the published set: 30).
 *
 * Vocabulary 6: padding 0, then the characters "# SGo". The parts are in maze/: board (text, tokens, paths), generator.
 */

import { DatasetError } from "../../formats/index.ts";
import { Random } from "../../tensor/index.ts";
import {
  ConfigError,
  type ExampleSets,
  type Examples,
  type GenerateOptions,
  PuzzleError,
  packExamples,
  type Task,
  type TokenPair,
} from "../../trm/index.ts";
import { type PuzzleRow, readPuzzleCsv } from "../csv/puzzle-csv.ts";
import { dihedralTransform } from "../dihedral.ts";
import { drawApart } from "../draw-apart.ts";
import { formatMaze, isMazeSide, MAZE_CHARACTERS, MAZE_SIDES, mazeMistake, mazeProblem, parseMaze } from "./board.ts";
import { generateMaze, type MazeOptions } from "./generator.ts";

export {
  distancesFrom,
  formatMaze,
  isMazeSide,
  MAZE_CHARACTERS,
  MAZE_SIDES,
  mazeMistake,
  mazeProblem,
  parseMaze,
  solveMaze,
} from "./board.ts";
export { defaultLongerThan, generateMaze, type MazeOptions, PUBLISHED_WALLS } from "./generator.ts";

export const MAZE_VOCABULARY = MAZE_CHARACTERS.length + 1;

/** @throws ConfigError if the side is not 7 to 30. */
export function mazeTask(side: number, options: Omit<MazeOptions, "side"> = {}): Task {
  if (!isMazeSide(side)) {
    throw new ConfigError(`maze${side}: expected a side of ${MAZE_SIDES.smallest} to ${MAZE_SIDES.largest}`);
  }
  return {
    name: `maze${side}`,
    rows: side,
    columns: side,
    sequenceLength: side * side,
    vocabularySize: MAZE_VOCABULARY,
    parse(question) {
      const tokens = parseMaze(question, side);
      const problem = mazeProblem(tokens, side);
      if (problem !== undefined) throw new PuzzleError(`maze: ${problem}`);
      return tokens;
    },
    format: formatMaze,
    draw(tokens, paint = (cell) => cell) {
      const cells = [...formatMaze(tokens)].map(paint);
      return Array.from({ length: side }, (_, row) => cells.slice(row * side, (row + 1) * side).join("")).join("\n");
    },
    mistake: (question, answer) => mazeMistake(question, answer, side),
    canJudge: true,
    generate: (wanted) => generateSets(side, options, wanted),
    augment(question, answer, random) {
      const id = random.integer(8);
      return { question: turnMaze(question, side, id), answer: turnMaze(answer, side, id) };
    },
  };
}

/** One of the eight dihedral images of a maze, question or answer. */
export function turnMaze(tokens: ArrayLike<number>, side: number, id: number): Int32Array {
  return Int32Array.from(dihedralTransform({ rows: side, columns: side, cells: Uint8Array.from(tokens) }, id).cells);
}

/** Different mazes, and no test maze is a dihedral image of a training maze. */
function generateSets(side: number, options: Omit<MazeOptions, "side">, wanted: GenerateOptions): ExampleSets {
  const { train, test } = drawApart({
    ...wanted,
    name: `maze${side}`,
    random: new Random(wanted.seed),
    draw: (random) => generateMaze({ ...options, side }, random),
    key: ({ question }) => mazeKey(question, side),
  });
  return { train: packExamples(train, side * side), test: packExamples(test, side * side) };
}

/** The same for all eight images of a maze, different for different mazes: the smallest of their texts. */
export function mazeKey(question: ArrayLike<number>, side: number): string {
  let smallest = formatMaze(question);
  for (let id = 1; id < 8; id++) {
    const image = formatMaze(turnMaze(question, side, id));
    if (image < smallest) smallest = image;
  }
  return smallest;
}

/**
 * Reads mazes of one side from the official CSV form.
 * @param options check: "path" (the default) asks for one S, one G and an answer that marks a shortest path; "form" checks
 * lengths and characters only, as the official builder does.
 * @throws DatasetError naming file, line and column.
 */
export function readMazeCsv(
  text: string,
  fileName: string,
  { side, check = "path" }: { readonly side?: number; readonly check?: "form" | "path" } = {},
): { readonly side: number; readonly examples: Examples; readonly rows: readonly PuzzleRow[] } {
  const rows = readPuzzleCsv(text, fileName);
  const expected = side ?? Math.sqrt(rows[0]?.question.length ?? Number.NaN);
  if (rows.length === 0) throw new DatasetError("no puzzles", { file: fileName });
  const pairs = rows.map((row) =>
    mazeRowToTokens(row, Number.isInteger(expected) ? expected : undefined, fileName, check),
  );
  return { side: expected, examples: packExamples(pairs, expected * expected), rows };
}

/** One row of the CSV as tokens. @throws DatasetError as readMazeCsv. */
export function mazeRowToTokens(
  row: PuzzleRow,
  side: number | undefined,
  fileName: string,
  check: "form" | "path",
): TokenPair {
  const refuse = (column: "question" | "answer", problem: string) =>
    new DatasetError(`${column}: ${problem}`, { file: fileName, line: row.line, column: row.columns[column] });
  const read = (column: "question" | "answer") => {
    try {
      return parseMaze(row[column], side);
    } catch (error) {
      throw error instanceof PuzzleError ? refuse(column, error.message) : error;
    }
  };
  const question = read("question");
  const answer = read("answer");
  if (check === "path") {
    const width = Math.sqrt(question.length);
    const problem = mazeProblem(question, width);
    if (problem !== undefined) throw refuse("question", `maze: ${problem}`);
    const mistake = mazeMistake(question, answer, width);
    if (mistake !== undefined) throw refuse("answer", `maze: ${mistake}`);
  }
  return { question, answer };
}
