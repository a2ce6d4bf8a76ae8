// `trm demo`, also `npm start`: trains a model on 4x4 Sudoku from scratch and shows how it solves unseen puzzles.
import { Command, Option } from "commander";
import { sudokuTask } from "../../puzzles/index.ts";
import { type Examples, evaluate, sliceExamples } from "../../trm/index.ts";
import { accuracyTable } from "../accuracy-table.ts";
import { measure } from "../measure.ts";
import { startRun } from "../new-run.ts";
import { showNext } from "../next-commands.ts";
import { type ComputeOptions, chooseBackend, computeOptions, outputFolder, positiveNumber, seed } from "../options.ts";
import { legend, showSolution } from "../show-solution.ts";
import { showSettings, trainOnScreen } from "../show-training.ts";
import { type Solution, solvePuzzle } from "../solve-steps.ts";
import { openTerminal, type Terminal } from "../terminal.ts";
import { invocation, shellPath } from "../version.ts";

interface DemoOptions extends ComputeOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly out: string;
}

export function demoCommand(): Command {
  const command = new Command("demo")
    .summary("train on 4x4 Sudoku until it solves unseen puzzles")
    .description("Trains a model on 4x4 Sudoku from scratch, then shows how it solves unseen puzzles.")
    .addOption(new Option("--minutes <m>", "maximum training time").argParser(positiveNumber).default(8))
    .addOption(new Option("--seed <n>", "seed of puzzles, weights and order").argParser(seed).default(0))
    .option(
      "--out <dir>",
      "run folder; an existing run is moved to DIR.previous, where an older one is replaced",
      outputFolder,
      "runs/demo",
    );
  for (const option of computeOptions()) command.addOption(option);
  return command.addHelpText("after", helpText).action((options: DemoOptions) => demo(options));
}

const helpText = (): string => `
Examples:
  npm start
  npm start -- --minutes 2 --seed 7
  ${invocation} demo --backend reference
`;

/** Watched puzzles. With the 100 of the preset a few correct answers more or less would decide when the training ends. */
const watch = 300;
/** Training ends when two evaluations in a row solve all watched puzzles but one. */
const target = { exact: (watch - 1) / watch, times: 2 };
/** Training steps between evaluations. A fixed number, unlike a time, makes the run end at the same step on every machine. */
const evaluateEvery = 250;
/** The learning rate falls within 2,000 steps, because most seeds reach the target within 1,750. */
const settings = { totalSteps: 2000 };
const shownPuzzles = 3;

async function demo(options: DemoOptions): Promise<void> {
  const { minutes, out, threads } = options;
  const terminal = openTerminal();
  const { bold } = terminal.colours;
  const backend = await chooseBackend(options);
  try {
    terminal.print(bold("A Tiny Recursive Model learns 4x4 Sudoku from scratch"));
    terminal.print("Every row, column and 2x2 box holds 1 to 4. A puzzle has as few clues as a");
    terminal.print("unique solution allows.");
    terminal.print();
    const session = await startRun(
      {
        out,
        choice: { name: "sudoku4" },
        preset: "small",
        settings: [{ where: "--seed", settings: { ...settings, seed: options.seed } }],
        sizes: { watch },
        force: true,
        goal: { steps: null, minutes },
      },
      terminal,
    );
    showSettings(session, terminal);
    terminal.print();
    const goal = { step: null, seconds: 60 * minutes };
    const ending = await trainOnScreen(session, { goal, evaluateEvery, saveEvery: 60, target, threads }, terminal);
    if (ending === "stopped") {
      terminal.print(`continue: ${invocation} ${session.continueCommand}`);
      return;
    }
    const { training, sets } = session;
    const evaluated = { model: training.evaluationModel, config: training.config, task: sudokuTask(4) };
    await solveSome(evaluated, sets.unseen, terminal);
    terminal.print();
    terminal.print(bold(`Accuracy on ${sets.unseen.count} unseen puzzles, which did not influence the training`));
    for (const line of accuracyTable(await measure(evaluate, evaluated, sets.unseen, terminal))) terminal.print(line);
    showNext(terminal, [
      ["another puzzle", `solve ${shellPath(out)} ${evaluated.task.format(question(sets.unseen, shownPuzzles))}`],
      ["measure again", `eval ${shellPath(out)}`],
      ["train longer", `train --resume ${shellPath(out)} --minutes 2`],
      ["show settings", `info ${shellPath(out)}`],
      ["a harder task", "train --task sudoku6 --minutes 10"],
    ]);
    training.dispose();
  } finally {
    backend.dispose();
  }
}

const question = (examples: Examples, index: number): Int32Array => sliceExamples(examples, index, index + 1).inputs;

/** Number of unseen puzzles from which the ones with most steps are shown, because these show what the steps are for. */
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
    terminal.colours.bold(`The ${shownPuzzles} of ${count} unseen puzzles that take most steps until the model halts`),
  );
  for (const line of legend(task, config, terminal.colours)) terminal.print(terminal.colours.dim(line));
  const solutions: Solution[] = [];
  for (let index = 0; index < count; index++) {
    solutions.push(await solvePuzzle(evaluated, question(unseen, index), config.training.nSup));
  }
  solutions.sort((a, b) => (b.haltStep ?? 0) - (a.haltStep ?? 0));
  for (const solution of solutions.slice(0, shownPuzzles)) {
    terminal.print();
    showSolution(task, solution, terminal);
  }
}
