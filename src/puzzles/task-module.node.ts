// Custom tasks from a module that a user writes: its default export, or its export `task`.
import { existsSync, statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { quoted } from "../formats/index.ts";
import { ConfigError, type Task } from "../trm/index.ts";
import { type GridTask, type GridTaskDefinition, gridTask } from "./grid-task.ts";
import { choiceOf, type TaskChoice, taskOf } from "./named-task.ts";

/** Whether a name on the command line is the path of a module. */
export const isModulePath = (name: string): boolean => /[\\/]|\.[cm]?[jt]s$/.test(name);

/** A task with the plain data that a run stores of it. */
export interface ChosenTask {
  readonly task: Task;
  readonly choice: TaskChoice;
}

/**
 * Imports a task. The module exports what `gridTask` returns, or the definition that it takes.
 *
 * @throws ConfigError that begins with the path: no such file, an error in the module, no export, or an export of another kind
 */
export async function loadTaskModule(path: string): Promise<ChosenTask> {
  const module = resolve(path);
  if (!existsSync(module)) throw new ConfigError(`${path}: no such file, expected a module that exports a grid task`);
  if (!statSync(module).isFile())
    throw new ConfigError(`${path}: is a folder, expected a module that exports a grid task`);
  let exported: { readonly default?: unknown; readonly task?: unknown };
  try {
    exported = await import(pathToFileURL(module).href);
  } catch (error) {
    const isTypeScript = (Object(error) as NodeJS.ErrnoException).code === "ERR_UNKNOWN_FILE_EXTENSION";
    const reason = isTypeScript
      ? `Node ${process.version} does not run TypeScript, expected Node 22.18 or newer, or NODE_OPTIONS="--import tsx"`
      : firstLine(error);
    throw new ConfigError(`${path}: cannot be loaded: ${reason}`);
  }
  const task = guarded(asGridTask(exported.default ?? exported.task, path), path);
  return { task, choice: { ...choiceOf(task), module } };
}

/**
 * The task that a run stores. A module is imported again, and must still define the same cells and symbols.
 *
 * @param given  the module, if the one of the run has been moved
 * @throws ConfigError
 */
export async function resolveTask(choice: TaskChoice, given?: string): Promise<ChosenTask> {
  const path = given ?? choice.module;
  if (path === undefined) return { task: taskOf(choice), choice };
  if (given === undefined && (!isAbsolute(path) || /^[\\/]{2}/.test(path))) {
    throw new ConfigError(
      `${quoted(path)}: got this path as the module of the task, expected an absolute one on this machine (--task FILE names another)`,
    );
  }
  if (path === choice.module && !existsSync(path)) {
    throw new ConfigError(`${path}: no such file, but the task is defined there (if it has been moved: --task FILE)`);
  }
  if (choice.rows === undefined) {
    throw new ConfigError(
      `${path}: got a module as the task, expected none, because the model was trained on ${choice.name}`,
    );
  }
  const chosen = await loadTaskModule(path);
  for (const key of ["rows", "columns", "symbols"] as const) {
    const [got, expected] = [chosen.choice[key], choice[key]];
    if (got !== expected) throw new ConfigError(`${path}: ${key}: got ${quoted(got)}, the run has ${quoted(expected)}`);
  }
  return chosen;
}

/** @throws ConfigError */
function asGridTask(exported: unknown, path: string): GridTask {
  const expected = "expected gridTask({ ... }), or its definition with name, rows, columns, symbols and draw";
  if (exported === undefined) throw new ConfigError(`${path}: exports neither default nor task, ${expected}`);
  const given = Object(exported) as Partial<GridTask & GridTaskDefinition>;
  const fields = { name: "string", rows: "number", columns: "number", symbols: "string", draw: "function" } as const;
  for (const [field, type] of Object.entries(fields) as [keyof typeof fields, string][]) {
    if (typeof given[field] !== type)
      throw new ConfigError(`${path}: ${field}: got ${quoted(given[field])}, ${expected}`);
  }
  if (typeof given.parse === "function" && typeof given.generate === "function") return exported as GridTask;
  try {
    return gridTask(exported as GridTaskDefinition);
  } catch (error) {
    throw faultOf(path, error);
  }
}

/** The task, with the errors that its functions throw explained in one line with the path. A malformed question is the error of its user. */
function guarded(task: GridTask, path: string): GridTask {
  const guard =
    <A extends unknown[], R>(work: (...given: A) => R, passes?: string) =>
    (...given: A): R => {
      try {
        return work(...given);
      } catch (error) {
        if (passes !== undefined && Object(error).name === passes) throw error;
        throw faultOf(path, error);
      }
    };
  const { parse, mistake, generate } = task;
  return { ...task, parse: guard(parse, "PuzzleError"), mistake: guard(mistake), generate: guard(generate) };
}

/** Anything that the code of a module throws, as an error with its path. */
const faultOf = (path: string, error: unknown): ConfigError =>
  new ConfigError(`${path}: ${error instanceof ConfigError ? error.message : firstLine(error)}`);

function firstLine(error: unknown): string {
  const text = error instanceof Error ? String(error) : typeof error === "string" ? error : quoted(error, 160);
  return text.split("\n")[0]!;
}
