// `trm solve`: solves a puzzle of the user, one supervision step after another.
import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { FileError } from "../../formats/index.ts";
import { type CheckpointChoice, loadRun } from "../../runs/index.node.ts";
import {
  type ComputeOptions,
  checkpointOption,
  chooseBackend,
  computeOptions,
  taskModuleOption,
  wholeNumber,
} from "../options.ts";
import { legend, showSolution, solutionJson } from "../show-solution.ts";
import { solvePuzzle } from "../solve-steps.ts";
import { openTerminal } from "../terminal.ts";
import { invocation } from "../version.ts";

interface SolveOptions extends ComputeOptions {
  readonly checkpoint: CheckpointChoice;
  readonly task?: string;
  readonly steps?: number;
  readonly all?: boolean;
  readonly json?: boolean;
}

export function solveCommand(): Command {
  const command = new Command("solve")
    .summary("solve one puzzle, step by step")
    .description("Solves one puzzle and shows the answer after every supervision step up to the halt.")
    .argument("<dir>", "run folder or checkpoint folder")
    .argument(
      "<puzzle...>",
      "the cells row by row, on one line or on several; a blank of a Sudoku is . or 0; - reads standard input",
    )
    .addOption(checkpointOption())
    .addOption(taskModuleOption())
    .addOption(
      new Option("--steps <n>", "maximum number of supervision steps (default: as in training)").argParser(
        wholeNumber(1),
      ),
    )
    .option("--all", "also show the steps after the halt");
  for (const option of computeOptions()) command.addOption(option);
  return command
    .option("--json", "print one JSON object")
    .addHelpText("after", helpText)
    .action((path: string, lines: string[], options: SolveOptions) => solve(path, lines, options));
}

const helpText = (): string => `
Examples:
  ${invocation} solve runs/demo ..1.3.....4.2...
  ${invocation} solve runs/demo ..1. 3... ..4. 2...
  ${invocation} solve runs/demo --json - < puzzle.txt
`;

/** The puzzle of the command line, or of standard input for "-". @throws FileError */
function puzzleText(lines: readonly string[]): string {
  if (lines.length !== 1 || lines[0] !== "-") return lines.join("\n");
  try {
    return readFileSync(process.stdin.fd, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new FileError("standard input", "read", error);
  }
}

async function solve(
  path: string,
  lines: readonly string[],
  { checkpoint, task: taskModule, steps, all, json, ...compute }: SolveOptions,
): Promise<void> {
  const terminal = openTerminal(json ? "stderr" : "stdout");
  const backend = await chooseBackend(compute);
  try {
    const loaded = await loadRun(path, { checkpoint, taskModule });
    const { task, config, model } = loaded;
    const question = task.parse(puzzleText(lines));
    const solution = await solvePuzzle(loaded, question, steps ?? config.training.nSup);
    model.dispose();
    if (json) {
      terminal.print(JSON.stringify(solutionJson(task, solution)));
      return;
    }
    showSolution(task, solution, terminal, { all });
    terminal.print(terminal.colours.dim(legend(config, terminal.colours)));
  } finally {
    backend.dispose();
  }
}
