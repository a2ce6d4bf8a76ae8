// The task of generated puzzles that a user names: one of ours, or a module.

import { Option } from "commander";
import { type ChosenTask, isModulePath, loadTaskModule } from "../puzzles/index.node.ts";
import { type TaskChoice, taskNames, taskOf } from "../puzzles/index.ts";
import { UsageError } from "./explain.ts";
import { wholeNumber } from "./options.ts";

/** Options of the puzzles of a named task. */
export type GeneratedOptions = Pick<TaskChoice, "side" | "clues" | "longerThan">;

/** The clues of a Sudoku that is generated for a training, for the help: those of the presets. */
export const presetClues = "10 for sudoku6 with preset small, else as few as a unique solution allows";

/** @param defaultClues  how many clues a Sudoku has without the option, for the help */
export const generatedOptions = (defaultClues = "as few as a unique solution allows"): Option[] => [
  new Option("--side <n>", "rows and columns of a maze (7 to 30; default: 9)").argParser(wholeNumber(1)),
  new Option(
    "--longer-than <n>",
    "mazes whose shortest path has more steps than this (default: 9 for side 9, 27 for 15, 110 for 30)",
  ).argParser(wholeNumber(0)),
  new Option(
    "--clues <n>",
    `clues of a Sudoku, or more where a unique solution needs them (default: ${defaultClues})`,
  ).argParser(wholeNumber(1)),
];

/**
 * @param where  the option or argument, for errors
 * @throws UsageError for an unknown name, or options that a module does not have; ConfigError for a broken module
 */
export async function generatedChoice(
  name: string,
  { side, clues, longerThan }: GeneratedOptions,
  where: string,
): Promise<ChosenTask> {
  if (isModulePath(name)) {
    if (side !== undefined || clues !== undefined || longerThan !== undefined) {
      throw new UsageError(
        `${where} ${name}: got --side, --longer-than or --clues, expected none (the module defines the puzzles)`,
      );
    }
    return loadTaskModule(name);
  }
  const known = taskNames.find((one) => one === name);
  if (known === undefined) {
    throw new UsageError(
      `${where} ${name}: expected one of ${taskNames.join(", ")}, or a module such as ./gravity.mjs`,
    );
  }
  const choice = { name: known, ...given({ side, longerThan, clues }) };
  return { task: taskOf(choice), choice };
}

/** The options that were given. */
export const given = ({ side, longerThan, clues }: GeneratedOptions): GeneratedOptions => ({
  ...(side !== undefined && { side }),
  ...(longerThan !== undefined && { longerThan }),
  ...(clues !== undefined && { clues }),
});
