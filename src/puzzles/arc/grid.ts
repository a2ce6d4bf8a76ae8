// ARC grids as tokens on a square canvas: padding is 0, the end of the grid is 1, the colours 0 to 9 are 2 to 11.
//
// The published canvas has 30 rows and columns, as many as the largest grids. A smaller one holds the tasks with small grids at a
// fraction of the cost.
// The end of the grid is a line of 1s to the right of it and below it (without the corner), if the canvas has room.
import { DatasetError } from "../../formats/index.ts";
import type { Grid } from "../dihedral.ts";

/** Rows and columns of the published canvas, and of the largest grids. */
export const ARC_SIDE = 30;
export const ARC_LENGTH = ARC_SIDE * ARC_SIDE;
/** Padding, end of grid, ten colours. */
export const ARC_VOCABULARY = 12;
const END = 1;
const FIRST_COLOUR = 2;

export interface CanvasPlace {
  /** Rows and columns of the canvas. Default: 30. */
  readonly side?: number;
  /** Row of the top left cell of the grid. Default: 0. */
  readonly top?: number;
  /** Column of the top left cell of the grid. Default: 0. */
  readonly left?: number;
}

/** Places a grid on the canvas. @returns [side * side] @throws RangeError if it does not fit */
export function gridToTokens(
  { rows, columns, cells }: Grid,
  { side = ARC_SIDE, top = 0, left = 0 }: CanvasPlace = {},
): Uint8Array {
  const bottom = top + rows;
  const right = left + columns;
  if (top < 0 || left < 0 || bottom > side || right > side) {
    throw new RangeError(`gridToTokens: ${rows}x${columns} at (${top}, ${left}) does not fit ${side}x${side}`);
  }
  const tokens = new Uint8Array(side * side);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      tokens[(top + row) * side + left + column] = cells[row * columns + column]! + FIRST_COLOUR;
    }
  }
  if (bottom < side) tokens.fill(END, bottom * side + left, bottom * side + right);
  if (right < side) for (let row = top; row < bottom; row++) tokens[row * side + right] = END;
  return tokens;
}

/**
 * The grid of a prediction: the largest rectangle of colours at the top left corner. Of equal areas the one with
 * fewer rows is used, as in the official evaluator. Without a colour in the corner, the grid is empty.
 * @param tokens  a square canvas, row by row
 */
export function cropTokens(tokens: ArrayLike<number>): Grid {
  const side = Math.sqrt(tokens.length);
  let columns = side; // number of columns that have colours in every row so far
  let best = { rows: 0, columns: 0 };
  for (let rows = 1; rows <= side; rows++) {
    for (let column = 0; column < columns; column++) {
      const token = tokens[(rows - 1) * side + column]!;
      if (token < FIRST_COLOUR || token >= ARC_VOCABULARY) columns = column;
    }
    if (rows * columns > best.rows * best.columns) best = { rows, columns };
  }
  const cells = new Uint8Array(best.rows * best.columns);
  for (let cell = 0; cell < cells.length; cell++) {
    const row = Math.floor(cell / best.columns);
    cells[cell] = tokens[row * side + (cell % best.columns)]! - FIRST_COLOUR;
  }
  return { ...best, cells };
}

/** Equal exactly for equal grids. */
export function gridKey({ rows, columns, cells }: Grid): string {
  return `${rows}x${columns}:${cells.join("")}`;
}

/** The rows of colours, as in the JSON files. */
export function gridToRows({ rows, columns, cells }: Grid): number[][] {
  return Array.from({ length: rows }, (_, row) => [...cells.subarray(row * columns, (row + 1) * columns)]);
}

/** @throws DatasetError unless the value is 1 to 30 rows of equally many (1 to 30) colours from 0 to 9 */
export function gridFromRows(value: unknown, where: string): Grid {
  const refuse = (problem: string) => new DatasetError(`${where}: ${problem}`);
  if (!Array.isArray(value) || value.length < 1 || value.length > ARC_SIDE) {
    throw refuse(
      `${Array.isArray(value) ? `${value.length} rows` : "no array of rows"}, expected 1 to ${ARC_SIDE} rows`,
    );
  }
  const columns = Array.isArray(value[0]) ? value[0].length : 0;
  if (columns < 1 || columns > ARC_SIDE) throw refuse(`${columns} columns, expected 1 to ${ARC_SIDE}`);
  const cells = new Uint8Array(value.length * columns);
  value.forEach((row: unknown, index) => {
    if (!Array.isArray(row) || row.length !== columns) {
      const got = Array.isArray(row) ? `${row.length} cells` : "no array";
      throw refuse(`row ${index + 1}: ${got}, expected ${columns} cells as in row 1`);
    }
    row.forEach((colour: unknown, column) => {
      if (typeof colour !== "number" || !Number.isInteger(colour) || colour < 0 || colour > 9) {
        throw refuse(`row ${index + 1}, column ${column + 1}: not a colour, expected 0 to 9`);
      }
      cells[index * columns + column] = colour;
    });
  });
  return { rows: value.length, columns, cells };
}
