// What every task is asked: whether an answer is correct, and whether a model fits.
import fc from "fast-check";
import { expect, it } from "vitest";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { isCorrect, misfitOf, parseConfig } from "../../src/trm/index.ts";

const task = sudokuTask(4);

it("an answer with a mistake is wrong, and one without is correct or, if the task cannot judge, unknown", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.option(fc.string(), { nil: undefined }), (canJudge, mistake) => {
      const unmistaken = canJudge ? true : null;
      expect(isCorrect({ ...task, canJudge }, mistake)).toBe(mistake === undefined ? unmistaken : false);
    }),
  );
  expect(isCorrect({ ...task, canJudge: true }, undefined)).toBe(true);
  expect(isCorrect({ ...task, canJudge: false }, undefined)).toBe(null);
  expect(isCorrect({ ...task, canJudge: true }, "row 1 has two 3s")).toBe(false);
});

it("a model fits a task exactly if both have the same number of cells, of tokens and, if the model has them, of columns", () => {
  const { model } = parseConfig({ vocabularySize: 6, sequenceLength: 16 });
  fc.assert(
    fc.property(fc.integer({ min: 15, max: 17 }), fc.integer({ min: 5, max: 7 }), (sequenceLength, vocabularySize) => {
      const fits = sequenceLength === 16 && vocabularySize === 6;
      expect(misfitOf(task, { ...model, sequenceLength, vocabularySize }) === undefined).toBe(fits);
    }),
  );
  expect(misfitOf(task, { ...model, vocabularySize: 7 })).toBe(
    "the model has 16 cells and 7 tokens, sudoku4 has 16 and 6",
  );
  expect(misfitOf(task, { ...model, columns: 4 })).toBeUndefined();
  expect(misfitOf(task, { ...model, columns: 8 })).toBe("the model has 8 columns, sudoku4 has 4");
});
