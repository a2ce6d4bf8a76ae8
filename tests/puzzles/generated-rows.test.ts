// Generated puzzles as rows of a CSV file.
import { expect, it } from "vitest";
import { writePuzzleCsv } from "../../src/puzzles/csv/puzzle-csv.ts";
import { generatedRows } from "../../src/puzzles/generated-rows.ts";
import { distancesFrom, parseMaze } from "../../src/puzzles/maze/board.ts";
import { readMazeCsv } from "../../src/puzzles/maze/csv.ts";
import { mazeTask } from "../../src/puzzles/maze/task.ts";
import { readSudokuCsv } from "../../src/puzzles/sudoku/csv.ts";
import { sudokuTask } from "../../src/puzzles/sudoku/task.ts";

it.each([4, 6, 9] as const)("Sudokus of side %d are read back from their CSV", (side) => {
  const task = sudokuTask(side);
  const { test } = task.generate({ train: 0, test: 5, seed: 1 });
  const { examples, rows } = readSudokuCsv(writePuzzleCsv(generatedRows(task, test)), "g.csv", { side });
  expect(examples).toEqual(test);
  for (const { rating } of rows) expect(rating).toBeGreaterThanOrEqual(0);
});

it("generated mazes are rated by the length of their path and read back from CSV", () => {
  const task = mazeTask(9);
  const { test } = task.generate({ train: 0, test: 5, seed: 1 });
  const { examples, rows } = readMazeCsv(writePuzzleCsv(generatedRows(task, test)), "g.csv");
  expect(examples).toEqual(test);
  for (const { question, rating } of rows) {
    const maze = parseMaze(question);
    expect(distancesFrom(maze, 9, maze.indexOf(3))[maze.indexOf(4)]).toBe(rating);
  }
});
