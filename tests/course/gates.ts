// The tests that every lesson of the course must pass.
import { rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hasPassed, type PartResult, runCheck } from "../../course/check.ts";
import type { Exercises, Lesson } from "../../course/lesson.ts";
import { fileOf, loadLesson, sourceOf } from "../../course/lessons.node.ts";
import { hasRepair, planted, printedOutput, solutionsOf, stubOf, titleOf } from "../../course/source.ts";
import { defaultBackend } from "../../src/tensor/index.ts";
import { projectRoot } from "../source.ts";

/** Lessons that check gradients, or train or evaluate a model: their gates take more than a second. */
export const slowLessons: readonly number[] = [4, 6, 7, 8, 10];

const seed = 1;

/** The module of a text beside the lessons, so that its imports resolve. */
export async function moduleOf(name: string, text: string): Promise<Exercises> {
  const path = `${projectRoot}course/lessons/${name}.generated.ts`;
  writeFileSync(path, text);
  try {
    return (await import(/* @vite-ignore */ path)) as Exercises;
  } finally {
    rmSync(path);
  }
}

/** The first part that failed, as the learner reads it. */
const messageOf = (parts: readonly PartResult[]): string => {
  const failure = parts.find(({ failure }) => failure)?.failure;
  return failure ? `${failure.looksLike}` : "";
};

export function describeLesson(number: number): void {
  describe(fileOf(number), () => {
    const source = sourceOf(number);
    const load = (): Promise<Lesson> => loadLesson(number);

    it("has its number and title in the first heading", () => {
      expect(source).toMatch(new RegExp(`^/\\*md\\n# ${number}\\. \\S`));
      expect(titleOf(source)).not.toBe("");
    });

    it("has a stub without solutions and checks, in which every exercise is to be written", async () => {
      const lesson = await load();
      const stub = stubOf(source, number, lesson.plants?.[0]);
      expect(stub).not.toMatch(/(BEGIN|END) (SOLUTION|CHECK)/);
      for (const { number: todo } of solutionsOf(source, number))
        expect(stub).toContain(`throw new Error("TODO ${todo}")`);
      const parts = await runCheck(lesson, await moduleOf(`stub-${number}`, stub), seed);
      expect(parts.filter(hasPassed).map(({ name }) => name)).toEqual([]);
      expect(parts.some(({ todo }) => todo === `TODO ${number}.1`)).toBe(true);
    });

    it("has a solution that passes every part of its check", async () => {
      const lesson = await load();
      const parts = await runCheck(lesson, lesson.reference, seed);
      expect(parts.filter((part) => !hasPassed(part))).toEqual([]);
      expect(parts.length).toBeGreaterThan(1);
    });

    it("fails for every planted bug, with a message of its own, and releases the tensors of its checks", async () => {
      const lesson = await load();
      await runCheck(lesson, lesson.reference, seed); // the backend allocates lists on first use
      const { liveBytes } = defaultBackend().memory();
      expect(lesson.wrong.length).toBeGreaterThanOrEqual(3);
      const messages = new Map<string, string>();
      for (const { name, mine, says } of lesson.wrong) {
        const parts = await runCheck(lesson, { ...lesson.reference, ...mine }, seed);
        messages.set(name, messageOf(parts));
        expect(messageOf(parts), name).toBe(says);
      }
      expect(new Set(messages.values()).size).toBe(lesson.wrong.length);
      expect(defaultBackend().memory().liveBytes).toBe(liveBytes);
    });

    it("fails for every mistake that a learner's seed can plant, with the correct code in no stub", async () => {
      const lesson = await load();
      expect((lesson.plants ?? []).length > 1).toBe(hasRepair(source));
      const solved = `${source.replace("\n// BEGIN CHECK\n", "\n")}`;
      for (const [i, plant] of (lesson.plants ?? []).entries()) {
        const mine = await moduleOf(`plant-${number}-${i}`, planted(solved, plant));
        const failed = (await runCheck(lesson, mine, seed)).filter((part) => !hasPassed(part));
        expect(
          failed.map(({ name }) => name),
          plant.name,
        ).toEqual([lesson.check(lesson.reference).at(-1)!.name]);
        expect(stubOf(source, number, plant)).toContain(plant.to);
        expect(stubOf(source, number, plant)).not.toContain(stubOf(source, number));
      }
    });

    it("has a hint for every exercise", () => {
      const solutions = solutionsOf(source, number);
      expect(solutions.length).toBeGreaterThan(0);
      for (const { number: todo, hint, code } of solutions) {
        expect(hint.length, todo).toBeGreaterThan(30);
        expect(code.trim(), todo).not.toBe("");
      }
    });

    it("has a program that prints what the text says", async () => {
      const lesson = await load();
      let printed = "";
      await lesson.program?.((line) => {
        printed += `${line}\n`;
      });
      expect(printed).toBe(printedOutput(source));
      expect(printed).not.toBe("");
    });
  });
}
