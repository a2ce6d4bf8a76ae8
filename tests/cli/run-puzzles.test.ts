// The puzzles of a run: generated ones, with and without symmetries.
import { expect, it } from "vitest";
import { generatePuzzles } from "../../src/cli/run-puzzles.ts";
import { type TaskName, taskOf } from "../../src/puzzles/named-task.ts";
import { presetFor } from "../../src/runs/presets.ts";
import { type Examples, parseConfig, sliceExamples } from "../../src/trm/index.ts";
import { recordedTerminal } from "./recorded-terminal.ts";

const rowsOf = ({ count, ...examples }: Examples): string[] =>
  Array.from({ length: count }, (_, row) => sliceExamples({ count, ...examples }, row, row + 1).inputs.join());

/** The questions of the training set and those of 32 training slots, with the preset `small`. */
function draw(name: TaskName) {
  const task = taskOf({ name });
  const { sequenceLength: length, vocabularySize } = task;
  const config = parseConfig({ sequenceLength: length, vocabularySize });
  const sizes = { ...presetFor("small", name).data, train: 4, watch: 1, unseen: 1 };
  const { source, sets, data } = generatePuzzles(task, sizes, config, recordedTerminal().terminal);
  const { inputs, labels } = source.next(32);
  const drawn = { count: 32, length, inputs, labels };
  for (let row = 0; row < 32; row++) {
    const { inputs: question, labels: answer } = sliceExamples(drawn, row, row + 1);
    expect(task.mistake(question, answer)).toBeUndefined();
  }
  return { known: rowsOf(sets.train), drawn: rowsOf(drawn), augment: data.augment };
}

it.each(["sudoku6", "sudoku9", "maze"] as const)(
  "training draws random symmetric images of the puzzles of %s",
  (name) => {
    const { known, drawn, augment } = draw(name);
    expect(augment).toBe(true);
    // 4 puzzles in 32 slots: without symmetries no question would be new.
    expect(drawn.filter((question) => !known.includes(question)).length).toBeGreaterThan(16);
  },
);

it("training draws the puzzles of sudoku4 as they are", () => {
  const { known, drawn, augment } = draw("sudoku4");
  expect(augment).toBe(false);
  expect(drawn.filter((question) => !known.includes(question))).toEqual([]);
});
