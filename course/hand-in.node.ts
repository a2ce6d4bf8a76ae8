// Marks, and the one file that a learner hands in: the lessons as written, the name that chose the seeds, and the marks. The person who marks
// it checks the files again; the marks in it are only for the learner.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { hasPassed } from "./check.ts";
import { readSettings, startFolder } from "./learner-folder.node.ts";
import { lessonFiles, titleOfLesson } from "./lessons.node.ts";
import type { LessonReport } from "./report.ts";
import { checkLesson } from "./run-check.node.ts";
import { hash } from "./source.ts";

export interface Marks {
  readonly format: "trm-ts course marks";
  readonly version: 1;
  readonly name: string;
  readonly lessons: readonly {
    readonly lesson: number;
    readonly title: string;
    /** One mark per part. */
    readonly marks: number;
    readonly of: number;
    readonly parts: readonly { readonly name: string; readonly passed: boolean }[];
    /** Why the check could not run. */
    readonly error?: string;
  }[];
}

export interface HandIn {
  readonly format: "trm-ts course hand-in";
  readonly version: 1;
  readonly name: string;
  readonly seed: number;
  /** Texts by file name. */
  readonly files: Readonly<Record<string, string>>;
  readonly marks: Marks;
}

type Checked = LessonReport & { readonly error?: string };

export function marksOf(name: string, reports: readonly Checked[]): Marks {
  const lessons = reports.map(({ lesson, title, parts, error }) => ({
    lesson,
    title,
    marks: parts.filter(hasPassed).length,
    of: parts.length,
    parts: parts.map((part) => ({ name: part.name, passed: hasPassed(part) })),
    ...(error !== undefined && { error }),
  }));
  return { format: "trm-ts course marks", version: 1, name, lessons };
}

/** Checks every lesson of a learner's folder. */
export async function handInOf(folder: string, seconds: number): Promise<HandIn> {
  const { name } = readSettings(folder);
  const seed = hash(name) >>> 1;
  const files: Record<string, string> = {};
  const reports: Checked[] = [];
  for (const [index, file] of lessonFiles.entries()) {
    const lesson = index + 1;
    if (!existsSync(join(folder, file))) continue;
    files[file] = readFileSync(join(folder, file), "utf8");
    reports.push(
      await checkLesson({ lesson, folder, seed }, seconds).catch((error: Error) => ({
        lesson,
        title: titleOfLesson(lesson),
        parts: [],
        error: error.message,
      })),
    );
  }
  return { format: "trm-ts course hand-in", version: 1, name, seed, files, marks: marksOf(name, reports) };
}

/** Writes a hand-in to a new folder. @throws Error if it is not one */
export async function writeHandIn(folder: string, handIn: HandIn): Promise<void> {
  const { format, version, name, files } = Object(handIn) as Partial<HandIn>;
  if (format !== "trm-ts course hand-in" || version !== 1) {
    const given = `${JSON.stringify(format)} ${JSON.stringify(version)}`;
    throw new Error(`hand-in: got ${given}, expected trm-ts course hand-in 1`);
  }
  const texts = Object(files) as Readonly<Record<string, unknown>>;
  const isText = (file: string): boolean => texts[file] === undefined || typeof texts[file] === "string";
  if (typeof name !== "string" || Object(files) !== files || !lessonFiles.every(isText)) {
    throw new Error("hand-in: expected a name, and the lessons as texts by file name");
  }
  await startFolder(folder, { name, from: 1 });
  for (const file of lessonFiles) {
    const text = texts[file];
    if (text !== undefined) writeFileSync(join(folder, basename(file)), text as string);
  }
}

/** A table of marks: a row per learner, a column per lesson. */
export function showMarks(all: readonly Marks[]): string {
  const head = ["name", ...lessonFiles.map((_, i) => String(i + 1)), "sum"];
  const rows = all.map(({ name, lessons }) => {
    const cell = (number: number): string => {
      const own = lessons.find(({ lesson }) => lesson === number);
      if (!own) return "-";
      return own.error === undefined ? `${own.marks}/${own.of}` : "error";
    };
    const sum = lessons.reduce((total, { marks }) => total + marks, 0);
    return [name, ...lessonFiles.map((_, i) => cell(i + 1)), String(sum)];
  });
  const widths = head.map((text, i) => Math.max(text.length, ...rows.map((row) => row[i]!.length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((text, i) => text.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
