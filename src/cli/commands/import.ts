// `trm import`: weights of the official PyTorch code as a run folder.
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { readDataMetadata } from "../../puzzles/index.node.ts";
import { type TaskChoice, taskNames, taskOf, taskOfData, withClues } from "../../puzzles/index.ts";
import {
  averageBeside,
  configFor,
  dataOf,
  folderState,
  isExported,
  moveRunAside,
  OccupiedError,
  type RunAbout,
  readOfficialConfig,
  readRunSets,
  readWeights,
  WritableRun,
} from "../../runs/index.node.ts";
import { importWeights, presetFor } from "../../runs/index.ts";
import { type Config, Training } from "../../trm/index.ts";
import { depthText, networkText } from "../describe-run.ts";
import { UsageError } from "../explain.ts";
import { generateSets, streamOf } from "../new-run.ts";
import { type ComputeOptions, chooseBackend, computeOptions, wholeNumber } from "../options.ts";
import { openRunData } from "../run-data.ts";
import { openTerminal, type Terminal } from "../terminal.ts";
import { packState } from "../training-run.ts";
import { invocation } from "../version.ts";

interface ImportOptions extends ComputeOptions {
  readonly out: string;
  readonly config?: string;
  readonly ema?: string;
  readonly task?: TaskChoice["name"];
  readonly side?: number;
  readonly data?: string;
  readonly force?: boolean;
}

export function importCommand(): Command {
  const command = new Command("import")
    .summary("make a run of weights from the official PyTorch code")
    .description(
      "Makes a run folder of weights in a .safetensors file or a PyTorch .pt state_dict. Nothing in it is run.",
    )
    .argument("<file>", "weights under the official names")
    .requiredOption("--out <dir>", "run folder to make")
    .option("--config <file>", "official configuration (default: config.yaml or all_config.yaml beside the weights)")
    .option("--ema <file>", "averaged weights (default: ema.safetensors beside the weights, else the weights)")
    .addOption(
      new Option("--task <name>", "what it solves (default: as exported, or as the data says)").choices(taskNames),
    )
    .addOption(new Option("--side <n>", "rows and columns of a maze (7 to 30)").argParser(wholeNumber(1)))
    .option("--data <dir>", "puzzles in the official layout (default: as in the configuration, else generated)")
    .option("--force", "move a run that is there to DIR.previous");
  for (const option of computeOptions()) command.addOption(option);
  return command
    .addHelpText(
      "after",
      `
Examples:
  ${invocation} import exported/model.safetensors --out runs/back
  ${invocation} import step_1000.pt --config all_config.yaml --task sudoku9 --out runs/theirs`,
    )
    .action((file: string, options: ImportOptions) => importRun(file, options));
}

async function importRun(file: string, options: ImportOptions): Promise<void> {
  const { out, force } = options;
  const terminal = openTerminal();
  checkPlace(out, force ?? false);
  const weights = readWeights(file);
  const configFile = readOfficialConfig(options.config, file);
  const folder = options.data ?? dataOf(configFile);
  const choice = chosenTask(options) ?? configFile.task ?? (folder && taskOfData(readDataMetadata(folder)));
  if (!choice) throw new UsageError(`import: --task or --data is missing (tasks: ${taskNames.join(", ")})`);
  const config = configFor(configFile, taskOf(choice), weights);
  const averagePath = options.ema ?? averageBeside(file);
  const average = averagePath === undefined ? weights : readWeights(averagePath);
  const backend = await chooseBackend(options);
  try {
    const { stream, sets, ...about } = puzzlesFor({ choice, config, folder, augment: configFile.augment }, terminal);
    const training = new Training(config, stream);
    importWeights(training.model, weights, file);
    if (training.ema) importWeights(training.ema, average, averagePath ?? file);
    const whole = { task: choice, preset: "imported", goal: { steps: null, minutes: null }, ...about };
    const files = await packState(training, whole, 0);
    if (folderState(out) === "run") terminal.remark(`the run that was in ${out} is now in ${moveRunAside(out)}`);
    WritableRun.create(out, whole, sets, { step: 0, files }).close();
    tellOf(training, whole, { file, averagePath, folder, out }, terminal);
    training.dispose();
  } finally {
    backend.dispose();
  }
}

interface Wanted {
  readonly choice: TaskChoice;
  readonly config: Config;
  readonly folder: string | undefined;
  /** Whether the run that was exported draws symmetries. */
  readonly augment: boolean;
}

/** Puzzles: those of an export, taken into the run; those of another data set, read there; else generated ones. */
function puzzlesFor({ choice, config, folder, augment }: Wanted, terminal: Terminal) {
  const task = taskOf(choice);
  const usual = presetFor("small", choice.name).data;
  if (folder !== undefined && !isExported(folder)) {
    const dataFolder = resolve(folder);
    const { stream, sets, counts } = openRunData(dataFolder, config, usual.watch);
    return { stream, sets, data: { ...counts, watch: sets.watch.count, augment: false }, dataFolder };
  }
  if (folder === undefined && !taskNames.some((name) => name === choice.name)) {
    throw new UsageError(`import: --data is missing, puzzles of ${choice.name} cannot be generated`);
  }
  const sets =
    folder === undefined ? generateSets(task, usual, config.training.seed, terminal) : readRunSets(folder, task);
  const draws = folder === undefined ? usual.augment : augment;
  const sizes = { train: sets.train.count, watch: sets.watch.count, unseen: sets.unseen.count };
  return { stream: streamOf(sets.train, config, draws ? task : undefined), sets, data: { ...sizes, augment: draws } };
}

/** @throws OccupiedError */
function checkPlace(out: string, force: boolean): void {
  const state = folderState(out);
  if (state === "other") throw new OccupiedError(`${out} exists and is no run of trm: choose another --out`);
  if (state === "run" && !force) throw new OccupiedError(`${out} holds a run already: --force moves it aside`);
}

/** The task as `trm train` would take it. */
function chosenTask({ task: name, side }: ImportOptions): TaskChoice | undefined {
  if (name === undefined) return undefined;
  return withClues({ name, ...(side !== undefined && { side }) }, presetFor("small", name).data.clues);
}

interface Places {
  readonly file: string;
  readonly averagePath: string | undefined;
  readonly folder: string | undefined;
  readonly out: string;
}

function tellOf(
  { config, model }: Training,
  { data }: Pick<RunAbout, "data">,
  places: Places,
  { print, remark }: Terminal,
): void {
  const { file, averagePath, folder, out } = places;
  remark(`model    ${networkText(config, model)}`);
  remark(`depth    ${depthText(config)}`);
  if (config.training.emaRate > 0) remark(`average  ${averagePath ?? `${file} (no averaged weights were given)`}`);
  remark(`puzzles  ${folder ?? "generated"}: ${data.train} for training, ${data.unseen} for the final test`);
  print(`imported into ${out}; next: ${invocation} eval ${out}`);
}
