// `trm eval`: measures how many puzzles a trained model solves after every supervision step.
import { Command, Option } from "commander";
import { isStandardOutput, writeOutput } from "../../formats/index.node.ts";
import { openDataSplit } from "../../puzzles/index.node.ts";
import { OFFICIAL_KS } from "../../puzzles/index.ts";
import {
  type CheckpointChoice,
  dataFolderOf,
  isModelFolder,
  type LoadedRun,
  loadRun,
  runFolderOf,
} from "../../runs/index.node.ts";
import {
  type Evaluation,
  type EvaluationOptions,
  type EvaluationSet,
  evaluate,
  evaluateHalting,
  evaluateRollouts,
  evaluateVote,
  type HaltingEvaluation,
  type Model,
  type RolloutEvaluation,
  type RolloutSettings,
  sweepHalting,
  type VoteEvaluation,
} from "../../trm/index.ts";
import { accuracyTable } from "../accuracy-table.ts";
import { arcOptions, evalArc } from "../eval-arc.ts";
import {
  openPuzzles,
  type PuzzleChoice,
  type PuzzleSet,
  puzzleOptions,
  showSettings,
  verifyPuzzles,
} from "../evaluated-puzzles.ts";
import { UsageError } from "../explain.ts";
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
  expectDifferentFiles,
  ksOption,
  outputFile,
  outputFolder,
  taskModuleOption,
} from "../options.ts";
import {
  expectNoRolloutOption,
  type RolloutChoice,
  rolloutJson,
  rolloutOptions,
  rolloutSettings,
  rolloutSvg,
  rolloutTable,
} from "../rollout-report.ts";
import { type ModelPlace, placeOfModel, shippedNames } from "../shipped-models.ts";
import { openTerminalBeside, type Terminal } from "../terminal.ts";
import { invocation, shellPath } from "../version.ts";
import { voteOption, voteTable } from "../vote-report.ts";

interface EvalOptions extends ComputeOptions, PuzzleChoice, RolloutChoice {
  readonly checkpoint: CheckpointChoice;
  readonly task?: string;
  readonly halt: Halt;
  readonly sweep?: boolean;
  readonly svg?: string;
  readonly arc?: boolean;
  readonly vote?: number;
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
    .addOption(haltOption())
    .option("--sweep", "also measure accuracy and compute for many thresholds of q")
    .option(
      "--svg <file>",
      "write a picture of the sweep (which implies --sweep) or, with --rollouts, of the rollouts; - for standard output",
      outputFile,
    )
    .addOption(
      new Option("--arc", "ARC: predict all augmented copies, vote, score").conflicts(["csv", "limit", "sweep", "svg"]),
    )
    .addOption(voteOption())
    .option("--out <dir>", "ARC: folder for predictions, scores.json and submission.json", outputFolder)
    .addOption(ksOption().default(OFFICIAL_KS, OFFICIAL_KS.join()))
    .addOption(attemptsOption());
  for (const option of [
    ...puzzleOptions(),
    ...rolloutOptions("seed of the noise and of the images of --vote"),
    ...computeOptions(),
  ])
    command.addOption(option);
  return command
    .option("--json", "print one JSON object: {puzzles, unlabelled, exact, cell, interval95, meanHaltStep, haltCounts}")
    .addHelpText("after", helpText)
    .action((name: string, options: EvalOptions) => {
      const arcOnly = ["out", "k", "attempts"].find((option) => command.getOptionValueSource(option) === "cli");
      if (arcOnly && !options.arc) throw new UsageError(`eval: --${arcOnly} requires --arc`);
      expectRolloutUse(command, options);
      return evalRun(placeOfModel(name), options);
    });
}

/** @throws UsageError for options that do not go together */
function expectRolloutUse(command: Command, { rollouts, vote, sweep, halt }: EvalOptions): void {
  if (vote !== undefined && halt.threshold !== null) {
    throw new UsageError("eval: --vote always runs all steps, expected --halt fixed or --halt steps=N");
  }
  if (rollouts === undefined) {
    expectNoRolloutOption(command, vote === undefined ? [] : ["noiseSeed"]);
    return;
  }
  if (sweep) throw new UsageError("eval: got --rollouts and --sweep, expected one of them");
  if (halt.threshold !== null) {
    throw new UsageError("eval: --rollouts always runs all steps, expected --halt fixed or --halt steps=N");
  }
}

const helpText = (): string => `
puzzles       number of puzzles with labels; all figures are about these
unlabelled    number of puzzles without labels
exact         share of puzzles whose every cell is correct, after step 1, 2, ...
cell          share of correct cells, after step 1, 2, ...
interval95    95% interval of the last exact accuracy
meanHaltStep  first step at which q says halt, on average; all steps run anyway
haltCounts    puzzles for which q first says halt at step 1, 2, ...
With --halt q a puzzle leaves the batch when it halts: exact and cell are single
numbers, and --json prints exitSteps, meanSteps and computeSaved instead of the
last two.
With --rollouts N every puzzle is answered N times with noise on z, and --json
prints {puzzles, rollouts, sigma, steps, deterministic, passAtK: {"1": share},
bestQ, mode, residual, interval95, difference}.
With --vote N every puzzle is answered N times: as it is, and as images under
the symmetries of its task. The answers for which q says halt vote, or all
answers if there are none. --json prints
{puzzles, unlabelled, votes, steps, single, voted, againstSingle, haltedShare}.

Examples:
  ${invocation} eval runs/demo
  ${invocation} eval sudoku6 --limit 1000
  ${invocation} eval runs/demo --csv puzzles.csv --json
  ${invocation} eval runs/demo --halt q
  ${invocation} eval runs/demo --halt steps=64 --sweep --svg sweep.svg
  ${invocation} eval sudoku6 --rollouts 25 --sigma 0.3 --limit 100
  ${invocation} eval sudoku6 --vote 8 --limit 100
  ${invocation} eval runs/maze --data data/maze
  ${invocation} eval runs/arc --data data/arc1 --arc --out predictions

More about these numbers: docs/evaluation.md`;

async function evalRun(place: ModelPlace, options: EvalOptions): Promise<void> {
  const { path } = place;
  const { csv, svg } = options;
  if (csv !== undefined && svg !== undefined) expectDifferentFiles("eval", { csv, svg });
  const terminal = openTerminalBeside("--svg", svg, options.json);
  const backend = await chooseBackend(options);
  try {
    const loaded = await loadRun(path, { checkpoint: options.checkpoint, taskModule: options.task });
    const run = options.arc ? prepareArc(path, options, loaded) : preparePuzzles(path, options, loaded, terminal);
    const note = verifyPuzzles(path, options, loaded);
    if (!options.json) showSettings({ place, options, loaded, backend }, terminal);
    if (note !== undefined) terminal.remark(`note: ${note}`);
    await run(terminal);
    if (!options.json && !(svg !== undefined && isStandardOutput(svg)))
      showNext(terminal, nextCommands(place, options));
    loaded.model.dispose();
  } finally {
    backend.dispose();
  }
}

/** An evaluation whose input has been checked. Errors in the input appear before anything is printed. */
type Prepared = (terminal: Terminal) => Promise<void>;

function prepareArc(path: string, options: EvalOptions, loaded: LoadedRun): Prepared {
  const data = options.data ?? (isModelFolder(path) ? undefined : dataFolderOf(runFolderOf(path)));
  const checked = arcOptions({ ...options, ...(data !== undefined && { data }) });
  openDataSplit(checked.data, "test", loaded.config.model).close();
  return (terminal) => evalArc(checked, loaded, terminal);
}

function preparePuzzles(path: string, options: EvalOptions, loaded: LoadedRun, terminal: Terminal): Prepared {
  const set = openPuzzles(path, options, loaded, terminal);
  const { vote } = options;
  const rollouts = rolloutSettings(options);
  return async () => {
    try {
      if (vote !== undefined) await evalVote(set, options, { ...loaded, vote }, terminal);
      else if (rollouts) await evalRollouts(set, options, { ...loaded, rollouts }, terminal);
      else await evalPuzzles(set, options, loaded, terminal);
    } finally {
      if ("close" in set) set.close();
    }
  };
}

async function evalRollouts(
  set: PuzzleSet,
  { halt, json, svg, select }: EvalOptions,
  { rollouts, ...loaded }: LoadedRun & { readonly rollouts: RolloutSettings },
  terminal: Terminal,
): Promise<void> {
  const start = performance.now();
  const evaluator = (model: Model, puzzles: EvaluationSet, options: EvaluationOptions): Promise<RolloutEvaluation> =>
    evaluateRollouts(model, puzzles, { ...options, ...rollouts });
  const measured = await measure(evaluator, loaded, set, terminal, halt.steps);
  if (json) terminal.print(JSON.stringify(rolloutJson(measured)));
  else for (const line of rolloutTable(measured, select, (performance.now() - start) / 1000)) terminal.print(line);
  if (svg !== undefined) writeOutput(svg, rolloutSvg(measured));
}

async function evalVote(
  set: PuzzleSet,
  { halt, json, noiseSeed: symmetrySeed }: EvalOptions,
  { vote: votes, ...loaded }: LoadedRun & { readonly vote: number },
  terminal: Terminal,
): Promise<void> {
  const start = performance.now();
  const { task } = loaded;
  const evaluator = (model: Model, puzzles: EvaluationSet, options: EvaluationOptions): Promise<VoteEvaluation> =>
    evaluateVote(model, puzzles, { ...options, task, votes, symmetrySeed });
  const measured = await measure(evaluator, loaded, set, terminal, halt.steps);
  if (json) terminal.print(JSON.stringify(measured));
  else for (const line of voteTable(measured, task, (performance.now() - start) / 1000)) terminal.print(line);
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

function nextCommands(place: ModelPlace, options: EvalOptions): [string, string][] {
  const { halt, csv, data, checkpoint, task } = options;
  const name = shellPath(place.name);
  const where = [
    checkpoint === "last" ? "" : ` --checkpoint ${checkpoint}`,
    task === undefined ? "" : ` --task ${shellPath(task)}`,
    csv === undefined ? "" : ` --csv ${shellPath(csv)}`,
    data === undefined ? "" : ` --data ${shellPath(data)}`,
  ].join("");
  return [
    halt.threshold === null
      ? ["stop early", `eval ${name}${where} --halt q`]
      : ["all steps", `eval ${name}${where} --halt fixed`],
    ["compare", `eval ${name}${where} --sweep`],
    ["describe", `info ${name}`],
  ];
}
