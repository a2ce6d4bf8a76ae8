// `trm import`: weights of the official PyTorch code as a run folder.
import { Command, Option } from "commander";
import { Training } from "../../trm/index.ts";
import {
  averageBeside,
  configFor,
  dataOf,
  readOfficialConfig,
  readRunSets,
  readWeights,
} from "../../trm/interop/import.node.ts";
import { type TaskChoice, taskNames, taskOf } from "../../trm/named-task.ts";
import { presetFor } from "../../trm/presets.ts";
import { folderState, moveRunAside, OccupiedError, type RunSets, WritableRun } from "../../trm/run-folder.node.ts";
import { importWeights } from "../../trm/weights.ts";
import { depthText, networkText } from "../describe-run.ts";
import { UsageError } from "../explain.ts";
import { generateSets, streamOf } from "../new-run.ts";
import { type ComputeOptions, chooseBackend, computeOptions, wholeNumber } from "../options.ts";
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
    .addOption(new Option("--task <name>", "what it solves (default: as exported)").choices(taskNames))
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
  const choice = chosenTask(options) ?? configFile.task;
  if (!choice) throw new UsageError(`import: --task is missing (tasks: ${taskNames.join(", ")})`);
  const task = taskOf(choice);
  const config = configFor(configFile, task, weights);
  const averagePath = options.ema ?? averageBeside(file);
  const average = averagePath === undefined ? weights : readWeights(averagePath);
  const backend = await chooseBackend(options);
  try {
    const small = presetFor("small", choice.name).data;
    const folder = options.data ?? dataOf(configFile);
    const sets =
      folder === undefined ? generateSets(task, small, config.training.seed, terminal) : readRunSets(folder, task);
    const augment = folder === undefined ? small.augment : configFile.augment;
    const training = new Training(config, streamOf(sets.train, config, augment ? task : undefined));
    importWeights(training.model, weights, file);
    if (training.averaged) importWeights(training.averaged, average, averagePath ?? file);
    const about = {
      task: choice,
      preset: "imported",
      data: { ...sizesOf(sets), augment },
      goal: { steps: null, minutes: null },
    };
    const files = await packState(training, about, 0);
    if (folderState(out) === "run") terminal.remark(`the run that was in ${out} is now in ${moveRunAside(out)}`);
    WritableRun.create(out, about, sets, { step: 0, files }).close();
    tellOf(training, sets, { file, averagePath, folder, out }, terminal);
    training.dispose();
  } finally {
    backend.dispose();
  }
}

/** @throws OccupiedError */
function checkPlace(out: string, force: boolean): void {
  const state = folderState(out);
  if (state === "other") throw new OccupiedError(`${out} exists and is no run of trm: choose another --out`);
  if (state === "run" && !force) throw new OccupiedError(`${out} holds a run already: --force moves it aside`);
}

const chosenTask = ({ task: name, side }: ImportOptions): TaskChoice | undefined =>
  name === undefined ? undefined : { name, ...(side !== undefined && { side }) };

const sizesOf = ({ train, watch, unseen }: RunSets) => ({
  train: train.count,
  watch: watch.count,
  unseen: unseen.count,
});

interface Places {
  readonly file: string;
  readonly averagePath: string | undefined;
  readonly folder: string | undefined;
  readonly out: string;
}

function tellOf({ config, model }: Training, sets: RunSets, places: Places, { print, remark }: Terminal): void {
  const { file, averagePath, folder, out } = places;
  remark(`model    ${networkText(config, model)}`);
  remark(`depth    ${depthText(config)}`);
  if (config.training.emaRate > 0) remark(`average  ${averagePath ?? `${file} (no averaged weights were given)`}`);
  remark(
    `puzzles  ${folder ?? "generated"}: ${sets.train.count} for training, ${sets.unseen.count} for the final test`,
  );
  print(`imported into ${out}; next: ${invocation} eval ${out}`);
}
