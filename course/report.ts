// The report of a check as the learner reads it.
import pc from "picocolors";
import { hasPassed, type PartResult } from "./check.ts";

export interface LessonReport {
  readonly lesson: number;
  readonly title: string;
  readonly parts: readonly PartResult[];
}

const width = 18;

/** A field of the report; the lines of a long value stand below each other. */
const field = (name: string, value: string): string =>
  value
    .split("\n")
    .flatMap(wrapped)
    .map((line, i) => `    ${(i === 0 ? name : "").padEnd(width)}${line}`)
    .join("\n");

/** Sentences in lines of at most 90 characters; everything else stays one line. */
function wrapped(line: string): string[] {
  const lines = [""];
  for (const word of line.split(" ")) {
    const last = lines.at(-1)!;
    if (last !== "" && last.length + 1 + word.length > 90) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

/** All parts, the first failure in full. Later failures are named only: they are often consequences. */
export function showReport({ lesson, title, parts }: LessonReport): string {
  const passed = parts.filter(hasPassed).length;
  const lines = [pc.bold(`Lesson ${lesson}: ${title}`), ""];
  let isFirst = true;
  for (const part of parts) {
    const { name, todo, failure, skipped } = part;
    if (skipped) lines.push(`  ${pc.yellow("○")} ${name} (runs once the parts above pass)`);
    else if (hasPassed(part)) lines.push(`  ${pc.green("✓")} ${name}`);
    else if (todo) {
      lines.push(`  ${pc.yellow("○")} ${name}`);
      const own = Number(/\d+/.exec(todo)![0]); // a lesson runs functions of earlier lessons
      const place = own === lesson ? "the file" : `the file of lesson ${own}`;
      if (isFirst) lines.push("", field("not written yet", `search ${place} for ${todo}`), "");
    } else {
      lines.push(`  ${pc.red("✗")} ${name}`);
      if (isFirst && failure) {
        lines.push("", field("counterexample", failure.counterexample), field("expected", failure.expected));
        lines.push(field("received", failure.received));
        if (failure.first) lines.push(field("first difference", failure.first));
        lines.push(field("replay", `npm run check -- ${lesson} --replay ${failure.seed}`));
        if (failure.looksLike) lines.push(field("looks like", failure.looksLike));
        lines.push(field("next", failure.next), "");
      }
    }
    if (!hasPassed(part)) isFirst = false;
  }
  const isWhole = passed === parts.length;
  lines.push("", isWhole ? pc.green(`${passed} of ${parts.length} passed`) : `${passed} of ${parts.length} passed`);
  if (isWhole) lines.push(`npm run show -- ${lesson} prints another solution to compare with yours.`);
  else lines.push(`npm run hint -- ${lesson} prints a hint.`);
  return lines.join("\n");
}
