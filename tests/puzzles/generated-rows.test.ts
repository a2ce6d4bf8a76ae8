import { expect, it } from "vitest";
import { writePuzzleCsv } from "../../src/puzzles/csv/puzzle-csv.ts";
import { generatedRows } from "../../src/puzzles/generated-rows.ts";
import { distancesFrom, mazeTask, parseMaze, readMazeCsv } from "../../src/puzzles/maze/task.ts";
import { readSudokuCsv, sudokuTask } from "../../src/puzzles/sudoku/task.ts";

it.each([4, 6, 9] as const)("Sudokus of side %d come back from their CSV", (side) => {
  const task = sudokuTask(side);
  const { test } = task.generate({ train: 0, test: 5, seed: 1 });
  const { examples, rows } = readSudokuCsv(writePuzzleCsv(generatedRows(task, test)), "g.csv", { side });
  expect(examples).toEqual(test);
  for (const { rating } of rows) expect(rating).toBeGreaterThanOrEqual(0);
});

it("mazes come back from their CSV, rated by the length of their path", () => {
  const task = mazeTask(9);
  const { test } = task.generate({ train: 0, test: 5, seed: 1 });
  const { examples, rows } = readMazeCsv(writePuzzleCsv(generatedRows(task, test)), "g.csv");
  expect(examples).toEqual(test);
  for (const { question, rating } of rows) {
    const maze = parseMaze(question);
    expect(distancesFrom(maze, 9, maze.indexOf(3))[maze.indexOf(4)]).toBe(rating);
  }
});
