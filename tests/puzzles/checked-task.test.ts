// Wrong arguments of the functions of every task: one line that says what was given and what was expected.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arcTask, gridTask, mazeTask, sudokuTask, taskOf } from "../../src/puzzles/index.ts";
import { ArgumentError, Random } from "../../src/tensor/index.ts";
import type { Task } from "../../src/trm/index.ts";

const copy = gridTask({
  name: "copy",
  rows: 2,
  columns: 3,
  symbols: "ab",
  draw(random) {
    const text = Array.from({ length: 6 }, () => "ab"[random.integer(2)]).join("");
    return { question: text, answer: text };
  },
  mistake: (question, answer) => (question === answer ? undefined : "another picture"),
  symmetry: "dihedral",
});
const tasks: readonly Task[] = [
  sudokuTask(4),
  sudokuTask(6),
  sudokuTask(9),
  mazeTask(7),
  copy,
  arcTask,
  taskOf({ name: "tokens", cells: 16, vocabulary: 5 }),
  taskOf({ name: "grid", title: "stored", rows: 2, columns: 2, symbols: "xy" }),
];

/** Calls a function of a task as plain JavaScript can. */
const call = (task: Task, method: string, given: readonly unknown[]): unknown =>
  (task as unknown as Record<string, (...given: readonly unknown[]) => unknown>)[method]!(...given);

describe.each(tasks.map((task) => [task.name, task] as const))("%s", (name, task) => {
  const length = task.sequenceLength;
  const full = new Int32Array(length).fill(1);

  it("refuses 10 tokens where it has another number of cells, and names the function", () => {
    const few = new Int32Array(10).fill(1);
    const expected = (method: string, what: string, unit = "tokens") =>
      new ArgumentError(`${name}.${method}: got 10 ${unit} as ${what}, expected ${length}`);
    expect(() => task.format(few)).toThrow(expected("format", "the cells"));
    expect(() => task.draw(few)).toThrow(expected("draw", "the cells"));
    expect(() => task.mistake(few, full)).toThrow(expected("mistake", "the question"));
    expect(() => task.mistake(full, few)).toThrow(expected("mistake", "the answer"));
    const random = new Random(1);
    expect(() => task.augment(few, full, random)).toThrow(expected("augment", "the question", "numbers"));
    expect(() => task.augment(full, few, random)).toThrow(expected("augment", "the answer", "numbers"));
  });

  it.skipIf(!task.symmetries)("refuses a wrong number of symmetries, and 10 tokens for a symmetry", () => {
    const random = new Random(1);
    expect(() => task.symmetries!(0, random)).toThrow(
      new ArgumentError(`${name}.symmetries: got 0 as the number of symmetries, expected a whole number from 1`),
    );
    const [identity] = task.symmetries!(1, random);
    const few = new ArgumentError(`${name}.symmetries: got 10 tokens as the cells, expected ${length}`);
    expect(() => identity!.apply(new Int32Array(10))).toThrow(few);
    expect(() => identity!.inverse(new Int32Array(10))).toThrow(few);
  });

  it("keeps the labels that do not count when it augments a puzzle", () => {
    const cells = fc.array(fc.constantFrom(0, -1, -100, undefined), { minLength: length, maxLength: length });
    const labelled = Int32Array.from({ length }, (_, cell) => 1 + (cell % (task.vocabularySize - 1)));
    const question = name.startsWith("maze") ? task.parse(`S${" ".repeat(length - 2)}G`) : labelled;
    fc.assert(
      fc.property(cells, fc.nat(), (ignored, seed) => {
        const augment = (answer: Int32Array) => task.augment(question, answer, new Random(seed)).answer;
        const whole = augment(labelled);
        const part = augment(labelled.map((label, cell) => ignored[cell] ?? label));
        const kept = [...part].filter((label) => label <= 0).sort();
        expect(kept).toEqual(ignored.filter((label) => label !== undefined).sort());
        expect(part.map((label, cell) => (label > 0 ? label : whole[cell]!))).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  it("refuses arguments of another type in one line", () => {
    expect(() => call(task, "parse", [3])).toThrow(
      new ArgumentError(`${name}.parse: got 3 as the question, expected a string`),
    );
    expect(() => call(task, "generate", [undefined])).toThrow(
      new ArgumentError(`${name}.generate: got undefined as the options, expected an object with train, test, seed`),
    );
    expect(() => call(task, "augment", [full, full, 3])).toThrow(
      new ArgumentError(`${name}.augment: got 3 as random, expected an object with integer`),
    );
  });

  it("never throws a raw TypeError, whatever the arguments", () => {
    const argument = fc.oneof(
      fc.constantFrom(undefined, null, 3, "x", {}, [1, 2], () => 1, full, Array.from(full)),
      fc.integer({ min: 0, max: length + 1 }).map((count) => new Int32Array(count)),
      fc.record({ train: fc.constantFrom(-1, 0.5, "1"), test: fc.constant(0), seed: fc.constant(1) }),
    );
    const methods = fc.constantFrom("parse", "format", "draw", "mistake", "generate", "augment", "symmetries");
    fc.assert(
      fc.property(methods, fc.array(argument, { maxLength: 3 }), (method, given) => {
        fc.pre(method in task);
        try {
          call(task, method, given);
        } catch (error) {
          const { name: kind, message } = error as Error;
          expect(["ArgumentError", "PuzzleError", "ConfigError"], `${error}`).toContain(kind);
          expect(message).not.toContain("\n");
        }
      }),
      { numRuns: 300 },
    );
  });

  it("does what it did with right arguments, plain arrays of tokens included", () => {
    expect(task.format(Array.from(full))).toBe(task.format(full));
    expect(task.draw(Array.from(full), (symbol) => symbol)).toBe(task.draw(full));
  });
});
