// `trm eval`: how many puzzles a trained model solves, after every supervision step.
import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { writeOutput } from "../../formats/index.node.ts";
import { DatasetError } from "../../formats/index.ts";
import { openDataSplit } from "../../puzzles/index.node.ts";
import { type ExampleSource, OFFICIAL_KS, pickExamples, readTaskCsv } from "../../puzzles/index.ts";
import { dataFolderOf, readSets, runFolderOf, unseenFile } from "../../runs/index.node.ts";
import type { Backend } from "../../tensor/index.ts";
import {
  type Evaluation,
  type EvaluationOptions,
  type Examples,
  evaluate,
  evaluateHalting,
  sweepHalting,
} from "../../trm/index.ts";
import { accuracyTable } from "../accuracy-table.ts";
import { backendText } from "../describe-run.ts";
import { arcOptions, evalArc } from "../eval-arc.ts";
import { UsageError } from "../explain.ts";
import { counted } from "../format.ts";
import { type Halt, haltOption } from "../halt-option.ts";
import { haltingTable, sweepJson, sweepSvg, sweepTable } from "../halting-report.ts";
import { type LoadedModel, loadModel } from "../load-model.ts";
import {
  attemptsOption,
  type ComputeOptions,
  chooseBackend,
  computeOptions,
  ksOption,
  wholeNumber,
} from "../options.ts";
import { startProgress } from "../progress.ts";
import { openTerminal, type Terminal } from "../terminal.ts";
import { invocation } from "../version.ts";

/** Puzzles in memory, or a split that stays on the disk. */
type PuzzleSet = Examples | ExampleSource;

interface EvalOptions extends ComputeOptions {
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
    .description("Measures a trained model: exact accuracy and cell accuracy after every supervision step.")
    .argument("<dir>", "run folder, or one checkpoint folder")
    .option("--csv <file>", "puzzles in the form source,question,answer,rating (default: the run's own unseen ones)")
    .addOption(new Option("--data <dir>", "the test split of a data set in the official layout").conflicts("csv"))
    .addOption(
      new Option("--limit <n>", "only n puzzles: the first, of a data set spread over it").argParser(wholeNumber(1)),
    )
    .addOption(haltOption())
    .option("--sweep", "accuracy and compute for many thresholds of q")
    .option("--svg <file>", "write the sweep as a picture")
    .addOption(
      new Option("--arc", "ARC: predict all copies, let them vote, score").conflicts(["csv", "limit", "sweep", "svg"]),
    )
    .option("--out <dir>", "ARC: folder for predictions, scores.json and submission.json")
    .addOption(ksOption().default(OFFICIAL_KS, OFFICIAL_KS.join()))
    .addOption(attemptsOption());
  for (const option of computeOptions()) command.addOption(option);
  return command
    .option("--json", "print one JSON object: {puzzles, exact, cell, interval95, meanHaltStep}")
    .addHelpText("after", helpText)
    .action((path: string, options: EvalOptions) => {
      const without = ["out", "k", "attempts"].find((name) => command.getOptionValueSource(name) === "cli");
      if (without && !options.arc) throw new UsageError(`eval: --${without} goes with --arc alone`);
      return evalRun(path, options);
    });
}

const helpText = (): string => `
exact: share of puzzles whose every cell is right, after step 1, 2, ...; cell: share of right cells; interval95: of the last
exact; meanHaltStep: first step at which q says stop, on average (the evaluation itself always runs all steps). With --halt q
a puzzle that stops leaves the batch: {puzzles, exact, cell, interval95, exitSteps, meanSteps, computeSaved}.

Examples:
  ${invocation} eval runs/demo
  ${invocation} eval runs/demo --csv puzzles.csv --json
  ${invocation} eval runs/demo --halt q
  ${invocation} eval runs/demo --halt steps=64 --sweep --svg sweep.svg
  ${invocation} eval runs/maze --data data/maze
  ${invocation} eval runs/arc --data data/arc1 --arc --out predictions

What these numbers mean: docs/evaluation.md`;

async function evalRun(path: string, options: EvalOptions): Promise<void> {
  const terminal = openTerminal(options.json ? "stderr" : "stdout");
  const backend = await chooseBackend(options);
  try {
    const loaded = loadModel(path);
    const run = options.arc ? prepareArc(path, options, loaded) : preparePuzzles(path, options, loaded);
    if (!options.json) announce(path, options, loaded, backend, terminal);
    await run(loaded, terminal);
    loaded.model.dispose();
  } finally {
    backend.dispose();
  }
}

/** An evaluation whose input has been looked at: what is wrong with it is said before anything is printed. */
type Prepared = (loaded: LoadedModel, terminal: Terminal) => Promise<void>;

function prepareArc(path: string, options: EvalOptions, { config }: LoadedModel): Prepared {
  const data = options.data ?? dataFolderOf(runFolderOf(path));
  const checked = arcOptions({ ...options, ...(data !== undefined && { data }) });
  openDataSplit(checked.data, "test", config.model).close();
  return (loaded, terminal) => evalArc(checked, loaded, terminal);
}

function preparePuzzles(path: string, options: EvalOptions, loaded: LoadedModel): Prepared {
  const set = puzzlesOf(path, options, loaded);
  return (_, terminal) => evalPuzzles(set, options, loaded, terminal);
}

async function evalPuzzles(
  set: PuzzleSet,
  { halt, json, svg, ...options }: EvalOptions,
  loaded: LoadedModel,
  terminal: Terminal,
): Promise<void> {
  const measured = await measureAs(halt, loaded, set, terminal);
  const points = options.sweep || svg !== undefined ? await sweep(halt, loaded, set, terminal) : undefined;
  if ("close" in set) set.close();
  if (svg !== undefined && points) writeOutput(svg, sweepSvg(points));
  if (json) {
    terminal.print(JSON.stringify({ ...measured, ...(points && { sweep: sweepJson(points) }) }));
    return;
  }
  for (const line of "exitSteps" in measured ? haltingTable(measured) : accuracyTable(measured)) terminal.print(line);
  for (const line of points ? ["", ...sweepTable(points)] : []) terminal.print(line);
}

function measureAs({ threshold, steps }: Halt, loaded: LoadedModel, set: PuzzleSet, terminal: Terminal) {
  const nSup = steps ?? loaded.config.training.nSup;
  if (threshold === null) return measure(loaded, set, terminal, nSup);
  return withProgress(loaded, set, terminal, (options) =>
    evaluateHalting(loaded.model, set, { ...options, nSup, threshold }),
  );
}

const sweep = ({ steps }: Halt, loaded: LoadedModel, set: PuzzleSet, terminal: Terminal) =>
  withProgress(loaded, set, terminal, (options) =>
    sweepHalting(loaded.model, set, { ...options, nSup: steps ?? loaded.config.training.nSup }),
  );

function announce(
  path: string,
  options: EvalOptions,
  loaded: LoadedModel,
  backend: Backend,
  { remark }: Terminal,
): void {
  const where =
    options.csv ?? options.data ?? dataFolderOf(runFolderOf(path)) ?? `the run's own unseen ones (${unseenFile})`;
  remark(`model    ${path}, ${loaded.task.name}, after training step ${loaded.step}`);
  remark(`puzzles  ${where}`);
  remark(`backend  ${backendText(backend)}`);
}

/** @throws DatasetError */
function puzzlesOf(path: string, { csv, data, limit }: EvalOptions, loaded: LoadedModel): PuzzleSet {
  if (csv !== undefined) return firstOf(readCsv(csv, loaded), limit);
  const folder = data ?? dataFolderOf(runFolderOf(path));
  if (folder === undefined) return firstOf(readSets(runFolderOf(path)).unseen, limit);
  const source = openDataSplit(folder, "test", loaded.config.model);
  if (limit === undefined) return source;
  const picked = pickExamples(source, limit);
  source.close();
  return picked;
}

/** @throws DatasetError naming file, line and column of a broken row */
function readCsv(file: string, { choice }: LoadedModel): Examples {
  const examples = readTaskCsv(choice, readFileSync(file, "utf8"), file);
  if (examples.count === 0) throw new DatasetError("no puzzles after the header", { file });
  return examples;
}

function firstOf(examples: Examples, limit = examples.count): Examples {
  const { length, inputs, labels, ...rest } = examples;
  const count = Math.min(examples.count, limit);
  return { ...rest, count, length, inputs: inputs.slice(0, count * length), labels: labels.slice(0, count * length) };
}

/** The fixed evaluation, with a progress line if it takes long. */
export function measure(
  loaded: Pick<LoadedModel, "model" | "config">,
  set: PuzzleSet,
  terminal: Terminal,
  nSup = loaded.config.training.nSup,
): Promise<Evaluation> {
  return withProgress(loaded, set, terminal, (options) => evaluate(loaded.model, set, { ...options, nSup }));
}

async function withProgress<T>(
  { config }: Pick<LoadedModel, "config">,
  set: PuzzleSet,
  terminal: Terminal,
  run: (options: EvaluationOptions) => Promise<T>,
): Promise<T> {
  const progress = startProgress(terminal, { after: 1_000 });
  const onProgress = async (done: number, total: number): Promise<void> => {
    progress.update(done / total, `evaluating: ${counted(done, "puzzle")} of ${total}`);
    await new Promise((resolve) => setImmediate(resolve)); // lets Ctrl-C in
  };
  try {
    return await run({
      ...config.training,
      batchSize: batchSizeFor(set.count, config.model.sequenceLength),
      onProgress,
    });
  } finally {
    progress.clear();
  }
}

/** Large enough to compute well, small enough to show progress. */
const batchSizeFor = (count: number, length: number): number =>
  Math.max(1, Math.min(count, Math.max(8, Math.floor(6_400 / length))));
