// The lessons in their order, with access to their sources.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Lesson } from "./lesson.ts";
import { titleOf } from "./source.ts";

/** Files of the lessons; the number of a lesson is its place, from 1. */
export const lessonFiles = [
  "01-shapes.ts",
  "02-tape.ts",
  "03-finding-a-bug.ts",
  "04-network.ts",
  "05-recursion.ts",
  "06-off-the-tape.ts",
  "07-deep-supervision.ts",
  "08-halting.ts",
  "09-hrm-or-trm.ts",
  "10-fixed-points.ts",
] as const;

const urlOf = (number: number): URL => new URL(`lessons/${fileOf(number)}`, import.meta.url);

/** @throws Error for a number that is not a lesson's */
export function fileOf(number: number): string {
  const file = lessonFiles[number - 1];
  if (file === undefined) throw new Error(`lesson: got ${number}, expected a number from 1 to ${lessonFiles.length}`);
  return file;
}

export const sourceOf = (number: number): string => readFileSync(urlOf(number), "utf8");

export const titleOfLesson = (number: number): string => titleOf(sourceOf(number));

export const loadLesson = (number: number): Promise<Lesson> => import(urlOf(number).href) as Promise<Lesson>;

/** The root of the repository. */
export const repository = fileURLToPath(new URL("..", import.meta.url));
