// The task of generated puzzles that a user names: one of ours, or a module.
import { type ChosenTask, isModulePath, loadTaskModule } from "../puzzles/index.node.ts";
import { type TaskChoice, taskNames, taskOf } from "../puzzles/index.ts";
import { UsageError } from "./explain.ts";

/**
 * @param where  the option or argument, for errors
 * @throws UsageError for an unknown name, or options that a module does not have; ConfigError for a broken module
 */
export async function generatedChoice(
  name: string,
  { side, clues }: Pick<TaskChoice, "side" | "clues">,
  where: string,
): Promise<ChosenTask> {
  if (isModulePath(name)) {
    if (side !== undefined || clues !== undefined) {
      throw new UsageError(`${where} ${name}: got --side or --clues, expected none (the module defines the puzzles)`);
    }
    return loadTaskModule(name);
  }
  const known = taskNames.find((one) => one === name);
  if (known === undefined) {
    throw new UsageError(`${where} ${name}: expected one of ${taskNames.join(", ")}, or a module such as ./life.mjs`);
  }
  const choice = { name: known, ...(side !== undefined && { side }), ...(clues !== undefined && { clues }) };
  return { task: taskOf(choice), choice };
}
