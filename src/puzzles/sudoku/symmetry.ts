// The symmetries of Sudoku: relabelled digits, permuted bands and stacks, rows and columns permuted within them, and, where
// boxes are square, transposition. 4x4: 2 * (2! * 2!^2)^2 * 4! = 3,072. 6x6 (no transposition): 3! * 2!^3 * 2! * 3!^2 * 6!
// = 2,488,320. 9x9: 2 * (3! * 3!^3)^2 * 9! = 1,218,998,108,160.
import type { Random } from "../../tensor/index.ts";
import type { Board, Geometry } from "./board.ts";

export interface Symmetry {
  /** For every cell of the image, the cell of the original board. */
  readonly from: Uint8Array;
  /** For every digit, its new digit; 0 stays 0. */
  readonly digits: Uint8Array;
}

/** Draws every symmetry with equal probability, as the official builder does (digits, transposition, rows, columns). */
export function randomSymmetry(geometry: Geometry, random: Random): Symmetry {
  const { side, boxRows, boxColumns, cells } = geometry;
  const digits = Uint8Array.of(0, ...random.permutation(side).map((digit) => digit + 1));
  const transposed = boxRows === boxColumns && random.bernoulli(0.5);
  const rows = randomLines(side, boxRows, random);
  const columns = randomLines(side, boxColumns, random);
  const from = Uint8Array.from({ length: cells }, (_, cell) => {
    const row = rows[Math.floor(cell / side)]!;
    const column = columns[cell % side]!;
    return transposed ? column * side + row : row * side + column;
  });
  return { from, digits };
}

export function applySymmetry({ from, digits }: Symmetry, board: ArrayLike<number>): Board {
  return Uint8Array.from(from, (cell) => digits[board[cell]!]!);
}

/** Applies a symmetry to tokens, of which digit d is d + 1. Padding, the blank and labels that are ignored keep their value. */
export function applyToTokens({ from, digits }: Symmetry, tokens: ArrayLike<number>): Int32Array {
  return Int32Array.from(from, (cell) => {
    const token = tokens[cell]!;
    const digit = digits[token - 1];
    return digit === undefined ? token : digit + 1;
  });
}

/** The symmetry that undoes another. */
export function invertSymmetry({ from, digits }: Symmetry): Symmetry {
  return {
    from: Uint8Array.from(from, (_, cell) => from.indexOf(cell)),
    digits: Uint8Array.from(digits, (_, digit) => digits.indexOf(digit)),
  };
}

/** The symmetry that changes nothing. */
export const identitySymmetry = ({ side, cells }: Geometry): Symmetry => ({
  from: Uint8Array.from({ length: cells }, (_, cell) => cell),
  digits: Uint8Array.from({ length: side + 1 }, (_, digit) => digit),
});

/** The bands in random order, with the lines of every band in random order. */
function randomLines(side: number, perBand: number, random: Random): number[] {
  const bands = random.permutation(side / perBand);
  return [...bands].flatMap((band) => [...random.permutation(perBand)].map((line) => band * perBand + line));
}
