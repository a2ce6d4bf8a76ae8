/**
 * ARC tasks from their JSON: the combined files (`..._challenges.json` with `..._solutions.json`) and the repositories'
 * one file per task. ARC-AGI-1, ARC-AGI-2 and ConceptARC share the form.
 */

import { DatasetError, parseJson, quoted } from "../../formats/index.ts";
import type { Grid } from "../dihedral.ts";
import { gridFromRows, gridToRows } from "./grid.ts";

export interface ArcPair {
  readonly input: Grid;
  readonly output: Grid;
}

/** The pairs of a task, in the order of the file: "train" shows the rule, "test" asks. */
export type ArcTask = ReadonlyMap<"train" | "test", readonly ArcPair[]>;

/** Tasks by name. */
export type ArcTasks = ReadonlyMap<string, ArcTask>;

/**
 * Tasks of a combined file.
 * @param solutions the answers of the tests; without, they are taken from the challenges, or are a single black cell.
 * @throws DatasetError naming file, task and place.
 */
export function parseArcChallenges(
  challenges: { readonly text: string; readonly file: string },
  solutions?: { readonly text: string; readonly file: string },
): ArcTasks {
  const tasks = objectOf(parseJson(challenges.text, challenges.file), challenges.file);
  const answers = solutions && objectOf(parseJson(solutions.text, solutions.file), solutions.file);
  const result = new Map<string, ArcTask>();
  for (const [name, task] of Object.entries(tasks)) {
    const where = `${challenges.file}: task ${quoted(name)}`;
    const outputs = answers === undefined ? undefined : answersOf(answers, name, solutions!.file);
    result.set(name, parseTask(task, where, outputs));
  }
  return result;
}

/** One task of a file of its own. @throws DatasetError */
export function parseArcTask(text: string, file: string): ArcTask {
  return parseTask(parseJson(text, file), file);
}

/** The tasks as JSON values, in the form of test_puzzles.json. */
export function arcTasksToJson(
  tasks: ArcTasks,
): Map<string, Record<string, { input: number[][]; output: number[][] }[]>> {
  const rows = ({ input, output }: ArcPair) => ({ input: gridToRows(input), output: gridToRows(output) });
  return new Map(
    [...tasks].map(([name, task]) => [
      name,
      Object.fromEntries([...task].map(([kind, pairs]) => [kind, pairs.map(rows)])),
    ]),
  );
}

function parseTask(value: unknown, where: string, outputs?: readonly unknown[]): ArcTask {
  const task = objectOf(value, where);
  const kinds = Object.keys(task).filter((key) => key === "train" || key === "test");
  if (!kinds.includes("train") || !kinds.includes("test")) {
    throw new DatasetError(`${where}: ${quoted(Object.keys(task))}, expected the fields train and test`);
  }
  return new Map(
    kinds.map((kind) => {
      const pairs = task[kind];
      if (!Array.isArray(pairs)) throw new DatasetError(`${where}: ${kind} is not an array of pairs`);
      if (kind === "test" && outputs !== undefined && outputs.length !== pairs.length) {
        throw new DatasetError(`${where}: ${outputs.length} solutions, expected ${pairs.length} (its test pairs)`);
      }
      const parsed = pairs.map((pair: unknown, index) => {
        const place = `${where}: ${kind} pair ${index + 1}`;
        const { input, output } = objectOf(pair, place);
        // Unknown answers are a single black cell, as in the official builder.
        const answer = kind === "test" ? (outputs?.[index] ?? output ?? [[0]]) : output;
        return { input: gridFromRows(input, `${place}: input`), output: gridFromRows(answer, `${place}: output`) };
      });
      return [kind, parsed] as const;
    }),
  );
}

function answersOf(answers: Record<string, unknown>, name: string, file: string): readonly unknown[] {
  const outputs = Object.hasOwn(answers, name) ? answers[name] : undefined;
  if (!Array.isArray(outputs)) throw new DatasetError(`no array of solutions for task ${quoted(name)}`, { file });
  return outputs;
}

function objectOf(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new DatasetError(`${where}: not a JSON object`);
}
