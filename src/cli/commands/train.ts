// `trm train`: starts a new run or continues an existing one.
import { existsSync } from "node:fs";
import { basename, parse as parsePath, resolve as resolvePath } from "node:path";
import { Command, Help, Option } from "commander";
import { CheckpointError } from "../../formats/index.ts";
import { dataSettings, isModulePath, readDataMetadata, readDataTask, resolveTask } from "../../puzzles/index.node.ts";
import { type TaskChoice, taskNames } from "../../puzzles/index.ts";
import {
  type EvaluatedStep,
  puzzlesOfRun,
  type RunAbout,
  readInitialWeights,
  runFileIn,
  verifyData,
  WritableRun,
} from "../../runs/index.node.ts";
import {
  expectEnoughWeights,
  expectTaskFits,
  type PresetName,
  presetNames,
  presetSummaries,
  restoreTraining,
} from "../../runs/index.ts";
import { Training } from "../../trm/index.ts";
import { backendText } from "../describe-run.ts";
import { UsageError } from "../explain.ts";
import { type GeneratedOptions, generatedChoice, generatedOptions, presetClues } from "../generated-choice.ts";
import { type NewRun, startRun } from "../new-run.ts";
import { showNext } from "../next-commands.ts";
import {
  type ComputeOptions,
  chooseBackend,
  computeOptions,
  outputFolder,
  positiveNumber,
  seed,
  wholeNumber,
} from "../options.ts";
import { changedConfig, modelSettings, parseSet, readConfigFile, type SettingSource } from "../settings.ts";
import { initialWeightsText, placeOfModel } from "../shipped-models.ts";
import { showSettings, trainOnScreen } from "../show-training.ts";
import { openTerminal, type Terminal } from "../terminal.ts";
import { type Goal, isReached } from "../time-left.ts";
import { ownGoalOf, TrainingSession } from "../training-session.ts";
import { commandLine, invocation, shellPath } from "../version.ts";

interface TrainOptions extends ComputeOptions, GeneratedOptions {
  readonly task?: string;
  readonly data?: string;
  readonly puzzles?: number;
  readonly unseen?: number;
  readonly preset: PresetName;
  readonly isPresetNamed: boolean;
  readonly config?: string;
  readonly set: readonly string[];
  readonly init?: string;
  readonly initRaw?: boolean;
  readonly seed?: number;
  readonly out?: string;
  readonly force?: boolean;
  readonly resume?: string;
  readonly from?: number;
  readonly steps?: number;
  readonly minutes?: number;
  readonly evalEvery?: number;
  readonly saveEvery: number;
  readonly json?: boolean;
}

/** Options that a run keeps from its start. */
const fixedOnResume = [
  "side",
  "longerThan",
  "clues",
  "puzzles",
  "unseen",
  "preset",
  "config",
  "init",
  "initRaw",
  "seed",
  "out",
  "force",
];

/** Options of generated puzzles. */
const generatedOnly = ["task", "side", "longerThan", "clues", "puzzles", "unseen"];

export function trainCommand(): Command {
  const command = new Command("train")
    .summary("train a model from scratch, or continue a run")
    .description("Trains a model from scratch, or continues a run bit for bit.")
    .option(
      "--task <name>",
      `puzzles to generate and learn: ${taskNames.join(", ")}, or a module that exports a grid task, such as ./gravity.mjs; with --resume: the new place of that module`,
    )
    .addOption(
      new Option("--data <dir>", "data set in the official layout to learn, read during training").conflicts(
        generatedOnly,
      ),
    );
  for (const option of generatedOptions(presetClues)) command.addOption(option);
  command
    .addOption(
      new Option(
        "--puzzles <n>",
        "number of puzzles to generate for training (default: that of the preset, below)",
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      new Option(
        "--unseen <n>",
        "number of puzzles to generate for trm eval, besides those that are evaluated during training (default: 200)",
      ).argParser(wholeNumber(1)),
    )
    .addOption(new Option("--preset <name>", "named settings, see below").choices(presetNames).default("small"))
    .option(
      "--config <file>",
      "settings that override the preset: JSON or YAML, our names or the official ones; see below for official files",
    )
    .addOption(
      new Option(
        "--set <key=value...>",
        "settings that override the file; with --resume: new values of settings such as learningRate",
      ).default([], "none"),
    )
    .option("--init <dir>", `start from ${initialWeightsText()}, with its model settings and a new optimizer`)
    .option("--init-raw", "with --init: start from the weights themselves instead of their average")
    .addOption(new Option("--seed <n>", "seed of puzzles, weights and order (default: 0)").argParser(seed))
    .option("--out <dir>", "new run folder (default: runs/TASK)", outputFolder)
    .option("--force", "move an existing run to DIR.previous; an older run there is replaced")
    .addOption(
      new Option(
        "--resume <dir>",
        "continue the run in this folder; --data gives the new place of a data set that has been moved",
      ).conflicts(fixedOnResume),
    )
    .addOption(
      new Option("--from <step>", "with --resume: continue from this checkpoint and remove later ones").argParser(
        wholeNumber(0),
      ),
    )
    .addOption(
      new Option("--steps <n>", "stop after training step n, counted from the start of the run").argParser(
        wholeNumber(0),
      ),
    )
    .addOption(
      new Option("--minutes <m>", "stop after m minutes of training; with --resume: m more minutes").argParser(
        positiveNumber,
      ),
    )
    .addOption(
      new Option(
        "--eval-every <steps>",
        "steps between evaluations on unseen puzzles (default: as often as fits into a tenth of the training time)",
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      new Option("--save-every <seconds>", "seconds between checkpoints").argParser(positiveNumber).default(60),
    );
  for (const option of computeOptions()) command.addOption(option);
  return command
    .option("--json", "print the result as one JSON object (progress goes to stderr)")
    .addHelpText("after", helpText)
    .action((options: TrainOptions) => {
      if (options.from !== undefined && options.resume === undefined) {
        throw new UsageError("train: --from requires --resume");
      }
      if (options.initRaw && options.init === undefined) throw new UsageError("train: --init-raw requires --init");
      return train({ ...options, isPresetNamed: command.getOptionValueSource("preset") === "cli" });
    });
}

function presetHelp(name: PresetName): string {
  const help = Object.assign(new Help(), { helpWidth: 80 });
  return help.formatItem(name, 8, presetSummaries[name], help);
}

const helpText = (): string => `
Presets:
${presetNames.map(presetHelp).join("\n")}

Preset small generates 16,000 puzzles for sudoku4, 10,000 for sudoku6, 20,000
for sudoku9 and maze, 5,000 for a task of your own; presets official and paper
generate 1,000.
The settings of --set are explained in docs/settings.md.

A complete official configuration (all_config.yaml) determines all settings; the
preset only sets the number of generated puzzles (default: official). An arch
file determines the model; the preset (default: official) sets the training.

Without --steps and --minutes, training ends at the setting totalSteps
(preset small: 20,000; for sudoku4 3,000, for maze 12,000). Ctrl-C saves the
run and stops.
A pause (Ctrl-Z, sleep) counts as at most five minutes of training time.
A run keeps its last three checkpoints, for --resume DIR --from STEP.

Examples:
  ${invocation} train --task sudoku4 --minutes 2
  ${invocation} train --task sudoku9 --out runs/nine --set hiddenSize=192 n=6
  ${invocation} train --resume runs/nine --minutes 60
  ${invocation} train --resume runs/arc1 --data moved/arc1
  ${invocation} train --task maze --side 12 --minutes 60
  ${invocation} train --task sudoku9 --init runs/nine --out runs/harder
  ${invocation} train --task sudoku9 --init sudoku9 --out runs/tuned
  ${invocation} train --task ./gravity.mjs --minutes 5
  ${invocation} train --data data/arc1 --out runs/arc1 --minutes 600
  ${invocation} train --task sudoku9 --preset official --config my.yaml
`;

async function train(options: TrainOptions): Promise<void> {
  const terminal = openTerminal(options.json ? "stderr" : "stdout");
  const backend = await chooseBackend(options);
  try {
    const session = await openSession(options, terminal);
    showSettings(session, terminal);
    const goal = goalOf(options, session);
    if (isReached(goal, { step: session.training.step, seconds: session.seconds })) {
      terminal.remark("this run has reached its goal already; --steps or --minutes sets a new one");
    }
    const { evalEvery: evaluateEvery = null, saveEvery, threads } = options;
    const ending = await trainOnScreen(session, { goal, evaluateEvery, saveEvery, threads }, terminal);
    if (options.resume !== undefined && options.set.length > 0 && !session.hasTrained) {
      terminal.remark(
        `note: --set ${options.set.join(" ")} was not stored, because no step was made: repeat it with --minutes, or with --steps above ${session.training.step}`,
      );
    }
    if (options.json) terminal.print(JSON.stringify(result(session, ending)));
    else showNext(terminal, nextCommands(session));
    session.training.dispose();
  } finally {
    backend.dispose();
  }
}

const openSession = (options: TrainOptions, terminal: Terminal): Promise<TrainingSession> =>
  options.resume === undefined
    ? newRun(options).then((wanted) => startRun(wanted, terminal))
    : resumeRun(options.resume, options, terminal);

async function newRun(options: TrainOptions): Promise<NewRun> {
  const { puzzles, unseen, isPresetNamed, config, set, steps, minutes, force } = options;
  const { choice, name, folder, settings } =
    options.data === undefined ? await generatedTask(options) : storedTask(options.data);
  const fromFile = config === undefined ? [] : [readConfigFile(config)];
  const isOfficial = fromFile.some(({ determines }) => determines !== undefined);
  const init =
    options.init === undefined
      ? undefined
      : readInitialWeights(placeOfModel(options.init).path, options.initRaw ?? false);
  const fromInit = init === undefined ? [] : [modelSettings(options.init!, init)];
  const fromSeed = options.seed === undefined ? [] : [{ where: "--seed", settings: { seed: options.seed } }];
  return {
    out: options.out ?? `runs/${name}`,
    choice,
    dataFolder: folder,
    preset: isOfficial && !isPresetNamed ? "official" : options.preset,
    showSources: config !== undefined,
    init,
    settings: [...fromInit, ...settings, ...fromFile, ...fromSeed, parseSet(set)],
    sizes: { ...(puzzles !== undefined && { train: puzzles }), ...(unseen !== undefined && { unseen }) },
    force: force ?? false,
    goal: { steps: steps ?? null, minutes: minutes ?? null },
    command: commandLine(),
  };
}

interface TaskSource {
  readonly choice: TaskChoice;
  /** Default name of the run. */
  readonly name: string;
  /** The stored data set. */
  readonly folder?: string;
  /** Settings that follow from the data set. */
  readonly settings: readonly SettingSource[];
}

async function generatedTask({ task: name, ...options }: TrainOptions): Promise<TaskSource> {
  if (name === undefined) {
    throw new UsageError(`train: --task, --data or --resume is missing (tasks: ${taskNames.join(", ")})`);
  }
  const { choice } = await generatedChoice(name, options, "train --task");
  return { choice, name: choice.module === undefined ? name : parsePath(choice.module).name, settings: [] };
}

/** @throws DatasetError */
function storedTask(path: string): TaskSource {
  const folder = resolvePath(path);
  const metadata = readDataMetadata(folder);
  const { puzzleIds } = dataSettings(metadata);
  const settings = [{ where: path, settings: { puzzleIds } }];
  return { choice: readDataTask(folder), name: basename(folder), folder, settings };
}

async function resumeRun(
  path: string,
  { from, data, set, task: taskModule, steps, minutes }: TrainOptions,
  terminal: Terminal,
): Promise<TrainingSession> {
  const changed = parseSet(set);
  if (taskModule !== undefined && !isModulePath(taskModule)) {
    throw new UsageError(`train: --task ${taskModule} with --resume, expected the path of a module`);
  }
  const { run, about: recorded, checkpoint } = WritableRun.resume(path, from);
  try {
    const { backend: earlier, seconds, step, data: trainedOn } = checkpoint.side;
    const config = changedConfig(checkpoint.side.config, changed);
    // With --from, the session removes later checkpoints, which must not happen if no step follows.
    const goal = goalOf({ steps, minutes }, { ownGoal: ownGoalOf(recorded, config), seconds });
    if (from !== undefined && isReached(goal, { step, seconds })) {
      throw new UsageError(
        `train: --from ${from}: the run has reached its goal at this step, expected --minutes, or --steps above ${step}`,
      );
    }
    const moved = movedData(path, recorded, data);
    const { task, choice } = await resolveTask(recorded.task, taskModule);
    expectTaskFits(task, config, taskModule ?? runFileIn(path));
    const { source, sets, fingerprint } = puzzlesOfRun(path, moved, config, task);
    const note = verifyData({
      path: moved.dataFolder ?? `the puzzles in ${path}`,
      actual: fingerprint,
      expected: trainedOn ?? recorded.fingerprint,
      run: path,
    });
    expectEnoughWeights(checkpoint.side, checkpoint.files, checkpoint.path);
    const training = new Training(config, source);
    restoreTraining(training, checkpoint.side, checkpoint.files, checkpoint.path);
    const about = { ...moved, task: choice, fingerprint };
    if (data !== undefined || taskModule !== undefined) run.record(about);
    const now = training.model.embedding.weight.value.backend;
    terminal.remark(`continuing after step ${step}`);
    if (note !== undefined) terminal.remark(`note: ${note}`);
    if (backendText(now) !== backendText(earlier)) {
      terminal.remark(`note: trained on ${backendText(earlier)} so far; on another backend the last bits differ`);
    }
    return new TrainingSession(training, run, about, sets, seconds);
  } catch (error) {
    run.close();
    throw error;
  }
}

/** The description of a run whose data set is now in the folder `data`, if that is given. */
function movedData(path: string, about: RunAbout, data: string | undefined): RunAbout {
  const { dataFolder } = about;
  if (data !== undefined) {
    if (dataFolder !== undefined) return { ...about, dataFolder: resolvePath(data) };
    throw new UsageError(`train: --data ${data} cannot be used, because ${path} contains its own puzzles`);
  }
  if (dataFolder === undefined || existsSync(dataFolder)) return about;
  throw new CheckpointError(`${dataFolder}: no such folder (if the data set has been moved, add --data DIR)`);
}

/** The goal on the command line; else the goal of the run. */
function goalOf(
  { steps, minutes }: { readonly steps?: number | undefined; readonly minutes?: number | undefined },
  { ownGoal, seconds }: Pick<TrainingSession, "ownGoal" | "seconds">,
): Goal {
  if (steps === undefined && minutes === undefined) return ownGoal;
  return { step: steps ?? null, seconds: minutes === undefined ? null : seconds + 60 * minutes };
}

function nextCommands({ run, continueCommand }: TrainingSession): [string, string][] {
  const path = shellPath(run.path);
  return [
    ["continue", continueCommand],
    ["measure", `eval ${path}`],
    ["curves", `plot ${path} --out ${shellPath(`${basename(resolvePath(run.path))}.html`)}`],
    ["describe", `info ${path}`],
  ];
}

const result = ({ training, seconds, lastEvaluation, lastLoss, run }: TrainingSession, ending: string) => ({
  run: run.path,
  ending,
  step: training.step,
  seconds,
  loss: lastLoss ?? null,
  unseen: lastEvaluation ? evaluated(lastEvaluation) : null,
  best: run.best ?? null,
});

const evaluated = ({ step, puzzles, exact, cell }: EvaluatedStep): EvaluatedStep => ({ step, puzzles, exact, cell });
