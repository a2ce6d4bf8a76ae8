// `trm import`: turns weights of the official PyTorch code into a run folder.
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { CheckpointError, shortened } from "../../formats/index.ts";
import { readDataMetadata, readDataTask } from "../../puzzles/index.node.ts";
import { type TaskChoice, taskNames, taskOf, withClues } from "../../puzzles/index.ts";
import {
  averageBeside,
  type ConfigFile,
  configFor,
  dataOf,
  isExported,
  puzzlesInMemory,
  type RunAbout,
  type RunPuzzles,
  readOfficialConfig,
  readRunSets,
  readWeights,
  storedPuzzles,
  verifyData,
} from "../../runs/index.node.ts";
import { type DataFingerprint, importWeights, presetFor } from "../../runs/index.ts";
import { type Config, Training } from "../../trm/index.ts";
import { depthText, networkText } from "../describe-run.ts";
import { UsageError } from "../explain.ts";
import { type GeneratedOptions, generatedOptions, given, presetClues } from "../generated-choice.ts";
import { checkPlace, createRun } from "../new-run.ts";
import { type ComputeOptions, chooseBackend, computeOptions, flagOf, outputFolder, wholeNumber } from "../options.ts";
import { generatePuzzles } from "../run-puzzles.ts";
import { openTerminal, type Terminal } from "../terminal.ts";
import { invocation, shellPath } from "../version.ts";

interface ImportOptions extends ComputeOptions, GeneratedOptions {
  readonly out: string;
  readonly config?: string;
  readonly ema?: string;
  readonly task?: TaskChoice["name"];
  readonly data?: string;
  readonly puzzles?: number;
  readonly force?: boolean;
}

export function importCommand(): Command {
  const command = new Command("import")
    .summary("make a run from weights of the official PyTorch code")
    .description(
      "Makes a run folder from weights in a .safetensors file or a PyTorch .pt state_dict. No code in the file is executed.",
    )
    .argument("<file>", "weights under the official names")
    .requiredOption("--out <dir>", "new run folder", outputFolder)
    .option("--config <file>", "official configuration (default: config.yaml or all_config.yaml beside the weights)")
    .option("--ema <file>", "averaged weights (default: ema.safetensors beside the weights, else the weights)")
    .addOption(
      new Option("--task <name>", "task of the model (default: as exported, or as the data set)").choices(taskNames),
    );
  for (const option of generatedOptions(presetClues)) command.addOption(option);
  command
    .option("--data <dir>", "puzzles in the official layout (default: as configured, else generated)")
    .addOption(
      new Option("--puzzles <n>", "number of puzzles to generate for training (default: that of preset small)")
        .conflicts("data")
        .argParser(wholeNumber(1)),
    )
    .option("--force", "move an existing run to DIR.previous; an older run there is replaced");
  for (const option of computeOptions()) command.addOption(option);
  return command.addHelpText("after", helpText).action((file: string, options: ImportOptions) => {
    return importRun(file, options);
  });
}

const helpText = (): string => `
Examples:
  ${invocation} import exported/model.safetensors --out runs/back
  ${invocation} import step_1000.pt --config all_config.yaml --task sudoku9 \\
    --out runs/theirs`;

async function importRun(file: string, options: ImportOptions): Promise<void> {
  const { out, force = false } = options;
  const terminal = openTerminal();
  const [alone] = Object.keys(given(options));
  if (options.task === undefined && alone !== undefined) {
    throw new UsageError(`import: ${flagOf(alone)} requires --task`);
  }
  checkPlace(out, force);
  const weights = readWeights(file);
  const configFile = readOfficialConfig(options.config, file);
  const folder = options.data ?? dataOf(configFile);
  const chosen = chosenTask(options, folder);
  const choice = chosen ?? configFile.task ?? (folder && readDataTask(folder));
  if (!choice) throw new UsageError(`import: --task or --data is missing (tasks: ${taskNames.join(", ")})`);
  const [unused] = Object.keys(given({ clues: options.clues, longerThan: options.longerThan }));
  if (folder !== undefined && unused !== undefined) {
    throw new UsageError(`import: ${flagOf(unused)} cannot be used, because the puzzles are read from ${folder}`);
  }
  if (folder !== undefined && options.puzzles !== undefined) {
    throw new UsageError(
      `import: --puzzles ${options.puzzles} cannot be used, because the puzzles are read from ${folder}`,
    );
  }
  if (configFile.module !== undefined && chosen === undefined) {
    const module = shellPath(shortened(configFile.module, 200));
    terminal.remark(`note: the module of the task is not used without --task ${module}: the answers are not checked`);
  }
  const config = configFor(configFile, taskOf(choice), weights, folder);
  const hasAverage = config.training.emaRate > 0;
  if (options.ema !== undefined && !hasAverage) {
    throw new UsageError(
      `import: --ema ${options.ema} cannot be used, because ${configFile.path} does not contain "ema: true"`,
    );
  }
  const averagePath = options.ema ?? averageBeside(file);
  const averageFile = averagePath === undefined ? undefined : readWeights(averagePath);
  const average = averageFile ?? weights.average ?? weights;
  const averageFrom = averagePath ?? (weights.average && file);
  for (const each of [weights, averageFile]) for (const note of each?.notes ?? []) terminal.remark(`note: ${note}`);
  if (averageFrom !== undefined && !hasAverage) {
    terminal.remark(
      `note: ${averageFrom}: the averaged weights are not imported, because ${configFile.path} does not contain "ema: true"`,
    );
  }
  const backend = await chooseBackend(options);
  try {
    const count = options.puzzles;
    const puzzles = openPuzzles({ choice, config, folder, count, augment: configFile.augment }, terminal);
    const { source, sets, data, dataFolder, fingerprint } = puzzles;
    const note = dataFolder && verifyIds({ dataFolder, configFile, config, fingerprint });
    const training = new Training(config, source);
    importWeights(training.model, weights, file);
    if (training.ema) importWeights(training.ema, average, averagePath ?? file);
    const goal = { steps: null, minutes: null };
    const place = dataFolder === undefined ? {} : { dataFolder };
    const about = { task: choice, preset: "imported", goal, data, fingerprint, ...place };
    await createRun({ out, about, sets, training, force }, terminal, (run) => run.close());
    if (note) terminal.remark(`note: ${note}`);
    showImported(training, about, { file, averagePath: averageFrom, folder, out }, terminal);
    training.dispose();
  } finally {
    backend.dispose();
  }
}

interface Imported {
  readonly choice: TaskChoice;
  readonly config: Config;
  readonly folder: string | undefined;
  /** Number of puzzles to generate for training. */
  readonly count: number | undefined;
  /** Whether the run that was exported uses random symmetries. */
  readonly augment: boolean;
}

/** The puzzles of an export are copied into the run; another data set is read where it is; else puzzles are generated. */
function openPuzzles(imported: Imported, terminal: Terminal): RunPuzzles & { readonly dataFolder?: string } {
  const { choice, config, folder, count, augment } = imported;
  const task = taskOf(choice);
  const { data } = presetFor("small", choice.name);
  const sizes = { ...data, train: count ?? data.train };
  if (folder === undefined) {
    if (!taskNames.some((name) => name === choice.name)) {
      throw new UsageError(`import: --data is missing, puzzles of ${choice.name} cannot be generated`);
    }
    return generatePuzzles(task, sizes, config, terminal);
  }
  if (isExported(folder)) return puzzlesInMemory(readRunSets(folder, task), task, config, augment);
  const dataFolder = resolve(folder);
  return { ...storedPuzzles(dataFolder, config, sizes.watch), dataFolder };
}

interface ImportedData {
  readonly dataFolder: string;
  readonly configFile: ConfigFile;
  readonly config: Config;
  readonly fingerprint: DataFingerprint;
}

/**
 * Checks that the puzzle ids of the weights are those of the data set. Returns a note if that cannot be verified.
 *
 * @throws CheckpointError for another data set
 */
function verifyIds({ dataFolder, configFile, config, fingerprint }: ImportedData): string | undefined {
  const { puzzleEmbeddingSize, puzzleIds } = config.model;
  if (puzzleEmbeddingSize === 0) return undefined;
  const { identifierCount } = readDataMetadata(dataFolder);
  if (identifierCount !== puzzleIds) {
    throw new CheckpointError(
      `${dataFolder}: ${identifierCount} puzzle ids, expected ${puzzleIds}, the number of rows of the puzzle embedding`,
    );
  }
  if (puzzleIds === 1) return undefined;
  return verifyData({ path: dataFolder, actual: fingerprint, expected: configFile.data, run: configFile.path });
}

/** The task on the command line. */
function chosenTask({ task: name, ...options }: ImportOptions, folder: string | undefined): TaskChoice | undefined {
  if (name === undefined) return undefined;
  const choice = { name, ...given(options) };
  // As in `trm train`, the preset chooses the clues of generated puzzles.
  return folder === undefined ? withClues(choice, presetFor("small", name).data.clues) : choice;
}

interface Paths {
  readonly file: string;
  readonly averagePath: string | undefined;
  readonly folder: string | undefined;
  readonly out: string;
}

function showImported(
  { config, model }: Training,
  { data }: Pick<RunAbout, "data">,
  { file, averagePath, folder, out }: Paths,
  { print, remark }: Terminal,
): void {
  remark(`model    ${networkText(config, model)}`);
  remark(`depth    ${depthText(config)}`);
  if (config.training.emaRate > 0) remark(`average  ${averagePath ?? `${file} (no averaged weights were given)`}`);
  remark(`puzzles  ${folder ?? "generated"}: ${data.train} for training, ${data.unseen} for trm eval`);
  print(`imported into ${out}; next: ${invocation} eval ${shellPath(out)}`);
}
