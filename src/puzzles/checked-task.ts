// The arguments of a task's functions, checked in one place: every task of this folder passes through `checkedTask`.
import {
  ArgumentError,
  expectFunction,
  expectObject,
  expectString,
  expectTokens,
  expectWhole,
  type Random,
  showValue,
} from "../tensor/index.ts";
import type { Task, TaskSymmetry } from "../trm/index.ts";

/** The same task, whose functions throw an ArgumentError in one line if an argument has another type or another number of cells. */
export function checkedTask<T extends Task>(task: T): T {
  const { name, sequenceLength, symmetries } = task;

  const expectCells = (where: string, what: string, tokens: ArrayLike<number>): void => {
    if (typeof tokens !== "object" || typeof tokens?.length !== "number") {
      throw new ArgumentError(`${where}: got ${showValue(tokens)} as ${what}, expected ${sequenceLength} tokens`);
    }
    if (tokens.length === sequenceLength) return;
    throw new ArgumentError(`${where}: got ${tokens.length} tokens as ${what}, expected ${sequenceLength}`);
  };

  return {
    ...task,
    parse(question) {
      expectString(`${name}.parse`, "the question", question);
      return task.parse(question);
    },
    format(tokens) {
      expectCells(`${name}.format`, "the cells", tokens);
      return task.format(tokens);
    },
    draw(tokens, paint) {
      const where = `${name}.draw`;
      expectCells(where, "the cells", tokens);
      if (paint !== undefined) expectFunction(where, "paint", paint);
      return task.draw(tokens, paint);
    },
    mistake(question, answer) {
      const where = `${name}.mistake`;
      expectCells(where, "the question", question);
      expectCells(where, "the answer", answer);
      return task.mistake(question, answer);
    },
    generate(options) {
      const where = `${name}.generate`;
      expectObject(where, "the options", options, ["train", "test", "seed"]);
      expectWhole(where, "train", options.train, 0);
      expectWhole(where, "test", options.test, 0);
      expectWhole(where, "seed", options.seed, Number.MIN_SAFE_INTEGER);
      if (options.onProgress !== undefined) expectFunction(where, "onProgress", options.onProgress);
      return task.generate(options);
    },
    augment(question, answer, random) {
      const where = `${name}.augment`;
      expectTokens(where, "the question", question, sequenceLength);
      expectTokens(where, "the answer", answer, sequenceLength);
      expectObject(where, "random", random, ["integer"]);
      return task.augment(question, answer, random);
    },
    ...(symmetries && {
      symmetries(count: number, random: Random): readonly TaskSymmetry[] {
        const where = `${name}.symmetries`;
        expectWhole(where, "the number of symmetries", count);
        expectObject(where, "random", random, ["integer"]);
        const checked = (move: TaskSymmetry["apply"]) => (tokens: ArrayLike<number>) => {
          expectCells(where, "the cells", tokens);
          return move(tokens);
        };
        return symmetries(count, random).map(({ apply, inverse }) => ({
          apply: checked(apply),
          inverse: checked(inverse),
        }));
      },
    }),
  };
}
