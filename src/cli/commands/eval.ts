// `trm eval`: measures how many puzzles a trained model solves after every supervision step.
import { Command, Option } from "commander";
import { readBytes, STANDARD_OUTPUT, writeOutput } from "../../formats/index.node.ts";
import { DatasetError, decodeText } from "../../formats/index.ts";
import { openDataSplit } from "../../puzzles/index.node.ts";
import {
  type ExampleSource,
  OFFICIAL_KS,
  pickExamples,
  readTaskCsv,
  type TaskChoice,
  taskOf,
} from "../../puzzles/index.ts";
import {
  type CheckpointChoice,
  dataFolderOf,
  evaluationFingerprint,
  fingerprintOfSets,
  isModelFolder,
  type LoadedRun,
  loadRun,
  readSets,
  runFolderOf,
  unseenFile,
  verifyData,
} from "../../runs/index.node.ts";
import type { Backend } from "../../tensor/index.ts";
import {
  type Evaluation,
  type EvaluationOptions,
  type EvaluationSet,
  type Examples,
  evaluate,
  evaluateHalting,
  type HaltingEvaluation,
  type Model,
  sliceExamples,
  sweepHalting,
} from "../../trm/index.ts";
import { accuracyTable } from "../accuracy-table.ts";
import { backendText, taskText } from "../describe-run.ts";
import { arcOptions, evalArc } from "../eval-arc.ts";
import { UsageError } from "../explain.ts";
import { counted } from "../format.ts";
import { type Halt, haltOption } from "../halt-option.ts";
import { haltingTable, sweepJson, sweepSvg, sweepTable } from "../halting-report.ts";
import { measure } from "../measure.ts";
import { showNext } from "../next-commands.ts";
import {
  attemptsOption,
  type ComputeOptions,
  checkpointOption,
  chooseBackend,
  computeOptions,
  ksOption,
  outputFolder,
  taskModuleOption,
  wholeNumber,
} from "../options.ts";
import {
  type ModelPlace,
  placeOfModel,
  placeText,
  readCardSummary,
  shadowNote,
  shippedNames,
} from "../shipped-models.ts";
import { openTerminalBeside, type Terminal } from "../terminal.ts";
import { invocation } from "../version.ts";

/** Puzzles in memory, or a split that stays on the disk. */
type PuzzleSet = Examples | ExampleSource;

interface EvalOptions extends ComputeOptions {
  readonly checkpoint: CheckpointChoice;
  readonly task?: string;
  readonly csv?: string;
  readonly data?: string;
  readonly limit?: number;
  readonly halt: Halt;
  readonly sweep?: boolean;
  readonly svg?: string;
  readonly arc?: boolean;
  readonly out?: string;
  readonly k: readonly number[];
  readonly attempts: number;
  readonly json?: boolean;
}

export function evalCommand(): Command {
  const command = new Command("eval")
    .summary("measure a trained model on unseen puzzles")
    .description("Measures exact accuracy and cell accuracy of a trained model after every supervision step.")
    .argument("<dir>", `run folder or checkpoint folder, or a shipped model: ${shippedNames().join(", ")}`)
    .addOption(checkpointOption())
    .addOption(taskModuleOption())
    .option(
      "--csv <file>",
      "puzzles as source,question,answer,rating (default: the unseen puzzles of the run; for a shipped model newly generated ones)",
    )
    .addOption(new Option("--data <dir>", "the test split of a data set in the official layout").conflicts("csv"))
    .addOption(
      new Option("--limit <n>", "evaluate only n puzzles: the first n, or n spread evenly over a data set").argParser(
        wholeNumber(1),
      ),
    )
    .addOption(haltOption())
    .option("--sweep", "also measure accuracy and compute for many thresholds of q")
    .option("--svg <file>", "write the sweep as a picture; - for standard output")
    .addOption(
      new Option("--arc", "ARC: predict all augmented copies, vote, score").conflicts(["csv", "limit", "sweep", "svg"]),
    )
    .option("--out <dir>", "ARC: folder for predictions, scores.json and submission.json", outputFolder)
    .addOption(ksOption().default(OFFICIAL_KS, OFFICIAL_KS.join()))
    .addOption(attemptsOption());
  for (const option of computeOptions()) command.addOption(option);
  return command
    .option("--json", "print one JSON object: {puzzles, unlabelled, exact, cell, interval95, meanHaltStep, haltCounts}")
    .addHelpText("after", helpText)
    .action((name: string, options: EvalOptions) => {
      const arcOnly = ["out", "k", "attempts"].find((name) => command.getOptionValueSource(name) === "cli");
      if (arcOnly && !options.arc) throw new UsageError(`eval: --${arcOnly} requires --arc`);
      return evalRun(placeOfModel(name), options);
    });
}

const helpText = (): string => `
puzzles       number of puzzles with labels; all figures are about these
unlabelled    number of puzzles without labels
exact         share of puzzles whose every cell is correct, after step 1, 2, ...
cell          share of correct cells, after step 1, 2, ...
interval95    95% interval of the last exact accuracy
meanHaltStep  first step at which q says halt, on average; all steps run anyway
haltCounts    puzzles at which q first says halt at step 1, 2, ...
With --halt q a puzzle leaves the batch when it halts, and --json prints
exitSteps, meanSteps and computeSaved instead of the last two.

Examples:
  ${invocation} eval runs/demo
  ${invocation} eval sudoku6 --limit 1000
  ${invocation} eval runs/demo --csv puzzles.csv --json
  ${invocation} eval runs/demo --halt q
  ${invocation} eval runs/demo --halt steps=64 --sweep --svg sweep.svg
  ${invocation} eval runs/maze --data data/maze
  ${invocation} eval runs/arc --data data/arc1 --arc --out predictions

More about these numbers: docs/evaluation.md`;

async function evalRun(place: ModelPlace, options: EvalOptions): Promise<void> {
  const { path } = place;
  const terminal = openTerminalBeside("--svg", options.svg, options.json);
  const backend = await chooseBackend(options);
  try {
    const loaded = await loadRun(path, { checkpoint: options.checkpoint, taskModule: options.task });
    const run = options.arc ? prepareArc(path, options, loaded) : preparePuzzles(path, options, loaded);
    const note = verifyPuzzles(path, options, loaded);
    if (!options.json) showSettings({ place, options, loaded, backend }, terminal);
    if (note !== undefined) terminal.remark(`note: ${note}`);
    await run(loaded, terminal);
    if (!options.json && options.svg !== STANDARD_OUTPUT) showNext(terminal, nextCommands(place, options));
    loaded.model.dispose();
  } finally {
    backend.dispose();
  }
}

/** An evaluation whose input has been checked. Errors in the input appear before anything is printed. */
type Prepared = (loaded: LoadedRun, terminal: Terminal) => Promise<void>;

function prepareArc(path: string, options: EvalOptions, { config }: LoadedRun): Prepared {
  const data = options.data ?? dataFolderOf(runFolderOf(path));
  const checked = arcOptions({ ...options, ...(data !== undefined && { data }) });
  openDataSplit(checked.data, "test", config.model).close();
  return (loaded, terminal) => evalArc(checked, loaded, terminal);
}

function preparePuzzles(path: string, options: EvalOptions, loaded: LoadedRun): Prepared {
  const set = openPuzzles(path, options, loaded);
  return (_, terminal) => evalPuzzles(set, options, loaded, terminal);
}

async function evalPuzzles(
  set: PuzzleSet,
  { halt, json, svg, ...options }: EvalOptions,
  loaded: LoadedRun,
  terminal: Terminal,
): Promise<void> {
  const { threshold, steps } = halt;
  const evaluator = threshold === null ? evaluate : withThreshold(threshold);
  const measured = await measure<Evaluation | HaltingEvaluation>(evaluator, loaded, set, terminal, steps);
  const isSwept = options.sweep || svg !== undefined;
  const points = isSwept ? await measure(sweepHalting, loaded, set, terminal, steps) : undefined;
  if ("close" in set) set.close();
  if (json) terminal.print(JSON.stringify({ ...measured, ...(points && { sweep: sweepJson(points) }) }));
  else {
    const table = "exitSteps" in measured ? haltingTable(measured) : accuracyTable(measured);
    for (const line of points ? [...table, "", ...sweepTable(points)] : table) terminal.print(line);
  }
  if (svg !== undefined && points) writeOutput(svg, sweepSvg(points));
}

const withThreshold =
  (threshold: number) =>
  (model: Model, set: EvaluationSet, options: EvaluationOptions): Promise<HaltingEvaluation> =>
    evaluateHalting(model, set, { ...options, threshold });

interface EvalSettings {
  readonly place: ModelPlace;
  readonly options: EvalOptions;
  readonly loaded: LoadedRun;
  readonly backend: Backend;
}

function showSettings({ place, options, loaded, backend }: EvalSettings, { remark }: Terminal): void {
  const note = shadowNote(place);
  if (note !== undefined) remark(note);
  const task = place.isShipped ? "" : `, ${loaded.task.name}`;
  remark(`model    ${placeText(place)}${task}, after training step ${loaded.step ?? "-"}`);
  const card = readCardSummary(place.path);
  if (card) remark(`card     ${card.accuracy.join("\n         ")}`);
  remark(`puzzles  ${puzzlesText(place.path, options, loaded)}`);
  remark(`backend  ${backendText(backend)}`);
}

function puzzlesText(path: string, { csv, data, limit }: EvalOptions, loaded: LoadedRun): string {
  if (csv !== undefined || data !== undefined) return (csv ?? data)!;
  if (isModelFolder(path)) {
    return `${counted(limit ?? generatedCount, "newly generated puzzle")} of ${taskText(generatedChoiceOf(path, loaded))} (seed ${generatedSeed})`;
  }
  return dataFolderOf(runFolderOf(path)) ?? `unseen puzzles of the run (${unseenFile})`;
}

/** The puzzles that a model folder is evaluated on by default: a seed that no training uses, and as many as a run keeps unseen. */
const generatedSeed = 2026;
const generatedCount = 200;

/** What the model was trained on: as the card says, else the task of the configuration. */
const generatedChoiceOf = (path: string, { choice }: LoadedRun): TaskChoice => readCardSummary(path)?.task ?? choice;

function generatePuzzles(path: string, loaded: LoadedRun, count: number): Examples {
  const task = taskOf(generatedChoiceOf(path, loaded));
  return task.generate({ train: 0, test: count, seed: generatedSeed }).test;
}

function nextCommands({ name }: ModelPlace, { halt, csv, data }: EvalOptions): [string, string][] {
  const where = csv === undefined ? (data === undefined ? "" : ` --data ${data}`) : ` --csv ${csv}`;
  return [
    halt.threshold === null
      ? ["stop early", `eval ${name}${where} --halt q`]
      : ["all steps", `eval ${name}${where} --halt fixed`],
    ["compare", `eval ${name}${where} --sweep`],
    ["describe", `info ${name}`],
  ];
}

/**
 * Checks that the puzzles belong to the data set of the model: all of them if they are the run's own, else the ids if the model
 * has a puzzle embedding. Returns a note if that cannot be verified.
 *
 * @throws CheckpointError for another data set
 */
function verifyPuzzles(path: string, { csv, data }: EvalOptions, loaded: LoadedRun): string | undefined {
  if (csv !== undefined || isModelFolder(path)) return undefined;
  const run = runFolderOf(path);
  const own = data === undefined ? dataFolderOf(run) : undefined;
  const expected = loaded.data;
  if (data === undefined && own === undefined) {
    const { test } = fingerprintOfSets(readSets(run));
    return verifyData({ path: `the puzzles in ${run}`, actual: { test }, expected, run: path });
  }
  const { puzzleEmbeddingSize, puzzleIds } = loaded.config.model;
  const hasIds = puzzleEmbeddingSize > 0 && puzzleIds > 1;
  if (data !== undefined && !hasIds) return undefined;
  const folder = data ?? own!;
  const { test, identifiers } = evaluationFingerprint(folder);
  const actual = data === undefined ? { test, identifiers } : { identifiers };
  return verifyData({ path: folder, actual, expected, run });
}

/** @throws DatasetError */
function openPuzzles(path: string, { csv, data, limit }: EvalOptions, loaded: LoadedRun): PuzzleSet {
  if (csv !== undefined) return firstOf(readCsv(csv, loaded), limit);
  if (data === undefined && isModelFolder(path)) return generatePuzzles(path, loaded, limit ?? generatedCount);
  const folder = data ?? dataFolderOf(runFolderOf(path));
  if (folder === undefined) return firstOf(readSets(runFolderOf(path)).unseen, limit);
  const source = openDataSplit(folder, "test", loaded.config.model);
  if (limit === undefined) return source;
  const picked = pickExamples(source, limit);
  source.close();
  return picked;
}

/** @throws DatasetError naming file, line and column of a broken row */
function readCsv(file: string, { task }: LoadedRun): Examples {
  const examples = readTaskCsv(task, decodeText(readBytes(file), file), file);
  if (examples.count === 0) throw new DatasetError("no puzzles after the header", { file });
  return examples;
}

const firstOf = (examples: Examples, limit = examples.count): Examples => sliceExamples(examples, 0, limit);
