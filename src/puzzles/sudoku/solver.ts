// Solves Sudokus and counts solutions: backtracking over bit masks, always at the cell with the fewest candidates.
//
// Before a guess, the solver looks for hidden singles (a digit with one place left in a row, column or box), so `guesses` is 0 for
// puzzles that singles alone solve. This count is the project's scale of difficulty.
import type { Random } from "../../tensor/index.ts";
import type { Board, Geometry } from "./board.ts";

export interface SearchResult {
  /** Number of solutions found, at most the limit. */
  readonly solutions: number;
  /** Number of values tried in cells with more than one candidate. */
  readonly guesses: number;
  /** The first solution found. */
  readonly first: Board | undefined;
}

/** Searches solutions of a board until `limit` are found. A contradictory board has none. */
export function search(board: ArrayLike<number>, geometry: Geometry, limit: number, random?: Random): SearchResult {
  const state = new Search(geometry, limit, random);
  if (state.load(board)) state.run();
  return { solutions: state.solutions, guesses: state.guesses, first: state.first };
}

/** The number of guesses needed to find the solution and to prove that it is the only one. */
export function rateGuesses(board: ArrayLike<number>, geometry: Geometry): number {
  return search(board, geometry, 2).guesses;
}

/**
 * Whether a board has a solution whose digit in the blank `cell` differs from `digit`. If the board with that digit has one
 * solution, this decides whether the clue can be removed.
 */
export function hasOtherDigit(board: ArrayLike<number>, geometry: Geometry, cell: number, digit: number): boolean {
  const state = new Search(geometry, 1);
  if (!state.load(board)) return false;
  state.forbid(cell, digit);
  return state.solutions > 0;
}

class Search {
  solutions = 0;
  guesses = 0;
  first: Board | undefined;

  readonly #geometry: Geometry;
  readonly #limit: number;
  readonly #random: Random | undefined;
  readonly #board: Board;
  // Bit d set: digit d + 1 is used in this row, column, box.
  readonly #rows: Int32Array;
  readonly #columns: Int32Array;
  readonly #boxes: Int32Array;
  readonly #all: number;
  // The blank cells are the first #blankCount of #blanks.
  readonly #blanks: Uint8Array;
  #blankCount = 0;

  constructor(geometry: Geometry, limit: number, random?: Random) {
    this.#geometry = geometry;
    this.#limit = limit;
    this.#random = random;
    this.#board = new Uint8Array(geometry.cells);
    this.#rows = new Int32Array(geometry.side);
    this.#columns = new Int32Array(geometry.side);
    this.#boxes = new Int32Array(geometry.side);
    this.#all = (1 << geometry.side) - 1;
    this.#blanks = new Uint8Array(geometry.cells);
  }

  /** Returns false if a unit contains a digit twice. */
  load(board: ArrayLike<number>): boolean {
    for (let cell = 0; cell < this.#geometry.cells; cell++) {
      const digit = board[cell]!;
      if (digit === 0) {
        this.#blanks[this.#blankCount++] = cell;
        continue;
      }
      const bit = 1 << (digit - 1);
      if ((this.#candidates(cell) & bit) === 0) return false;
      this.#toggle(cell, bit);
      this.#board[cell] = digit;
    }
    return true;
  }

  /** Searches with all candidates of a blank cell except this digit. */
  forbid(cell: number, digit: number): void {
    const place = this.#blanks.indexOf(cell);
    this.#tryValues(place, this.#candidates(cell) & ~(1 << (digit - 1)));
  }

  run(): void {
    if (this.#blankCount === 0) {
      this.solutions++;
      this.first ??= this.#board.slice();
      return;
    }
    let place = -1;
    let fewest = 99;
    for (let index = 0; index < this.#blankCount; index++) {
      const count = bitCount(this.#candidates(this.#blanks[index]!));
      if (count < fewest) {
        fewest = count;
        place = index;
        if (count <= 1) break;
      }
    }
    if (fewest === 0) return;
    if (fewest > 1) {
      const single = this.#hiddenSingle();
      if (single === "contradiction") return;
      if (single !== undefined) {
        this.#tryValues(this.#blanks.indexOf(single.cell), single.bit);
        return;
      }
    }
    this.#tryValues(place, this.#candidates(this.#blanks[place]!));
  }

  #tryValues(place: number, candidates: number): void {
    const cell = this.#blanks[place]!;
    const guessing = bitCount(candidates) > 1;
    const last = --this.#blankCount;
    this.#blanks[place] = this.#blanks[last]!;
    while (candidates !== 0 && this.solutions < this.#limit) {
      const bit = this.#random === undefined ? candidates & -candidates : randomBit(candidates, this.#random);
      candidates ^= bit;
      if (guessing) this.guesses++;
      this.#toggle(cell, bit);
      this.#board[cell] = 32 - Math.clz32(bit);
      this.run();
      this.#toggle(cell, bit);
    }
    // The deeper levels have restored their cells, so this restores the exact order.
    this.#blanks[last] = this.#blanks[place]!;
    this.#blanks[place] = cell;
    this.#blankCount++;
    this.#board[cell] = 0;
  }

  /** A digit with one place left in a unit; "contradiction" if a digit has no place left. */
  #hiddenSingle(): { cell: number; bit: number } | "contradiction" | undefined {
    for (const unit of this.#geometry.units) {
      let present = 0;
      let once = 0;
      let twice = 0;
      for (let index = 0; index < unit.length; index++) {
        const cell = unit[index]!;
        const digit = this.#board[cell]!;
        if (digit !== 0) {
          present |= 1 << (digit - 1);
          continue;
        }
        const candidates = this.#candidates(cell);
        twice |= once & candidates;
        once |= candidates;
      }
      if ((present | once) !== this.#all) return "contradiction";
      const single = once & ~twice;
      if (single === 0) continue;
      const bit = single & -single;
      const cell = unit.find((each) => this.#board[each] === 0 && (this.#candidates(each) & bit) !== 0)!;
      return { cell, bit };
    }
    return undefined;
  }

  #candidates(cell: number): number {
    const { side, box } = this.#geometry;
    const used = this.#rows[(cell / side) | 0]! | this.#columns[cell % side]! | this.#boxes[box[cell]!]!;
    return this.#all & ~used;
  }

  #toggle(cell: number, bit: number): void {
    const { side, box } = this.#geometry;
    this.#rows[(cell / side) | 0]! ^= bit;
    this.#columns[cell % side]! ^= bit;
    this.#boxes[box[cell]!]! ^= bit;
  }
}

function randomBit(bits: number, random: Random): number {
  for (let skip = random.integer(bitCount(bits)); skip > 0; skip--) bits &= bits - 1;
  return bits & -bits;
}

function bitCount(bits: number): number {
  let count = 0;
  for (; bits !== 0; bits &= bits - 1) count++;
  return count;
}
