// `trm demo`, which is `npm start`: a model learns 4x4 Sudoku from scratch, then solves unseen puzzles on the screen.
import { Command, Option } from "commander";
import { sudokuTask } from "../../puzzles/index.ts";
import type { Examples } from "../../trm/index.ts";
import { accuracyTable } from "../accuracy-table.ts";
import { startRun } from "../new-run.ts";
import { type ComputeOptions, chooseBackend, computeOptions, positiveNumber, seed } from "../options.ts";
import { announce, runTraining } from "../run-training.ts";
import { legend, showSolution } from "../show-solution.ts";
import { type Solution, solvePuzzle } from "../solve-steps.ts";
import { openTerminal, type Terminal } from "../terminal.ts";
import { invocation } from "../version.ts";
import { measure } from "./eval.ts";

interface DemoOptions extends ComputeOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly out: string;
}

export function demoCommand(): Command {
  const command = new Command("demo")
    .summary("train on 4x4 Sudoku for a few minutes and watch it solve (npm start)")
    .description("Trains a model on 4x4 Sudoku from scratch, then shows how it solves puzzles it has never seen.")
    .addOption(new Option("--minutes <m>", "train no longer than this").argParser(positiveNumber).default(8))
    .addOption(new Option("--seed <n>", "of puzzles, weights and order").argParser(seed).default(0))
    .option("--out <dir>", "run folder; a run that is there is moved to DIR.previous", "runs/demo");
  for (const option of computeOptions()) command.addOption(option);
  return command.addHelpText("after", helpText).action((options: DemoOptions) => demo(options));
}

const helpText = (): string => `
Examples:
  npm start
  npm start -- --minutes 2 --seed 7
  ${invocation} demo --backend reference
`;

/** Stop when the watched puzzles are solved, three evaluations in a row: one of 100 puzzles says little about the next 200. */
const target = { exact: 0.995, times: 3 };
const shownPuzzles = 3;

async function demo(options: DemoOptions): Promise<void> {
  const { minutes, out } = options;
  const terminal = openTerminal();
  const { bold } = terminal.colours;
  const backend = await chooseBackend(options);
  try {
    terminal.print(bold("A Tiny Recursive Model learns 4x4 Sudoku from scratch"));
    terminal.print("Every row, column and 2x2 box holds 1 to 4. The puzzles have as few clues as one solution allows.");
    terminal.print();
    const run = await startRun(
      {
        out,
        choice: { name: "sudoku4" },
        preset: "small",
        settings: [{ where: "--seed", settings: { seed: options.seed } }],
        sizes: {},
        existing: "move aside",
        goal: { steps: null, minutes },
      },
      terminal,
    );
    announce(run, terminal);
    terminal.print();
    const goal = { step: null, seconds: 60 * minutes };
    const ending = await runTraining(run, { goal, evaluateEvery: null, saveEvery: 60, target }, terminal);
    if (ending === "stopped") {
      terminal.print(`go on: ${invocation} train --resume ${out}`);
      return;
    }
    const { training, sets } = run;
    const evaluated = { model: training.evaluationModel, config: training.config, task: sudokuTask(4) };
    await solveSome(evaluated, sets.unseen, terminal);
    terminal.print();
    terminal.print(bold(`${sets.unseen.count} unseen puzzles, which nothing in the training depended on`));
    for (const line of accuracyTable(await measure(evaluated, sets.unseen, terminal))) terminal.print(line);
    terminal.print();
    sayWhatNext(out, evaluated.task.format(puzzle(sets.unseen, shownPuzzles)), terminal);
    training.dispose();
  } finally {
    backend.dispose();
  }
}

const puzzle = ({ inputs, length }: Examples, index: number): Int32Array =>
  inputs.slice(index * length, (index + 1) * length);

/** Of so many unseen puzzles, those that take the model longest until it halts are shown: they show what the steps are for. */
const candidates = 50;

async function solveSome(
  evaluated: Parameters<typeof solvePuzzle>[0],
  unseen: Examples,
  terminal: Terminal,
): Promise<void> {
  const { task, config } = evaluated;
  const count = Math.min(candidates, unseen.count);
  terminal.print();
  terminal.print(
    terminal.colours.bold(`Of ${count} unseen puzzles, the ${shownPuzzles} it thinks about longest before it halts`),
  );
  terminal.print(terminal.colours.dim(legend(config, terminal.colours)));
  const solutions: Solution[] = [];
  for (let index = 0; index < count; index++) {
    solutions.push(await solvePuzzle(evaluated, puzzle(unseen, index), config.training.nSup));
  }
  solutions.sort((a, b) => (b.haltStep ?? 0) - (a.haltStep ?? 0));
  for (const solution of solutions.slice(0, shownPuzzles)) {
    terminal.print();
    showSolution(task, solution, terminal);
  }
}

function sayWhatNext(out: string, question: string, { print, colours }: Terminal): void {
  print(colours.bold("What to try next"));
  const rows = [
    ["another puzzle:", `solve --checkpoint ${out} ${question}`],
    ["measure it again:", `eval ${out}`],
    ["train it longer:", `train --resume ${out} --minutes 2`],
    ["its settings:", `info ${out}`],
    ["a harder task:", "train --task sudoku6 --minutes 10"],
  ];
  for (const [what, command] of rows) print(`  ${what!.padEnd(18)} ${invocation} ${command}`);
}
