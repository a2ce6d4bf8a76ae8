// `trm train`: a new run, or an old one continued.
import { basename, resolve as resolvePath } from "node:path";
import { Command, Option } from "commander";
import { dataSettings, readDataMetadata } from "../../puzzles/index.node.ts";
import { type TaskChoice, taskNames, taskOf, taskOfData } from "../../puzzles/index.ts";
import { type RunAbout, readSets, WritableRun } from "../../runs/index.node.ts";
import { type PresetName, presetNames, presetSummaries, restoreTraining } from "../../runs/index.ts";
import { type Config, Training } from "../../trm/index.ts";
import { backendText } from "../describe-run.ts";
import { UsageError } from "../explain.ts";
import { type NewRun, startRun, streamOf } from "../new-run.ts";
import { type ComputeOptions, chooseBackend, computeOptions, positiveNumber, seed, wholeNumber } from "../options.ts";
import { openRunData } from "../run-data.ts";
import { announce, runTraining } from "../run-training.ts";
import { parseSet, readConfigFile, type SettingSource } from "../settings.ts";
import { openTerminal, type Terminal } from "../terminal.ts";
import { type Goal, isReached } from "../time-left.ts";
import { TrainingRun } from "../training-run.ts";
import { invocation } from "../version.ts";

interface TrainOptions extends ComputeOptions {
  readonly task?: (typeof taskNames)[number];
  readonly data?: string;
  readonly side?: number;
  readonly clues?: number;
  readonly puzzles?: number;
  readonly preset: PresetName;
  readonly config?: string;
  readonly set: readonly string[];
  readonly seed?: number;
  readonly out?: string;
  readonly force?: boolean;
  readonly resume?: string;
  readonly steps?: number;
  readonly minutes?: number;
  readonly evalEvery?: number;
  readonly saveEvery: number;
  readonly json?: boolean;
}

/** What a continued run has from its beginning. */
const fixedOnResume = ["task", "data", "side", "clues", "puzzles", "preset", "config", "set", "seed", "out", "force"];

/** What is said of puzzles that are generated. */
const generatedOnly = ["task", "side", "clues", "puzzles"];

export function trainCommand(): Command {
  const command = new Command("train")
    .summary("train a model from scratch, or go on with a run")
    .description("Trains a model from scratch on generated puzzles, or goes on with a run, bit for bit.")
    .addOption(new Option("--task <name>", "what to learn").choices(taskNames))
    .addOption(
      new Option("--data <dir>", "a data set in the official layout to learn, read as needed").conflicts(generatedOnly),
    )
    .addOption(new Option("--side <n>", "rows and columns of a maze (7 to 30)").argParser(wholeNumber(1)))
    .addOption(new Option("--clues <n>", "clues of a generated Sudoku (default: few)").argParser(wholeNumber(1)))
    .addOption(new Option("--puzzles <n>", "puzzles generated for training").argParser(wholeNumber(1)))
    .addOption(new Option("--preset <name>", "settings to begin with").choices(presetNames).default("small"))
    .option("--config <file>", "settings over the preset: JSON or YAML, our names or the official ones")
    .addOption(new Option("--set <key=value...>", "settings over the file").default([], "none"))
    .addOption(new Option("--seed <n>", "of puzzles, weights and order").argParser(seed))
    .option("--out <dir>", "run folder to make (default: runs/TASK)")
    .option("--force", "move a run that is there to DIR.previous")
    .addOption(new Option("--resume <dir>", "go on with the run in this folder").conflicts(fixedOnResume))
    .addOption(new Option("--steps <n>", "end after this step").argParser(wholeNumber(0)))
    .addOption(new Option("--minutes <m>", "end after so many minutes").argParser(positiveNumber))
    .addOption(
      new Option("--eval-every <steps>", "measure on unseen puzzles (default: a tenth of the time)").argParser(
        wholeNumber(1),
      ),
    )
    .addOption(new Option("--save-every <seconds>", "checkpoint interval").argParser(positiveNumber).default(60));
  for (const option of computeOptions()) command.addOption(option);
  return command
    .option("--json", "print the result as one JSON object (progress goes to stderr)")
    .addHelpText("after", helpText)
    .action((options: TrainOptions) => train(options));
}

const helpText = (): string => `
Presets:
${presetNames.map((name) => `  ${name.padEnd(9)} ${presetSummaries[name]}`).join("\n")}

Without --steps and --minutes a run ends at the setting totalSteps (small: 20,000; for sudoku4 3,000). Ctrl-C saves and ends it earlier.

Examples:
  ${invocation} train --task sudoku4 --minutes 2
  ${invocation} train --task sudoku9 --out runs/nine --minutes 60 --set hiddenSize=192 n=6
  ${invocation} train --resume runs/nine --minutes 60
  ${invocation} train --task maze --side 12 --minutes 60
  ${invocation} train --data data/arc1 --out runs/arc1 --minutes 600
  ${invocation} train --task sudoku9 --preset official --config my.yaml --out runs/official
`;

async function train(options: TrainOptions): Promise<void> {
  const terminal = openTerminal(options.json ? "stderr" : "stdout");
  const backend = await chooseBackend(options);
  try {
    const run = options.resume === undefined ? await begin(options, terminal) : await resume(options.resume, terminal);
    announce(run, terminal);
    const goal = goalOf(options, run);
    if (isReached(goal, { step: run.training.step, seconds: run.seconds })) {
      terminal.remark("this run has reached its goal already; --steps or --minutes sets a new one");
    }
    const ending = await runTraining(
      run,
      { goal, evaluateEvery: options.evalEvery ?? null, saveEvery: options.saveEvery },
      terminal,
    );
    if (options.json) terminal.print(JSON.stringify(result(run, ending)));
    else terminal.remark(`next: ${invocation} eval ${run.run.path}`);
    run.training.dispose();
  } finally {
    backend.dispose();
  }
}

function begin(options: TrainOptions, terminal: Terminal): Promise<TrainingRun> {
  const { puzzles, preset, config, set, steps, minutes, force } = options;
  const { choice, name, ...ofData } = options.data === undefined ? generatedTask(options) : storedTask(options.data);
  const seedSource = options.seed === undefined ? [] : [{ where: "--seed", settings: { seed: options.seed } }];
  const wanted: NewRun = {
    out: options.out ?? `runs/${name}`,
    choice,
    dataFolder: ofData.folder,
    preset,
    settings: [
      ...ofData.settings,
      ...(config === undefined ? [] : [readConfigFile(config)]),
      ...seedSource,
      parseSet(set),
    ],
    sizes: puzzles === undefined ? {} : { train: puzzles },
    existing: force ? "move aside" : "refuse",
    goal: { steps: steps ?? null, minutes: minutes ?? null },
  };
  return startRun(wanted, terminal);
}

/** What is to be learned, and what the run is called if the user does not say. */
interface Wanted {
  readonly choice: TaskChoice;
  readonly name: string;
  readonly folder?: string;
  readonly settings: readonly SettingSource[];
}

function generatedTask({ task: name, side, clues }: TrainOptions): Wanted {
  if (name === undefined) {
    throw new UsageError(`train: --task, --data or --resume is missing (tasks: ${taskNames.join(", ")})`);
  }
  const choice = { name, ...(side !== undefined && { side }), ...(clues !== undefined && { clues }) };
  return { choice, name, settings: [] };
}

/** @throws DatasetError */
function storedTask(path: string): Wanted {
  const folder = resolvePath(path);
  const metadata = readDataMetadata(folder);
  const { puzzleIds } = dataSettings(metadata);
  return {
    choice: taskOfData(metadata),
    name: basename(folder),
    folder,
    settings: [{ where: path, settings: { puzzleIds } }],
  };
}

async function resume(path: string, terminal: Terminal): Promise<TrainingRun> {
  const { run, about, checkpoint } = WritableRun.resume(path);
  try {
    const { config, backend: before, seconds, step } = checkpoint.side;
    const { stream, sets } = puzzlesOf(path, about, config);
    const training = new Training(config, stream);
    restoreTraining(training, checkpoint.side, checkpoint.files, checkpoint.path);
    const now = training.model.embedding.weight.value.backend;
    terminal.remark(`going on after step ${step}`);
    if (backendText(now) !== backendText(before)) {
      terminal.remark(`note: so far on ${backendText(before)}; on another backend the last bits differ`);
    }
    return new TrainingRun(training, run, about, sets, seconds);
  } catch (error) {
    run.close();
    throw error;
  }
}

function puzzlesOf(path: string, { dataFolder, data, task }: RunAbout, config: Config) {
  if (dataFolder !== undefined) return openRunData(dataFolder, config, data.watch);
  const sets = readSets(path);
  return { stream: streamOf(sets.train, config, data.augment ? taskOf(task) : undefined), sets };
}

/** What the command line asks for, else what the run was begun with, else the end of the schedule. */
function goalOf({ steps, minutes }: TrainOptions, { training, about, seconds }: TrainingRun): Goal {
  if (steps !== undefined || minutes !== undefined) {
    return { step: steps ?? null, seconds: minutes === undefined ? null : seconds + 60 * minutes };
  }
  return originalGoal(about.goal) ?? { step: training.config.training.totalSteps, seconds: null };
}

function originalGoal({ steps, minutes }: RunAbout["goal"]): Goal | undefined {
  if (steps === null && minutes === null) return undefined;
  return { step: steps, seconds: minutes === null ? null : 60 * minutes };
}

const result = ({ training, seconds, lastExact, lastLoss, run }: TrainingRun, ending: string) => ({
  run: run.path,
  ending,
  step: training.step,
  seconds,
  loss: lastLoss ?? null,
  unseenExact: lastExact ?? null,
});
