// One representative of all symmetric images of a puzzle: two puzzles have the same canonical form exactly if a symmetry maps one
// to the other. Training and test sets are kept apart with it.
//
// The group of 9x9 has 1.2e12 elements, too many to apply to a puzzle. But a symmetry maps the only solution of a puzzle together
// with the puzzle. So the smallest image (row by row) of the solution is found first, and then, among the symmetries that lead to it
// (usually one), the smallest image of the clues. Only 2 * side * (permutations of columns) images of the solution can be smallest,
// because the first row, relabelled to 1 2 3 ..., determines the digits, and the first column then determines the order of the rows:
// 23,328 on 9x9, nearly all of which are dropped within two rows.
import { PuzzleError } from "../../trm/index.ts";
import { type Board, formatBoard, type Geometry } from "./board.ts";
import { search } from "./solver.ts";

/**
 * The canonical form of a puzzle: a puzzle of the same orbit, in one line.
 * @param solution its only solution; by default the solver finds it. With one of several solutions, the result is the form of
 * the pair of puzzle and solution
 * @throws PuzzleError if no solution is given and the puzzle does not have exactly one
 */
export function canonicalForm(puzzle: ArrayLike<number>, geometry: Geometry, solution?: Board): string {
  const grid = solution ?? onlySolution(puzzle, geometry);
  const candidate = new Uint8Array(geometry.cells);
  const from = new Uint8Array(geometry.cells);
  const digits = new Uint8Array(geometry.side + 1);
  let smallest: Uint8Array | undefined;
  let smallestClues = "";
  for (const orientation of orientations(grid, geometry)) {
    for (const columns of columnOrders(geometry)) {
      const image: Image = { ...orientation, columns, digits };
      for (let top = 0; top < geometry.side; top++) {
        // Relabels the digits so that the first row reads 1 2 3 ...
        for (let column = 0; column < geometry.side; column++) {
          digits[image.grid[top * geometry.side + columns[column]!]!] = column + 1;
        }
        if (smallest !== undefined && secondRowIsLarger(image, geometry, top, smallest)) continue;
        const order = buildImage(image, geometry, smallest, candidate, from);
        if (order > 0) continue;
        if (order < 0) {
          smallest = candidate.slice();
          smallestClues = "";
        }
        const clues = Array.from(candidate, (digit, cell) => (puzzle[from[cell]!] === 0 ? "." : digit)).join("");
        if (smallestClues === "" || clues < smallestClues) smallestClues = clues;
      }
    }
  }
  return smallestClues;
}

interface Orientation {
  readonly grid: ArrayLike<number>;
  readonly transposed: boolean;
}

/** An image of the solution: an orientation, an order of the columns, and a new digit for every digit. */
interface Image extends Orientation {
  readonly columns: Uint8Array;
  readonly digits: Uint8Array;
}

function orientations(grid: Board, { side, boxRows, boxColumns }: Geometry): Orientation[] {
  const straight = { grid, transposed: false };
  if (boxRows !== boxColumns) return [straight];
  const turned = grid.map((_, cell) => grid[(cell % side) * side + Math.floor(cell / side)]!);
  return [straight, { grid: turned, transposed: true }];
}

/** Drops nearly every image early: its second row is the row of the top band with the smallest first digit. */
function secondRowIsLarger(
  { grid, columns, digits }: Image,
  { side, boxRows }: Geometry,
  top: number,
  smallest: Uint8Array,
): boolean {
  const band = top - (top % boxRows);
  let second = -1;
  let first = side + 1;
  for (let row = band; row < band + boxRows; row++) {
    const digit = digits[grid[row * side + columns[0]!]!]!;
    if (row !== top && digit < first) {
      first = digit;
      second = row;
    }
  }
  for (let column = 0; column < side; column++) {
    const order = digits[grid[second * side + columns[column]!]!]! - smallest[side + column]!;
    if (order !== 0) return order > 0;
  }
  return false;
}

/**
 * Writes the cells of an image into `candidate` and their sources into `from`, as long as the image is not larger than `smallest`.
 * @returns negative if the image is smaller (or the first), 0 if equal, positive if larger (`candidate` is then incomplete)
 */
function buildImage(
  { grid, transposed, columns, digits }: Image,
  { side, boxRows }: Geometry,
  smallest: Uint8Array | undefined,
  candidate: Uint8Array,
  from: Uint8Array,
): number {
  let order = smallest === undefined ? -1 : 0;
  const rows = rowOrder(side, boxRows, (row) => digits[grid[row * side + columns[0]!]!]!);
  for (let row = 0; row < side; row++) {
    const source = rows[row]! * side;
    for (let column = 0; column < side; column++) {
      const cell = row * side + column;
      const old = source + columns[column]!;
      const digit = digits[grid[old]!]!;
      if (order === 0) {
        order = digit - smallest![cell]!;
        if (order > 0) return order;
      }
      candidate[cell] = digit;
      from[cell] = transposed ? (old % side) * side + Math.floor(old / side) : old;
    }
  }
  return order;
}

/** Orders the rows of every band, and the bands, by their digits in the first column. The first row has a 1 there and comes first. */
function rowOrder(side: number, boxRows: number, firstDigit: (row: number) => number): number[] {
  const bands: number[][] = [];
  for (let start = 0; start < side; start += boxRows) {
    const band = Array.from({ length: boxRows }, (_, index) => start + index);
    bands.push(band.sort((a, b) => firstDigit(a) - firstDigit(b)));
  }
  return bands.sort((a, b) => firstDigit(a[0]!) - firstDigit(b[0]!)).flat();
}

const orders = new WeakMap<Geometry, Uint8Array[]>();

/** All orders of the columns that keep the stacks together; cached per geometry. */
function columnOrders(geometry: Geometry): Uint8Array[] {
  let known = orders.get(geometry);
  if (known === undefined) {
    const { side, boxColumns } = geometry;
    const within = permutations(boxColumns);
    const build = (stacks: number[]): number[][] => {
      if (stacks.length === 0) return [[]];
      const [first, ...rest] = stacks;
      return build(rest).flatMap((tail) =>
        within.map((inside) => [...inside.map((column) => first! * boxColumns + column), ...tail]),
      );
    };
    known = permutations(side / boxColumns).flatMap((stacks) => build(stacks).map((order) => Uint8Array.from(order)));
    orders.set(geometry, known);
  }
  return known;
}

function permutations(count: number): number[][] {
  if (count === 0) return [[]];
  return permutations(count - 1).flatMap((rest) =>
    Array.from({ length: count }, (_, at) => [...rest.slice(0, at), count - 1, ...rest.slice(at)]),
  );
}

function onlySolution(puzzle: ArrayLike<number>, geometry: Geometry): Board {
  const { solutions, first } = search(puzzle, geometry, 2);
  if (solutions !== 1 || first === undefined) {
    const count = solutions === 0 ? "no solution" : "more than one solution";
    throw new PuzzleError(
      `sudoku${geometry.side}: ${formatBoard(puzzle)} has ${count}, expected exactly one for a canonical form`,
    );
  }
  return first;
}
