// `trm solve`: solves a puzzle of the user, one supervision step after another, or many puzzles from the standard input.
import { existsSync } from "node:fs";
import { Command, Option } from "commander";
import { type CheckpointChoice, folderState, type LoadedRun, loadRun } from "../../runs/index.node.ts";
import { UsageError } from "../explain.ts";
import { showNext } from "../next-commands.ts";
import {
  type ComputeOptions,
  checkpointOption,
  chooseBackend,
  computeOptions,
  flagOf,
  taskModuleOption,
  wholeNumber,
} from "../options.ts";
import { expectNoRolloutOption, type RolloutChoice, rolloutOptions, rolloutSettings } from "../rollout-report.ts";
import {
  type ModelPlace,
  placeOfModel,
  placeText,
  shadowNote,
  shippedNames,
  shippedPlace,
  shippedTasks,
  taskOfPuzzle,
} from "../shipped-models.ts";
import { rolloutSolutionJson, showRollouts, solveWithRollouts } from "../show-rollouts.ts";
import { legend, showSolution, solutionJson } from "../show-solution.ts";
import { solveLines } from "../solve-lines.ts";
import { solvePuzzle } from "../solve-steps.ts";
import { openTerminal, type Terminal } from "../terminal.ts";
import { invocation, shellPath } from "../version.ts";
import { runCancellable } from "../work-progress.ts";

interface SolveOptions extends ComputeOptions, RolloutChoice {
  readonly checkpoint: CheckpointChoice;
  readonly task?: string;
  readonly steps?: number;
  readonly all?: boolean;
  readonly json?: boolean;
}

export function solveCommand(): Command {
  const command = new Command("solve")
    .summary("solve a puzzle step by step, or many at once")
    .description(
      "Solves a puzzle and shows the answer after every supervision step up to the halt. Without a model it uses the one that comes with trm-ts and fits the length and the characters of the puzzle.",
    )
    .usage("[options] [model] <puzzle...>")
    .argument(
      "<puzzle...>",
      "the cells row by row, on one line or on several; a blank of a Sudoku is . or 0; a free cell of a maze is a dot or a space; - reads puzzles from standard input, one per line",
    )
    .addOption(checkpointOption())
    .addOption(taskModuleOption())
    .addOption(
      new Option("--steps <n>", "maximum number of supervision steps (default: as in training)").argParser(
        wholeNumber(1, 100_000),
      ),
    )
    .option("--all", "also show the steps after the halt");
  for (const option of [...rolloutOptions(), ...computeOptions()]) command.addOption(option);
  return command
    .option("--json", "print one JSON object per puzzle")
    .addHelpText("after", helpText)
    .action((words: string[], options: SolveOptions) => {
      if (options.rollouts === undefined) expectNoRolloutOption(command);
      else if (options.all) throw new UsageError("solve: got --rollouts and --all, expected one of them");
      const ofModel = ["checkpoint", "task"].filter((name) => command.getOptionValueSource(name) === "cli");
      return solve(words, options, ofModel);
    });
}

const helpText = (): string => `
The model is a run, a checkpoint, or the name of a shipped model:
${shippedNames().join(", ")}.
A folder of that name in the current directory comes first.

With - every puzzle gives one line, in order: the answer, whether it is correct
or which rule it breaks, and the number of steps, separated by tabs. A line that
is no puzzle gives a line that begins with "error:"; the exit code is 1 then.

Examples:
  ${invocation} solve ..1.3.....4.2...
  ${invocation} solve sudoku4 ..1. 3... ..4. 2...
  ${invocation} solve runs/demo ..1.3.....4.2... --all
  ${invocation} solve ..1.3.....4.2... --rollouts 5 --select mode
  ${invocation} solve - < puzzles.txt
  ${invocation} solve runs/demo --json - < puzzles.txt
`;

/** The words of the command line: the model if the first one names it, then the puzzle. @throws UsageError */
function splitWords(words: readonly string[]): { model: string | undefined; lines: readonly string[] } {
  const [first, ...others] = words as [string, ...string[]];
  const isPuzzle = /^[-.0-9_#SGo |+=\s]*$/.test(first);
  // "." and ".." are blanks of a Sudoku, although they are folders as well.
  const isFolder = others.length > 0 && (/^\.+$/.test(first) ? folderState(first) === "run" : existsSync(first));
  const namesModel = !isPuzzle || isFolder;
  if (!namesModel) return { model: undefined, lines: words };
  if (others.length === 0) throw new UsageError(`solve: missing required argument 'puzzle' after ${first}`);
  return { model: first, lines: others };
}

/** @param ofModel  the given options that need a model, which - alone does not name */
async function solve(words: readonly string[], options: SolveOptions, ofModel: readonly string[]): Promise<void> {
  const { checkpoint, task: taskModule, steps, all, json } = options;
  const { model: named, lines } = splitWords(words);
  const isStream = lines.length === 1 && lines[0] === "-";
  if (isStream && options.rollouts !== undefined) {
    throw new UsageError("solve: --rollouts needs a single puzzle, but - reads many puzzles from standard input");
  }
  if (isStream && named === undefined && ofModel.length > 0) {
    throw new UsageError(`solve: ${flagOf(ofModel[0]!)} requires a model before -`);
  }
  if (isStream && all)
    throw new UsageError("solve: --all needs a single puzzle, but - reads many puzzles from standard input");
  const text = lines.join("\n");
  const shipped = (): ModelPlace => shippedPlace(taskOfPuzzle(text, shippedTasks()).task.name);
  const place = named === undefined ? (isStream ? undefined : shipped()) : placeOfModel(named);
  const terminal = openTerminal(json ? "stderr" : "stdout");
  // For a single puzzle several threads gain nothing, and they take longer to start.
  const backend = await chooseBackend(isStream ? options : { ...options, threads: options.threads ?? 1 });
  try {
    const loaded = place && (await loadRun(place.path, { checkpoint, taskModule }));
    if (isStream) {
      const own = place && loaded && { name: place.name, loaded };
      if ((await solveLines(terminal, { own, steps, json })) > 0) process.exitCode = 1;
    } else if (place && loaded) {
      await solveOne({ place, loaded, text }, terminal, options);
    }
  } finally {
    backend.dispose();
  }
}

interface OnePuzzle {
  readonly place: ModelPlace;
  readonly loaded: LoadedRun;
  readonly text: string;
}

/** Runs work of `total` supervision steps, with a progress line if it takes long. */
function countSteps<T>(
  terminal: Terminal,
  total: number,
  work: (onStep: () => Promise<void>) => Promise<T>,
): Promise<T> {
  let done = 0;
  return runCancellable(terminal, (onProgress) => work(() => onProgress("solving", ++done / total)));
}

async function solveOne({ place, loaded, text }: OnePuzzle, terminal: Terminal, options: SolveOptions): Promise<void> {
  const { steps = loaded.config.training.nSup, all, json } = options;
  const { task, config, model } = loaded;
  const question = task.parse(text);
  const rollouts = rolloutSettings(options);
  if (rollouts) {
    const given = { ...rollouts, steps, select: options.select };
    const solution = await countSteps(terminal, rollouts.rollouts * steps, (onStep) =>
      solveWithRollouts(loaded, question, { ...given, onStep }),
    );
    model.dispose();
    if (json) terminal.print(JSON.stringify({ model: place.name, ...rolloutSolutionJson(task, solution) }));
    else showRollouts(task, solution, terminal);
    return;
  }
  const solution = await countSteps(terminal, steps, (onStep) => solvePuzzle(loaded, question, steps, onStep));
  model.dispose();
  if (json) {
    terminal.print(JSON.stringify({ model: place.name, ...solutionJson(task, solution) }));
    return;
  }
  const note = shadowNote(place);
  if (note !== undefined) terminal.remark(note);
  terminal.print(`model    ${placeText(place)}`);
  showSolution(task, solution, terminal, { all });
  for (const line of legend(task, config, terminal.colours)) terminal.print(terminal.colours.dim(line));
  const name = shellPath(place.name);
  const taskModule = options.task === undefined ? "" : ` --task ${shellPath(options.task)}`;
  const which = (options.checkpoint === "last" ? "" : ` --checkpoint ${options.checkpoint}`) + taskModule;
  showNext(terminal, [
    ["measure", `eval ${name}${which}`],
    ["describe", `info ${name}`],
    ["many puzzles", `solve ${name}${which} - < puzzles.txt`],
  ]);
}
