// ARC tasks in JSON: the combined files (`..._challenges.json` with `..._solutions.json`) and the repositories' files with one task
// each. ARC-AGI-1, ARC-AGI-2 and ConceptARC have the same form.
//
// The answer of a test pair is unknown if the test file comes without solutions, as on Kaggle. The official builder writes a single
// black cell in its place; trm-ts writes the same cell, with a field "unknown" beside it that the official code ignores.
import { DatasetError, duplicateKey, parseJson, quoted } from "../../formats/index.ts";
import { expectObject, expectString } from "../../tensor/index.ts";
import type { Grid } from "../dihedral.ts";
import { gridFromRows, gridToRows } from "./grid.ts";

export interface ArcPair {
  readonly input: Grid;
  /** Undefined if the answer is unknown. */
  readonly output: Grid | undefined;
}

/** The pairs of a task, in the order of the file: "train" demonstrates the rule, "test" poses the questions. */
export type ArcTask = ReadonlyMap<"train" | "test", readonly ArcPair[]>;

/** Tasks by name. */
export type ArcTasks = ReadonlyMap<string, ArcTask>;

interface JsonFile {
  readonly text: string;
  readonly file: string;
}

/**
 * Parses the tasks of a combined file.
 * @param solutions the answers of the test pairs. Without them, an answer in the challenges is used; otherwise it is unknown
 * @throws DatasetError that names file, task and place; for a duplicate key, only the file and the key
 */
export function parseArcChallenges(challenges: JsonFile, solutions?: JsonFile): ArcTasks {
  for (const [name, file] of Object.entries({ challenges, solutions })) {
    if (file === undefined && name === "solutions") continue;
    expectObject("parseArcChallenges", `the ${name}`, file, ["text", "file"]);
    expectString("parseArcChallenges", `the text of the ${name}`, file!.text);
    expectString("parseArcChallenges", `the file name of the ${name}`, file!.file);
  }
  const tasks = fieldsOf(challenges);
  const answers = solutions && fieldsOf(solutions);
  const result = new Map<string, ArcTask>();
  for (const [name, task] of Object.entries(tasks)) {
    const where = `${challenges.file}: task ${quoted(name)}`;
    const outputs = answers === undefined ? undefined : answersOf(answers, name, solutions!.file);
    result.set(name, parseTask(task, where, outputs));
  }
  return result;
}

/** The object of a combined file. @throws DatasetError */
function fieldsOf({ text, file }: JsonFile): Readonly<Record<string, unknown>> {
  const fields = objectOf(parseJson(text, file), file);
  const twice = duplicateKey(text);
  if (twice !== undefined) throw new DatasetError(`contains ${quoted(twice)} twice`, { file });
  return fields;
}

/** Parses a file with one task. @throws DatasetError */
export function parseArcTask(text: string, file: string): ArcTask {
  return parseTask(parseJson(text, file), file);
}

const PLACEHOLDER = [[0]];

/** The tasks as JSON values, in the form of test_puzzles.json. */
export function arcTasksToJson(tasks: ArcTasks): Map<string, unknown> {
  const rows = ({ input, output }: ArcPair) =>
    output === undefined
      ? { input: gridToRows(input), output: PLACEHOLDER, unknown: true }
      : { input: gridToRows(input), output: gridToRows(output) };
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
      const parsed = pairs.map((pair: unknown, index): ArcPair => {
        const place = `${where}: ${kind} pair ${index + 1}`;
        const { input, output, unknown } = objectOf(pair, place);
        const answer = kind === "test" ? (outputs?.[index] ?? (unknown === true ? undefined : output)) : output;
        const isUnknown = kind === "test" && (answer === undefined || answer === null);
        return {
          input: gridFromRows(input, `${place}: input`),
          output: isUnknown ? undefined : gridFromRows(answer, `${place}: output`),
        };
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
