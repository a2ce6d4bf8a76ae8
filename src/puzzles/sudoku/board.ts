// A Sudoku board: its geometry, its text and its tokens.
//
// A board is a Uint8Array of digits 0 .. side, row by row; 0 is a blank cell. Tokens are digit + 1; token 0 is padding.
import { quoted } from "../../formats/index.ts";
import { PuzzleError } from "../../trm/index.ts";

/** Rows and columns of a Sudoku. */
export type SudokuSide = 4 | 6 | 9;
export type Board = Uint8Array;

export interface Geometry {
  readonly side: SudokuSide;
  readonly boxRows: number;
  readonly boxColumns: number;
  readonly cells: number;
  /** The box of every cell. */
  readonly box: Uint8Array;
  /** Rows, then columns, then boxes: the cells of each. */
  readonly units: readonly (readonly number[])[];
}

const GEOMETRIES: Record<SudokuSide, Geometry> = {
  4: makeGeometry(4, 2, 2),
  6: makeGeometry(6, 2, 3),
  9: makeGeometry(9, 3, 3),
};

/** 4x4 (boxes 2x2), 6x6 (boxes of 2 rows and 3 columns) or 9x9 (boxes 3x3). */
export function geometryOf(side: SudokuSide): Geometry {
  return GEOMETRIES[side];
}

export function isSudokuSide(side: number): side is SudokuSide {
  return side === 4 || side === 6 || side === 9;
}

function makeGeometry(side: SudokuSide, boxRows: number, boxColumns: number): Geometry {
  const cells = side * side;
  const box = Uint8Array.from({ length: cells }, (_, cell) => {
    const row = Math.floor(cell / side);
    return Math.floor(row / boxRows) * boxRows + Math.floor((cell % side) / boxColumns);
  });
  const unit = (belongs: (cell: number, index: number) => boolean) =>
    Array.from({ length: side }, (_, index) => [...box.keys()].filter((cell) => belongs(cell, index)));
  const units = [
    ...unit((cell, row) => Math.floor(cell / side) === row),
    ...unit((cell, column) => cell % side === column),
    ...unit((cell, index) => box[cell] === index),
  ];
  return { side, boxRows, boxColumns, cells, box, units };
}

/**
 * Reads a board in one line: digits, and "." or "0" for a blank.
 * @throws PuzzleError for a wrong length or character; contradictions are found by validate.ts
 */
export function parseBoard(text: string, { side, cells }: Geometry): Board {
  const characters = [...text];
  const wrong = characters.findIndex((character) => character !== "." && !(character >= "0" && character <= `${side}`));
  if (wrong >= 0) {
    const row = Math.floor(wrong / side) + 1;
    const place = wrong < cells ? ` (row ${row}, column ${(wrong % side) + 1})` : "";
    throw new PuzzleError(
      `sudoku${side}: character ${wrong + 1}${place} is ${quoted(characters[wrong])}, expected 1-${side}, or "." or "0" for a blank`,
    );
  }
  if (characters.length !== cells) {
    throw new PuzzleError(
      `sudoku${side}: ${characters.length} characters, expected ${cells} (${side} rows of ${side}, row by row)`,
    );
  }
  return Uint8Array.from(characters, (character) => (character === "." ? 0 : Number(character)));
}

/** The board in one line, with "." for blanks. */
export function formatBoard(board: ArrayLike<number>): string {
  return Array.from(board, (digit) => (digit === 0 ? "." : String(digit))).join("");
}

/** Converts digits to tokens. */
export function boardToTokens(board: ArrayLike<number>): Int32Array {
  return Int32Array.from(board, (digit) => digit + 1);
}

/** Converts tokens to digits; padding becomes a blank. */
export function tokensToBoard(tokens: ArrayLike<number>): Board {
  return Uint8Array.from(tokens, (token) => Math.max(0, token - 1));
}

/**
 * Joins a board that is written on several lines or in groups: spaces, line breaks, "|" and rules such as "------+-------" are
 * removed.
 */
export function joinRows(text: string): string {
  const rows = text.split(/[\r\n]+/).filter((row) => !/^[-+=|\s]*$/.test(row));
  return rows.join("").replace(/[\s|]/g, "");
}

/** Draws a board with lines between the boxes. @param symbols the cells, row by row */
export function drawBoard(symbols: readonly string[], { side, boxRows, boxColumns }: Geometry): string {
  const lines: string[] = [];
  const rule = Array.from({ length: side / boxColumns }, () => "-".repeat(2 * boxColumns - 1)).join("-+-");
  for (let row = 0; row < side; row++) {
    if (row > 0 && row % boxRows === 0) lines.push(rule);
    const boxes: string[] = [];
    for (let column = 0; column < side; column += boxColumns) {
      const at = row * side + column;
      boxes.push(symbols.slice(at, at + boxColumns).join(" "));
    }
    lines.push(boxes.join(" | "));
  }
  return lines.join("\n");
}
