// `trm ablate`: the ablation table of the paper at small scale, with equal compute for every row.
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { CheckpointError } from "../../formats/index.ts";
import { taskOf } from "../../puzzles/index.ts";
import {
  type AblationPlan,
  type InitialWeights,
  isAblation,
  lockAblation,
  maxSeeds,
  OccupiedError,
  readCells,
  readInitialWeights,
  readPlan,
  readUnfinished,
  saveUnfinished,
  writeCell,
  writePlan,
} from "../../runs/index.node.ts";
import {
  type AblationAbout,
  type AblationRow,
  ablated,
  ablationRows,
  ablationTable,
  everyRow,
  laterRows,
  measureSpeed,
  operationsOfAll,
  presetFor,
  reportRow,
  stepsFor,
  trainCell,
} from "../../runs/index.ts";
import { Random } from "../../tensor/index.ts";
import { type Config, type ExampleSets, Model, parseConfig } from "../../trm/index.ts";
import { difficultyText } from "../describe-run.ts";
import { UsageError } from "../explain.ts";
import { counted, duration, percent } from "../format.ts";
import { type GeneratedOptions, generatedChoice, generatedOptions, presetClues } from "../generated-choice.ts";
import {
  type ComputeOptions,
  chooseBackend,
  computeOptions,
  outputFolder,
  positiveNumber,
  wholeNumber,
} from "../options.ts";
import { startProgress } from "../progress.ts";
import { mergeSettings, modelSettings, parseSet } from "../settings.ts";
import { initialWeightsText, placeOfModel } from "../shipped-models.ts";
import { listenForStop } from "../stop-request.ts";
import { openTerminal, type Terminal } from "../terminal.ts";
import { packState } from "../training-session.ts";
import { invocation } from "../version.ts";

const tasks = ["sudoku4", "sudoku6", "sudoku9", "maze"] as const;
const defaultMinutes = 0.5;
const defaultSeeds = 3;

interface AblateOptions extends ComputeOptions, GeneratedOptions {
  readonly task: (typeof tasks)[number];
  readonly isTaskNamed: boolean;
  readonly minutes?: number;
  readonly steps?: number;
  readonly seeds?: number;
  readonly rows?: readonly AblationRow[];
  readonly puzzles?: number;
  readonly set: readonly string[];
  readonly init?: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly json?: boolean;
}

export function ablateCommand(): Command {
  const command = new Command("ablate")
    .summary("run the ablations of the paper at small scale")
    .description("Trains every row of the paper's ablation table at small scale with equal compute and several seeds.")
    .addOption(new Option("--task <name>", "puzzles to generate and learn").choices(tasks).default("sudoku4"));
  for (const option of generatedOptions(presetClues)) command.addOption(option);
  command
    .addOption(
      new Option(
        "--minutes <m>",
        `minutes for which the row trm trains per seed; every row gets the same number of operations (default: ${defaultMinutes})`,
      ).argParser(positiveNumber),
    )
    .addOption(
      new Option("--steps <n>", "instead of --minutes: training steps of the row trm")
        .argParser(wholeNumber(1))
        .conflicts("minutes"),
    )
    .addOption(
      new Option("--seeds <k>", `seeds 1 to k for every row (default: ${defaultSeeds})`).argParser(
        wholeNumber(1, maxSeeds),
      ),
    )
    .addOption(
      new Option("--rows <names>", "rows, separated by commas (default: those of the paper, see below)").argParser(
        parseRows,
      ),
    )
    .addOption(
      new Option(
        "--puzzles <n>",
        "number of puzzles to generate for training (default: that of preset small)",
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      new Option("--set <key=value...>", "settings of the row trm that override preset small").default([], "none"),
    )
    .option("--init <dir>", `start every row and seed from ${initialWeightsText()} instead of random weights`)
    .option("--out <dir>", "folder for the results (default: runs/ablation-TASK)", outputFolder)
    .addOption(
      new Option("--resume", "continue the ablation in the folder of --out").conflicts([
        "minutes",
        "steps",
        "side",
        "longerThan",
        "clues",
        "puzzles",
        "set",
        "init",
      ]),
    );
  for (const option of computeOptions()) command.addOption(option);
  return command
    .option("--json", "print the table as one JSON object")
    .addHelpText("after", helpText)
    .action((options: AblateOptions) =>
      ablate({ ...options, isTaskNamed: command.getOptionValueSource("task") === "cli" }),
    );
}

const rowsText = (rows: readonly AblationRow[]): string =>
  rows.map(({ key, name }) => `  ${key.padEnd(18)} ${name}`).join("\n");

const helpText = (): string => `
Rows:
${rowsText(ablationRows)}

Methods published after the paper (docs/after-the-paper.md):
${rowsText(laterRows)}

Every row and seed trains with the same number of floating-point operations: the
number that the row trm needs for --steps, or for --minutes on this machine,
measured once. Afterwards the load of the machine and the speed of the kernels
change nothing. With --steps the results are the same on every machine with the
same backend and build. Ctrl-C saves the row in training. --resume continues it
with the rows and seeds in the folder, to which --rows and --seeds can add.

The table shows the full-scale numbers of the paper beside ours. Compare only
the order of the rows, because tasks and scales differ: docs/evaluation.md

Examples:
  ${invocation} ablate --task sudoku4 --minutes 0.5 --seeds 3
  ${invocation} ablate --rows trm,hrm,direct --minutes 1 --out runs/three
  ${invocation} ablate --rows trm,eqr,easy-mixing --task sudoku6 --steps 1400
  ${invocation} ablate --rows trm,eqr --task maze --side 9 --steps 3000
  ${invocation} ablate --rows trm,eqr --task sudoku9 --init runs/easy --steps 600
  ${invocation} ablate --resume --seeds 5`;

function parseRows(text: string): AblationRow[] {
  const rows = text.split(",").map((key) => {
    const row = everyRow.find((each) => each.key === key.trim());
    if (!row)
      throw new InvalidArgumentError(
        `Got the row ${key}, expected some of ${everyRow.map((each) => each.key).join(", ")}.`,
      );
    return row;
  });
  return [...new Set(rows)];
}

async function ablate(options: AblateOptions): Promise<void> {
  const { json } = options;
  const folder = options.out ?? `runs/ablation-${options.task}`;
  const terminal = openTerminal(json ? "stderr" : "stdout");
  const backend = await chooseBackend(options);
  try {
    const openStudy = await prepareStudy(folder, options, terminal);
    const lock = lockAblation(folder);
    try {
      await runStudy(folder, await openStudy(), options, terminal);
    } finally {
      lock.release();
    }
  } finally {
    backend.dispose();
  }
}

async function runStudy(
  folder: string,
  study: Study,
  { json }: Pick<AblateOptions, "json">,
  terminal: Terminal,
): Promise<void> {
  const base = parseConfig(study.base, folder);
  terminal.remark(`folder   ${folder}`);
  terminal.remark(`compute  ${study.budget.toExponential(2)} floating-point operations per row and seed`);
  if (study.init) terminal.remark(`weights  those of ${study.init.source}`);
  await trainMissing(folder, study, base, terminal);
  const cells = readCells(folder).filter(({ seed }) => seed <= study.seeds);
  const about: AblationAbout & AblationPlan = { ...study, scale: scaleText(study, base) };
  const reports = rowsOf(study).map((row) => reportRow(row, base.model, cells));
  const missing = study.rows.length * study.seeds - cells.filter(({ row }) => study.rows.includes(row)).length;
  const ending = missing > 0 ? "stopped" : "goal";
  if (json) terminal.print(JSON.stringify({ ...about, ending, rows: reports }));
  else for (const line of ["", ...ablationTable(about, reports)]) terminal.print(line);
}

/** A plan whose rows and seeds are known. */
type Study = AblationPlan & { readonly rows: string[]; readonly seeds: number };

const keysOf = (rows: readonly AblationRow[]): string[] => rows.map(({ key }) => key);
const rowsOf = ({ rows }: Pick<Study, "rows">): AblationRow[] =>
  rows.map((key) => everyRow.find((row) => row.key === key)!);

/** Checks the options before the folder is locked. The result opens the study, and is called while the folder is locked. */
async function prepareStudy(
  folder: string,
  options: AblateOptions,
  terminal: Terminal,
): Promise<() => Study | Promise<Study>> {
  if (!options.resume) return prepareNew(folder, options, terminal);
  readPlan(folder);
  return () => earlierStudy(folder, options);
}

/** The study in the folder, with the rows and seeds that the options add to it. @throws UsageError if they contradict it */
function earlierStudy(folder: string, options: AblateOptions): Study {
  const plan = readPlan(folder);
  const refuse = (what: string): never => {
    throw new UsageError(`ablate: ${what} as in the ablation in ${folder}`);
  };
  const { task } = plan;
  if (options.isTaskNamed && task.name !== options.task) refuse(`--task ${options.task}: expected ${task.name}`);
  const rows = options.rows ? keysOf(options.rows) : (plan.rows ?? rowsOfCells(folder));
  const missing = plan.rows?.find((key) => !rows.includes(key));
  if (missing !== undefined) refuse(`--rows ${rows}: leaves out ${missing}, expected at least ${plan.rows}`);
  const seeds = options.seeds ?? plan.seeds ?? defaultSeeds;
  if (plan.seeds !== undefined && seeds < plan.seeds) refuse(`--seeds ${seeds}: expected at least ${plan.seeds}`);
  const study = { ...plan, rows, seeds };
  // A finished ablation can be shown without the weights that it started from.
  const init = missingCells(folder, study).length > 0 ? initialWeights(study) : undefined;
  expectFit(rowsOf(study), parseConfig(plan.base, folder), init);
  writePlan(folder, study);
  return study;
}

/** The rows of the finished cells, for a folder that was written before rows were stored; those of the paper if there are none. */
function rowsOfCells(folder: string): string[] {
  const trained = new Set(readCells(folder).map(({ row }) => row));
  return keysOf(trained.size > 0 ? everyRow.filter(({ key }) => trained.has(key)) : ablationRows);
}

/** The initial weights of a study, unless they are random. @throws CheckpointError if they are missing or have changed */
function initialWeights({ init }: Pick<Study, "init">): InitialWeights | undefined {
  if (init === undefined) return undefined;
  const weights = readInitialWeights(init.source, false);
  if (weights.about.sha256 === init.sha256) return weights;
  throw new CheckpointError(`${init.source}: the weights have changed since the ablation started from them`);
}

/** @throws ConfigError or CheckpointError for a row that does not fit the base or the initial weights, before any row is trained */
function expectFit(rows: readonly AblationRow[], base: Config, init: InitialWeights | undefined): void {
  for (const row of rows) {
    const config = ablated(row, base);
    if (init === undefined) continue;
    const model = new Model(config.model, new Random(0));
    try {
      init.apply({ model, ema: null });
    } catch (error) {
      throw new CheckpointError(`row ${row.key}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      model.dispose();
    }
  }
}

/** Seconds of the speed measurement. */
const calibrationSeconds = 5;

async function prepareNew(folder: string, options: AblateOptions, terminal: Terminal): Promise<() => Promise<Study>> {
  const { settings, data } = presetFor("small", options.task);
  const { side, longerThan, clues = data.clues } = options;
  const { choice: task } = await generatedChoice(options.task, { side, longerThan, clues }, "ablate --task");
  const init = options.init === undefined ? undefined : readInitialWeights(placeOfModel(options.init).path, false);
  const fromInit = init === undefined ? [] : [modelSettings(options.init!, init)];
  const sources = [{ where: "preset small", settings }, ...fromInit, parseSet(options.set)];
  const config = mergeSettings(sources, taskOf(task));
  const { rows = ablationRows, seeds = defaultSeeds, steps, minutes = defaultMinutes } = options;
  expectFit(rows, config, init);
  const puzzles = { train: options.puzzles ?? data.train, unseen: data.unseen };
  const base = { ...config.model, ...config.training };
  const shared = {
    task,
    puzzles,
    base,
    rows: keysOf(rows),
    seeds,
    ...(init && { init: { ...init.about, source: resolve(init.about.source) } }),
  };
  return async () => {
    if (isAblation(folder)) throw new OccupiedError(`${folder} holds an ablation already: --resume continues it`);
    const study: Study =
      steps === undefined
        ? { ...shared, minutes, budget: await budgetOf(minutes, config, shared, terminal) }
        : { ...shared, steps, budget: operationsOfAll(config, steps) };
    writePlan(folder, study);
    return study;
  };
}

/** Floating-point operations that this machine makes in some minutes of training. */
async function budgetOf(minutes: number, config: Config, plan: PuzzlePlan, terminal: Terminal): Promise<number> {
  terminal.remark("measuring the speed of this machine");
  const seconds = minutes * 60;
  return seconds * (await measureSpeed(config, setsOf(plan, 0), Math.min(calibrationSeconds, seconds)));
}

type PuzzlePlan = Pick<AblationPlan, "task" | "puzzles">;

/** The puzzles of a seed, which are the same for every row. */
function setsOf({ task, puzzles }: PuzzlePlan, seed: number): ExampleSets {
  return taskOf(task).generate({ train: puzzles.train, test: puzzles.unseen, seed });
}

/** Seed by seed, so that an interrupted ablation has complete columns. */
function missingCells(folder: string, study: Study): { readonly row: AblationRow; readonly seed: number }[] {
  const finished = readCells(folder);
  const seeds = Array.from({ length: study.seeds }, (_, index) => index + 1);
  return seeds
    .flatMap((seed) => rowsOf(study).map((row) => ({ row, seed })))
    .filter(({ row, seed }) => !finished.some((cell) => cell.row === row.key && cell.seed === seed));
}

async function trainMissing(folder: string, study: Study, base: Config, terminal: Terminal): Promise<void> {
  const missing = missingCells(folder, study);
  if (missing.length === 0) return;
  const weights = initialWeights(study);
  const progress = startProgress(terminal);
  const stop = listenForStop(() => {
    progress.clear();
    terminal.remark("stopping after this step, then saving; --resume continues (Ctrl-C again: stop at once)");
  });
  const begin = performance.now();
  let earlier = 0; // work that earlier sessions have done on these cells, in cells
  let puzzles: { seed: number; sets: ExampleSets } | undefined;
  try {
    for (const [index, { row, seed }] of missing.entries()) {
      if (await stop.check()) return;
      const isStopping = async (share: number): Promise<boolean> => {
        if (await stop.check()) return true;
        const done = index + share;
        const left = (((performance.now() - begin) / 1000) * (missing.length - done)) / (done - earlier);
        const where = `${index + 1} of ${missing.length}: ${row.name}, seed ${seed}`;
        progress.update(done / missing.length, `${where}, ${percent(share)} · ${duration(left)} left`);
        return false;
      };
      const config = ablated(row, base);
      const begun = readUnfinished(folder, row.key, seed);
      if (begun) earlier += begun.side.step / stepsFor(config, study.budget);
      if (puzzles?.seed !== seed) puzzles = { seed, sets: setsOf(study, seed) };
      const cell = await trainCell({
        row: row.key,
        seed,
        config,
        sets: puzzles.sets,
        budget: study.budget,
        init: weights && ((training) => weights.apply(training)),
        begun,
        isStopping,
        save: async (training, seconds) =>
          saveUnfinished(folder, row.key, seed, training.step, await packState(training, study, { seconds })),
      });
      if (!cell) return;
      writeCell(folder, cell);
      progress.clear();
      const cost = `${counted(cell.steps, "step")} in ${duration(cell.seconds)}${cell.diverged ? ", diverged" : ""}`;
      terminal.remark(`${row.name}, seed ${seed}: ${percent(cell.exact)} exact after ${cost}`);
    }
  } finally {
    progress.clear();
    stop.release();
  }
}

function scaleText({ task, puzzles, init }: AblationPlan, { model, training }: Config): string {
  const { hiddenSize, T, n, layers } = model;
  const size = task.side === undefined ? "" : ` ${task.side}x${task.side}`;
  const start = init === undefined ? "" : `; from the weights of ${init.source}`;
  return `${task.name}${size}${difficultyText(task)}, ${puzzles.unseen} unseen puzzles; row trm D ${hiddenSize}, ${layers} layers, T ${T}, n ${n}, batch ${training.batchSize}${start}`;
}
