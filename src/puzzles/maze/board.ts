// A maze: its text, its tokens, and its validity.
//
// Characters "# SGo" (wall, free, start, goal, path) are tokens 1 to 5, padding 0, as in the official code. In the answer,
// the free cells of a shortest path are "o". Moves go up, down, left and right.
import { quoted } from "../../formats/index.ts";
import { showValue } from "../../tensor/index.ts";
import { PuzzleError } from "../../trm/index.ts";

export const MAZE_CHARACTERS = "# SGo";
export const WALL = 1;
export const FREE = 2;
export const START = 3;
export const GOAL = 4;
export const PATH = 5;

/** The sides that can be generated. */
export const MAZE_SIDES = { smallest: 7, largest: 30 } as const;

export const isMazeSide = (side: number): boolean =>
  Number.isInteger(side) && side >= MAZE_SIDES.smallest && side <= MAZE_SIDES.largest;

/**
 * Reads a square maze, row by row.
 * @param side expected side; any square if undefined
 * @throws PuzzleError for a wrong length or character; `mazeProblem` checks the rest
 */
export function parseMaze(text: string, side?: number): Int32Array {
  const characters = [...text];
  const wrong = characters.findIndex((character) => character.length !== 1 || !MAZE_CHARACTERS.includes(character));
  if (wrong >= 0) {
    throw new PuzzleError(
      `maze: character ${wrong + 1} is ${quoted(characters[wrong])}, expected one of "${MAZE_CHARACTERS}"`,
    );
  }
  if (side !== undefined && characters.length !== side * side) {
    throw new PuzzleError(
      `maze: ${characters.length} characters, expected ${side * side} (${side} rows of ${side}, row by row)`,
    );
  }
  if (!Number.isInteger(Math.sqrt(characters.length)) || characters.length < 4) {
    throw new PuzzleError(`maze: ${characters.length} characters, expected a square`);
  }
  return Int32Array.from(characters, (character) => MAZE_CHARACTERS.indexOf(character) + 1);
}

/**
 * Joins a maze that is written on several lines. A row may have a space between its cells, may have lost the spaces at its end, and
 * may show free cells as dots.
 */
export function joinMazeRows(text: string, side: number): string {
  const rows = text.split(/\r?\n/);
  while (rows.length > 1 && rows.at(-1) === "") rows.pop();
  const isSpaced = rows.length === side && rows.every((row) => /^.( .)*$/.test(row) && row.length === 2 * side - 1);
  const cells = isSpaced ? rows.map((row) => row.replace(/(.) /g, "$1")) : rows;
  const padded = cells.length === side ? cells.map((row) => row.padEnd(side)) : cells;
  return padded.join("").replaceAll(".", " ");
}

/** The text in one line; tokens without a character become "?". */
export function formatMaze(tokens: ArrayLike<number>): string {
  return Array.from(tokens, (token) => MAZE_CHARACTERS[token - 1] ?? "?").join("");
}

/** Distances in steps from a cell to all cells (-1: unreachable), by breadth-first search through everything but walls. */
export function distancesFrom(maze: ArrayLike<number>, side: number, start: number): Int32Array {
  const distance = new Int32Array(side * side).fill(-1);
  const queue = new Int32Array(side * side);
  distance[start] = 0;
  queue[0] = start;
  for (let head = 0, tail = 1; head < tail; head++) {
    const cell = queue[head]!;
    const next = distance[cell]! + 1;
    for (let direction = 0; direction < 4; direction++) {
      const neighbour = step(cell, direction, side);
      if (neighbour < 0 || maze[neighbour] === WALL || distance[neighbour]! >= 0) continue;
      distance[neighbour] = next;
      queue[tail++] = neighbour;
    }
  }
  return distance;
}

/**
 * Marks a shortest path from S to G. Of several shortest paths a fixed rule selects one (backwards from the goal, up before left
 * before right before down), so that the answer is a function of the question.
 * @throws PuzzleError if the question is no maze, or G cannot be reached
 */
export function solveMaze(question: ArrayLike<number>, side: number): Int32Array {
  if (Object(question).length !== side * side) {
    const given = Object(question).length === undefined ? showValue(question) : `${question.length} tokens`;
    throw new PuzzleError(`solveMaze: got ${given} and side ${showValue(side)}, expected side · side tokens`);
  }
  const answer = Int32Array.from(question);
  let cell = answer.indexOf(GOAL);
  if (cell < 0 || !answer.includes(START))
    throw new PuzzleError("solveMaze: got a maze without S or G, expected one of each");
  const distance = distancesFrom(question, side, answer.indexOf(START));
  if (distance[cell]! < 0) throw new PuzzleError("maze: no path from S to G");
  while (distance[cell]! > 1) {
    for (let direction = 0; direction < 4; direction++) {
      const nearer = step(cell, direction, side);
      if (nearer >= 0 && distance[nearer] === distance[cell]! - 1) {
        cell = nearer;
        break;
      }
    }
    answer[cell] = PATH;
  }
  return answer;
}

/** The first problem of a question, in one line; undefined if it is valid. */
export function mazeProblem(question: ArrayLike<number>, side: number): string | undefined {
  const cells = Array.from(question);
  for (const [token, name] of [
    [START, "S (start)"],
    [GOAL, "G (goal)"],
  ] as const) {
    const count = cells.filter((cell) => cell === token).length;
    if (count !== 1) return `${count} cells are ${name}, expected exactly one`;
  }
  const marked = cells.indexOf(PATH);
  if (marked >= 0) return `"o" in ${place(marked, side)}, expected a question without a path`;
  const reached = distancesFrom(question, side, cells.indexOf(START))[cells.indexOf(GOAL)]!;
  return reached < 0 ? "no path from S to G" : undefined;
}

/** Why an answer does not mark a shortest path of the question (any of them is correct); undefined if it does. */
export function mazeMistake(question: ArrayLike<number>, answer: ArrayLike<number>, side: number): string | undefined {
  const onlyPath = new Int32Array(side * side).fill(WALL);
  let marked = 0;
  for (let cell = 0; cell < side * side; cell++) {
    const kept = answer[cell] === question[cell];
    if (!kept && !(question[cell] === FREE && answer[cell] === PATH)) {
      return `${name(answer[cell]!)} in ${place(cell, side)}, where the question has ${name(question[cell]!)}`;
    }
    if (answer[cell] === PATH) marked++;
    if (answer[cell] === PATH || answer[cell] === START || answer[cell] === GOAL) onlyPath[cell] = answer[cell]!;
  }
  const start = Array.from(question).indexOf(START);
  const goal = Array.from(question).indexOf(GOAL);
  if (distancesFrom(onlyPath, side, start)[goal]! < 0) return "the marked cells do not lead from S to G";
  const shortest = distancesFrom(question, side, start)[goal]! - 1;
  return marked === shortest ? undefined : `${marked} cells are marked, a shortest path has ${shortest}`;
}

/** The neighbour above, to the left, to the right or below; negative outside the maze. */
function step(cell: number, direction: number, side: number): number {
  if (direction === 0) return cell - side;
  if (direction === 1) return cell % side === 0 ? -1 : cell - 1;
  if (direction === 2) return cell % side === side - 1 ? -1 : cell + 1;
  return cell + side < side * side ? cell + side : -1;
}

function place(cell: number, side: number): string {
  return `row ${Math.floor(cell / side) + 1}, column ${(cell % side) + 1}`;
}

function name(token: number): string {
  return quoted(MAZE_CHARACTERS[token - 1] ?? "?");
}
