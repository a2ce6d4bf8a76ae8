// Finds the problem of a question or an answer, in one line.
import { PuzzleError } from "../../trm/index.ts";
import { type Board, type Geometry, parseBoard } from "./board.ts";
import { search } from "./solver.ts";

export interface ValidateOptions {
  /** The number of solutions a puzzle must have: not checked, at least one, or exactly one. */
  readonly solutions?: "any" | "some" | "one";
}

/** Reads a question and checks it. @throws PuzzleError for a wrong length, character or number of solutions, or a contradiction */
export function validatePuzzle(text: string, geometry: Geometry, options: ValidateOptions = {}): Board {
  const board = parseBoard(text, geometry);
  const problem = puzzleProblem(board, geometry, options);
  if (problem !== undefined) throw new PuzzleError(`sudoku${geometry.side}: ${problem}`);
  return board;
}

/** The first problem of a board; undefined if there is none. */
export function puzzleProblem(
  board: ArrayLike<number>,
  geometry: Geometry,
  { solutions = "any" }: ValidateOptions = {},
): string | undefined {
  const clash = contradiction(board, geometry);
  if (clash !== undefined || solutions === "any") return clash;
  const found = search(board, geometry, solutions === "one" ? 2 : 1).solutions;
  if (found === 0) return "no solution";
  return found > 1 ? "more than one solution, expected exactly one" : undefined;
}

/** A digit that occurs twice in a unit, as "two 5s in row 3 (columns 2 and 7)"; undefined if there is none. */
export function contradiction(board: ArrayLike<number>, { side, units }: Geometry): string | undefined {
  for (const [index, unit] of units.entries()) {
    const seen = new Map<number, number>();
    for (const cell of unit) {
      const digit = board[cell]!;
      if (digit === 0) continue;
      const earlier = seen.get(digit);
      if (earlier !== undefined) return `two ${digit}s in ${describe(index, earlier, cell, side)}`;
      seen.set(digit, cell);
    }
  }
  return undefined;
}

/** Why `answer` does not solve `question`; undefined if it does. */
export function solutionProblem(
  question: ArrayLike<number>,
  answer: ArrayLike<number>,
  geometry: Geometry,
): string | undefined {
  for (let cell = 0; cell < geometry.cells; cell++) {
    const given = question[cell]!;
    const place = `row ${Math.floor(cell / geometry.side) + 1}, column ${(cell % geometry.side) + 1}`;
    if (answer[cell] === 0) return `no digit in ${place}`;
    if (given !== 0 && answer[cell] !== given) return `${answer[cell]} in ${place}, where ${given} is given`;
  }
  return contradiction(answer, geometry);
}

function describe(unit: number, first: number, second: number, side: number): string {
  const row = (cell: number) => Math.floor(cell / side) + 1;
  const column = (cell: number) => (cell % side) + 1;
  if (unit < side) return `row ${unit + 1} (columns ${column(first)} and ${column(second)})`;
  if (unit < 2 * side) return `column ${unit - side + 1} (rows ${row(first)} and ${row(second)})`;
  const at = (cell: number) => `row ${row(cell)} column ${column(cell)}`;
  return `box ${unit - 2 * side + 1} (${at(first)} and ${at(second)})`;
}
