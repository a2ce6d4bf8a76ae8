// Sudokus: text, validation, solver, generator, symmetry, canonical form and data sets.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boardToTokens, formatBoard, geometryOf, parseBoard, tokensToBoard } from "../../src/puzzles/sudoku/board.ts";
import { canonicalForm } from "../../src/puzzles/sudoku/canonical.ts";
import { generateDataset, puzzleKey } from "../../src/puzzles/sudoku/dataset.ts";
import { generatePuzzle } from "../../src/puzzles/sudoku/generator.ts";
import { rateGuesses, search } from "../../src/puzzles/sudoku/solver.ts";
import { applySymmetry, randomSymmetry } from "../../src/puzzles/sudoku/symmetry.ts";
import { sudokuTask } from "../../src/puzzles/sudoku/task.ts";
import { contradiction, puzzleProblem, solutionProblem, validatePuzzle } from "../../src/puzzles/sudoku/validate.ts";
import { Random } from "../../src/tensor/random.ts";
import { ConfigError, PuzzleError } from "../../src/trm/errors.ts";
import { SEVENTEEN, SEVENTEEN_SOLUTION, sides, sudokus } from "./sudoku-boards.ts";

const nine = geometryOf(9);

describe("text and tokens", () => {
  it("text is converted to a board and back", () => {
    fc.assert(
      fc.property(sudokus, ({ side, geometry, puzzle }) => {
        expect(parseBoard(formatBoard(puzzle), geometry)).toEqual(puzzle);
        const task = sudokuTask(side);
        const tokens = task.parse(formatBoard(puzzle));
        expect(tokensToBoard(tokens)).toEqual(puzzle);
        expect(task.format(tokens)).toBe(formatBoard(puzzle));
        expect(Math.max(...tokens)).toBeLessThan(task.vocabularySize);
      }),
    );
  });

  it("tokens are digit + 1, the blank is 1, and the vocabulary includes padding", () => {
    expect([...sudokuTask(4).parse("1.34............")]).toEqual([2, 1, 4, 5, ...new Array(12).fill(1)]);
    expect(([4, 6, 9] as const).map((side) => sudokuTask(side).vocabularySize)).toEqual([6, 8, 11]);
    expect(sudokuTask(4).format([0, 1, 2, 5, ...new Array(12).fill(1)])).toBe(`?.14${".".repeat(12)}`);
  });

  it("a board is drawn with its boxes, and its cells can be painted", () => {
    const task = sudokuTask(6);
    const tokens = task.parse(`123456${".".repeat(30)}`);
    expect(task.draw(tokens, (symbol, position) => (position === 7 ? "*" : symbol))).toBe(
      ["1 2 3 | 4 5 6", ". * . | . . .", "------+------", ". . . | . . .", ". . . | . . ."]
        .concat(["------+------", ". . . | . . .", ". . . | . . ."])
        .join("\n"),
    );
    expect(sudokuTask(9).draw(new Int32Array(81)).split("\n")[3]).toBe("------+-------+------");
  });

  it.each([
    ["nine lines", (rows: string[]) => `${rows.join("\n")}\n`],
    ["lines of Windows with spaces", (rows: string[]) => rows.map((row) => [...row].join(" ")).join("\r\n")],
    [
      "groups with rules",
      (rows: string[]) =>
        rows
          .map((row) => row.replace(/(...)(...)(...)/, "| $1 | $2 | $3 |"))
          .join("\n")
          .replace(/((?:.*\n){3})/g, "$1+-----+-----+-----+\n"),
    ],
    ["one line of nine groups", (rows: string[]) => rows.join(" ")],
    ["its own drawing", (rows: string[]) => sudokuTask(9).draw(sudokuTask(9).parse(rows.join("")))],
  ])("a board is read from %s", (_, write) => {
    const { inputs } = sudokuTask(9).generate({ train: 1, test: 0, seed: 3 }).train;
    const line = sudokuTask(9).format(inputs);
    const rows = Array.from({ length: 9 }, (_, row) => line.slice(9 * row, 9 * row + 9));
    expect(sudokuTask(9).parse(write(rows))).toEqual(inputs);
  });

  it("an unknown side is refused", () => {
    expect(() => sudokuTask(5 as 4)).toThrow(new ConfigError("sudokuTask: got 5 as the side, expected 4, 6 or 9"));
  });

  it.each([-3, 17, 100, 2.5, NaN, Infinity, "8"])("a 4x4 Sudoku with %s clues is refused", (clues) => {
    const shown = typeof clues === "string" ? 'the string "8"' : clues;
    expect(() => sudokuTask(4, { clues: clues as number })).toThrow(
      new ConfigError(`sudokuTask: got ${shown} as the number of clues, expected a whole number from 0 to 16`),
    );
  });

  it("a Sudoku has as many clues as were requested, from those of a minimal puzzle to all of its cells", () => {
    const cluesOf = (clues?: number): number => {
      const { inputs } = sudokuTask(4, { clues }).generate({ train: 1, test: 0, seed: 1 }).train;
      return inputs.filter((token) => token > 1).length;
    };
    expect([cluesOf(8), cluesOf(16)]).toEqual([8, 16]);
    expect(cluesOf(0)).toBe(cluesOf());
  });
});

describe("validate", () => {
  it.each([
    ["", "any", "sudoku4: 0 characters, expected 16 (4 rows of 4, row by row)"],
    ["1".repeat(17), "any", "sudoku4: 17 characters, expected 16 (4 rows of 4, row by row)"],
    [
      `..5${".".repeat(13)}`,
      "any",
      'sudoku4: character 3 (row 1, column 3) is "5", expected 1-4, or "." or "0" for a blank',
    ],
    [
      `${".".repeat(15)}\n`,
      "any",
      'sudoku4: character 16 (row 4, column 4) is "\\n", expected 1-4, or "." or "0" for a blank',
    ],
    ["1..1............", "any", "sudoku4: two 1s in row 1 (columns 1 and 4)"],
    ["..2.......2.....", "any", "sudoku4: two 2s in column 3 (rows 1 and 3)"],
    ["3....3..........", "any", "sudoku4: two 3s in box 1 (row 1 column 1 and row 2 column 2)"],
    ["12..34......4...", "one", "sudoku4: more than one solution, expected exactly one"],
    ["12..34..........", "some", undefined],
    ["................", "any", undefined],
    ["123....4........", "some", "sudoku4: no solution"],
  ] as const)("the board %j is validated, with solutions: %s", (text, solutions, message) => {
    const read = () => validatePuzzle(text, geometryOf(4), { solutions });
    if (message === undefined) expect(formatBoard(read())).toBe(text);
    else expect(read).toThrow(new PuzzleError(message));
  });

  it("any string is read or throws a PuzzleError of one line", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(..."0123456789.x"), minLength: 14, maxLength: 18 }),
      fc.string({ unit: "binary", minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(text, sides, (text, side) => {
        try {
          sudokuTask(side).parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(PuzzleError);
          expect(String(error)).toMatch(/^PuzzleError: sudoku\d: [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u);
        }
      }),
    );
  });

  it("the reason of a wrong answer is named", () => {
    const { mistake, parse } = sudokuTask(9);
    const question = parse(SEVENTEEN);
    const answer = parse(SEVENTEEN_SOLUTION);
    expect(mistake(question, answer)).toBeUndefined();
    expect(mistake(question, question)).toBe("no digit in row 1, column 1");
    const changed = Int32Array.from(answer);
    changed[7] = 10;
    expect(mistake(question, changed)).toBe("9 in row 1, column 8, where 1 is given");
    [changed[7], changed[8]] = [answer[7]!, answer[7]!];
    expect(mistake(question, changed)).toBe("two 1s in row 1 (columns 8 and 9)");
  });
});

describe("solver", () => {
  it("a hard puzzle is solved", () => {
    const { solutions, first } = search(parseBoard(SEVENTEEN, nine), nine, 2);
    expect(solutions).toBe(1);
    expect(formatBoard(first!)).toBe(SEVENTEEN_SOLUTION);
  });

  it("all 288 grids of 4x4 are counted, and the search stops at its limit", () => {
    const empty = geometryOf(4);
    expect(search(new Uint8Array(16), empty, 1000).solutions).toBe(288);
    expect(search(new Uint8Array(16), empty, 100).solutions).toBe(100);
  });

  it("the solver agrees with a brute-force search on 4x4", () => {
    const grids = allGrids4();
    const clues = fc.array(fc.tuple(fc.nat(15), fc.integer({ min: 1, max: 4 })), { maxLength: 7 });
    fc.assert(
      fc.property(clues, (clues) => {
        const board = new Uint8Array(16);
        for (const [cell, digit] of clues) board[cell] = digit;
        const fits = grids.filter((grid) => grid.every((digit, cell) => board[cell] === 0 || board[cell] === digit));
        const { solutions, first } = search(board, geometryOf(4), 1000);
        expect(solutions).toBe(fits.length);
        if (first !== undefined) expect(fits.map(formatBoard)).toContain(formatBoard(first));
        if (contradiction(board, geometryOf(4)) !== undefined) expect(solutions).toBe(0);
      }),
    );
  });

  it("a puzzle that singles solve needs no guess", () => {
    const last = `.${SEVENTEEN_SOLUTION.slice(1)}`;
    expect(rateGuesses(parseBoard(last, nine), nine)).toBe(0);
    expect(rateGuesses(new Uint8Array(81), nine)).toBeGreaterThan(0);
  });
});

describe("generator", () => {
  it("generated puzzles are minimal, have one solution, and are reproducible", () => {
    fc.assert(
      fc.property(sudokus, fc.nat(), ({ geometry, puzzle, solution }, pick) => {
        expect(solutionProblem(puzzle, solution, geometry)).toBeUndefined();
        expect(puzzleProblem(puzzle, geometry, { solutions: "one" })).toBeUndefined();
        expect(search(puzzle, geometry, 2).first).toEqual(solution);
        const clues = [...puzzle.keys()].filter((cell) => puzzle[cell] !== 0);
        const fewer = puzzle.slice();
        fewer[clues[pick % clues.length]!] = 0;
        expect(search(fewer, geometry, 2).solutions).toBe(2);
      }),
    );
    const draw = () => formatBoard(generatePuzzle(nine, new Random(5)).puzzle);
    expect(draw()).toBe(draw());
  });

  it("the requested number of clues is kept", () => {
    const { puzzle } = generatePuzzle(nine, new Random(1), { clues: 40 });
    expect(puzzle.filter((digit) => digit !== 0)).toHaveLength(40);
  });

  it("4x4 puzzles have 4 to 6 clues, 4.3 on average", () => {
    const random = new Random(2);
    const counts = Array.from({ length: 2000 }, () => {
      return generatePuzzle(geometryOf(4), random).puzzle.filter((digit) => digit !== 0).length;
    });
    expect(Math.min(...counts)).toBe(4);
    expect(Math.max(...counts)).toBeLessThanOrEqual(6);
    expect(counts.reduce((a, b) => a + b) / counts.length).toBeCloseTo(4.3, 1);
  });
});

describe("symmetry", () => {
  it("a symmetry maps puzzles to puzzles and solutions to solutions", () => {
    fc.assert(
      fc.property(sudokus, ({ side, geometry, random, puzzle, solution }) => {
        const symmetry = randomSymmetry(geometry, random);
        const turned = applySymmetry(symmetry, puzzle);
        expect(search(turned, geometry, 2)).toMatchObject({ solutions: 1, first: applySymmetry(symmetry, solution) });
        expect(turned.filter((digit) => digit !== 0).length).toBe(puzzle.filter((digit) => digit !== 0).length);
        const task = sudokuTask(side);
        const pair = task.augment(task.parse(formatBoard(puzzle)), task.parse(formatBoard(solution)), random);
        expect(task.mistake(pair.question, pair.answer)).toBeUndefined();
      }),
    );
  });

  it("the augmentation of a complete puzzle is the image of its board", () => {
    fc.assert(
      fc.property(sudokus, fc.nat(), ({ side, geometry, puzzle, solution }, seed) => {
        fc.pre(side !== 4);
        const symmetry = randomSymmetry(geometry, new Random(seed));
        const [question, answer] = [puzzle, solution].map((board) => boardToTokens(applySymmetry(symmetry, board)));
        const [given, solved] = [boardToTokens(puzzle), boardToTokens(solution)];
        expect(sudokuTask(side).augment(given, solved, new Random(seed))).toEqual({ question, answer });
      }),
    );
  });

  it("the 4x4 task does not augment, because an image could be an unseen puzzle", () => {
    const task = sudokuTask(4);
    const { train } = task.generate({ train: 5, test: 0, seed: 1 });
    const [question, answer] = [train.inputs, train.labels].map((all) => all.slice(0, 16));
    for (let draw = 0; draw < 20; draw++) {
      expect(task.augment(question!, answer!, new Random(draw))).toEqual({ question, answer });
    }
  });

  it("a 4x4 grid has 96 or 192 images, 288 in total", () => {
    const random = new Random(3);
    const orbit = (grid: Uint8Array) => {
      const images = new Set<string>();
      for (let draw = 0; draw < 4000; draw++) {
        images.add(formatBoard(applySymmetry(randomSymmetry(geometryOf(4), random), grid)));
      }
      return images;
    };
    const sizes = new Set(allGrids4().map((grid) => canonicalForm(grid, geometryOf(4))));
    expect([...sizes].map((grid) => orbit(parseBoard(grid, geometryOf(4))).size).sort()).toEqual([192, 96]);
  });

  it("only boards with square boxes are transposed", () => {
    const random = new Random(4);
    const clues = new Uint8Array(36).fill(1, 0, 3); // three cells of one row of a box
    for (let draw = 0; draw < 200; draw++) {
      const turned = applySymmetry(randomSymmetry(geometryOf(6), random), clues);
      const rows = new Set([...turned.keys()].filter((cell) => turned[cell] !== 0).map((cell) => Math.floor(cell / 6)));
      expect(rows.size).toBe(1);
    }
  });
});

describe("canonical form", () => {
  it("the canonical form is invariant, belongs to the orbit, and is its own canonical form", () => {
    fc.assert(
      fc.property(sudokus, ({ geometry, random, puzzle, solution }) => {
        const canonical = canonicalForm(puzzle, geometry, solution);
        expect(canonicalForm(applySymmetry(randomSymmetry(geometry, random), puzzle), geometry)).toBe(canonical);
        expect(canonicalForm(parseBoard(canonical, geometry), geometry)).toBe(canonical);
      }),
      { numRuns: 60 },
    );
  });

  it("the canonical form separates the two orbits of 4x4 grids", () => {
    const forms = new Map<string, number>();
    for (const grid of allGrids4()) {
      const form = canonicalForm(grid, geometryOf(4));
      forms.set(form, (forms.get(form) ?? 0) + 1);
    }
    expect([...forms.entries()].sort()).toEqual([
      ["1234341221434321", 96],
      ["1234341223414123", 192],
    ]);
  });

  it("6x6 grids belong to at most 49 orbits, most of which this seed reaches", () => {
    const random = new Random(6);
    const forms = new Set<string>();
    for (let draw = 0; draw < 400; draw++) {
      const { first } = search(new Uint8Array(36), geometryOf(6), 1, random);
      forms.add(canonicalForm(first!, geometryOf(6), first));
    }
    expect(forms.size).toBeGreaterThan(40);
    expect(forms.size).toBeLessThanOrEqual(49);
  });

  it("canonical forms differ if one clue of the same grid differs", () => {
    const puzzle = parseBoard(SEVENTEEN, nine);
    const solution = parseBoard(SEVENTEEN_SOLUTION, nine);
    const forms = new Set<string>();
    for (let cell = 0; cell < 81; cell++) {
      if (puzzle[cell] !== 0) continue;
      const richer = puzzle.slice();
      richer[cell] = solution[cell]!;
      forms.add(canonicalForm(richer, nine, solution));
    }
    expect(forms.size).toBe(64);
  });

  it("grids with many own symmetries have a canonical form", () => {
    const cyclic = Uint8Array.from({ length: 81 }, (_, cell) => {
      const row = Math.floor(cell / 9);
      return ((cell + 3 * row + Math.floor(row / 3) - 9 * row) % 9) + 1;
    });
    expect(contradiction(cyclic, nine)).toBeUndefined();
    const random = new Random(8);
    const holes = cyclic.map((digit, cell) => (cell % 7 === 0 ? 0 : digit));
    const form = canonicalForm(holes, nine);
    for (let draw = 0; draw < 20; draw++) {
      expect(canonicalForm(applySymmetry(randomSymmetry(nine, random), holes), nine)).toBe(form);
    }
  });

  it("a puzzle without exactly one solution has no canonical form", () => {
    expect(() => canonicalForm(new Uint8Array(16), geometryOf(4))).toThrow(
      "sudoku4: ................ has more than one solution, expected exactly one for a canonical form",
    );
  });
});

describe("datasets", () => {
  const questions = (examples: { inputs: Int32Array; count: number; length: number }) =>
    Array.from({ length: examples.count }, (_, index) =>
      tokensToBoard(examples.inputs.subarray(index * examples.length, (index + 1) * examples.length)),
    );

  it.each([
    [4, 300, 100],
    [6, 60, 30],
    [9, 12, 8],
  ] as const)("sets of side %d have right answers and share no puzzle", (side, train, test) => {
    const geometry = geometryOf(side);
    const sets = generateDataset({ side, train, test, seed: 9 });
    const task = sudokuTask(side);
    const keys = new Set<string>();
    for (const set of [sets.train, sets.test]) {
      questions(set).forEach((puzzle, index) => {
        const at = index * set.length;
        const answer = set.labels.subarray(at, at + set.length);
        expect(task.mistake(set.inputs.subarray(at, at + set.length), answer)).toBeUndefined();
        keys.add(puzzleKey({ puzzle, solution: tokensToBoard(answer) }, geometry));
      });
    }
    expect([sets.train.count, sets.test.count]).toEqual([train, test]);
    expect(keys.size).toBe(train + test);
    expect(generateDataset({ side, train, test, seed: 9 })).toEqual(sets);
    expect(generateDataset({ side, train, test, seed: 10 })).not.toEqual(sets);
  });

  it("a request for more puzzles than exist is refused", () => {
    expect(() => generateDataset({ side: 4, train: 289, test: 0, seed: 1, clues: 16 })).toThrow(
      "sudoku4: train 289 + test 0 puzzles, found only 288 different",
    );
    expect(() => sudokuTask(4).generate({ train: 85_000, test: 633, seed: 1 })).toThrow(
      "sudoku4: train 85000 + test 633 puzzles, expected at most 85632 (more with more clues)",
    );
  });

  it("generation reports its progress", () => {
    const seen: number[] = [];
    sudokuTask(4).generate({ train: 90, test: 10, seed: 1, onProgress: (done) => seen.push(done) });
    expect(seen).toEqual([64, 100]);
  });
});

function allGrids4(): Uint8Array[] {
  const grids: Uint8Array[] = [];
  const geometry = geometryOf(4);
  const board = new Uint8Array(16);
  const fill = (cell: number) => {
    if (cell === 16) return void grids.push(board.slice());
    for (let digit = 1; digit <= 4; digit++) {
      board[cell] = digit;
      if (contradiction(board, geometry) === undefined) fill(cell + 1);
    }
    board[cell] = 0;
  };
  fill(0);
  return grids;
}
