// `trm eval`: how many puzzles a trained model solves, after every supervision step.
import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import type { Backend } from "../../tensor/index.ts";
import { DatasetError, type Evaluation, type Examples, evaluate } from "../../trm/index.ts";
import { readTaskCsv } from "../../trm/named-task.ts";
import { readSets, runFolderOf, unseenFile } from "../../trm/run-folder.node.ts";
import { accuracyTable } from "../accuracy-table.ts";
import { backendText } from "../describe-run.ts";
import { counted } from "../format.ts";
import { type LoadedModel, loadModel } from "../load-model.ts";
import { type ComputeOptions, chooseBackend, computeOptions, wholeNumber } from "../options.ts";
import { startProgress } from "../progress.ts";
import { openTerminal, type Terminal } from "../terminal.ts";
import { invocation } from "../version.ts";

interface EvalOptions extends ComputeOptions {
  readonly csv?: string;
  readonly limit?: number;
  readonly json?: boolean;
}

export function evalCommand(): Command {
  const command = new Command("eval")
    .summary("measure a trained model on unseen puzzles")
    .description("Measures a trained model: exact accuracy and cell accuracy after every supervision step.")
    .argument("<dir>", "run folder, or one checkpoint folder")
    .option("--csv <file>", "puzzles in the form source,question,answer,rating (default: the run's own unseen ones)")
    .addOption(new Option("--limit <n>", "only the first n puzzles").argParser(wholeNumber(1)));
  for (const option of computeOptions()) command.addOption(option);
  return command
    .option("--json", "print one JSON object: {puzzles, exact, cell, interval95, meanHaltStep}")
    .addHelpText("after", helpText)
    .action((path: string, options: EvalOptions) => evalRun(path, options));
}

const helpText = (): string => `
exact: share of puzzles whose every cell is right, after step 1, 2, ...; cell: share of right cells; interval95: of the last
exact; meanHaltStep: first step at which q says stop, on average (the evaluation itself always runs all steps).

Examples:
  ${invocation} eval runs/demo
  ${invocation} eval runs/demo --csv puzzles.csv --json
`;

async function evalRun(path: string, options: EvalOptions): Promise<void> {
  const terminal = openTerminal(options.json ? "stderr" : "stdout");
  const backend = await chooseBackend(options);
  try {
    const loaded = loadModel(path);
    const all = options.csv === undefined ? ownUnseen(path) : readCsv(options.csv, loaded);
    const examples = firstOf(all, options.limit ?? all.count);
    if (!options.json) announce(path, options, loaded, backend, terminal);
    const evaluation = await measure(loaded, examples, terminal);
    loaded.model.dispose();
    if (options.json) terminal.print(JSON.stringify(evaluation));
    else for (const line of accuracyTable(evaluation)) terminal.print(line);
  } finally {
    backend.dispose();
  }
}

function announce(
  path: string,
  { csv }: EvalOptions,
  loaded: LoadedModel,
  backend: Backend,
  { remark }: Terminal,
): void {
  remark(`model    ${path}, ${loaded.task.name}, after training step ${loaded.step}`);
  remark(`puzzles  ${csv ?? `the run's own unseen ones (${unseenFile})`}`);
  remark(`backend  ${backendText(backend)}`);
}

const ownUnseen = (path: string): Examples => readSets(runFolderOf(path)).unseen;

/** @throws DatasetError naming file, line and column of a broken row */
function readCsv(file: string, { choice }: LoadedModel): Examples {
  const examples = readTaskCsv(choice, readFileSync(file, "utf8"), file);
  if (examples.count === 0) throw new DatasetError("no puzzles after the header", { file });
  return examples;
}

function firstOf({ count, length, inputs, labels }: Examples, limit: number): Examples {
  const kept = Math.min(count, limit);
  return { count: kept, length, inputs: inputs.slice(0, kept * length), labels: labels.slice(0, kept * length) };
}

/** With a progress line if it takes long. */
export async function measure(
  { model, config }: Pick<LoadedModel, "model" | "config">,
  examples: Examples,
  terminal: Terminal,
): Promise<Evaluation> {
  const progress = startProgress(terminal, { after: 1_000 });
  const onProgress = async (done: number, total: number): Promise<void> => {
    progress.update(done / total, `evaluating: ${counted(done, "puzzle")} of ${total}`);
    await new Promise((resolve) => setImmediate(resolve)); // lets Ctrl-C in
  };
  const evaluation = await evaluate(model, examples, {
    ...config.training,
    batchSize: batchSizeFor(examples),
    onProgress,
  });
  progress.clear();
  return evaluation;
}

/** Large enough to compute well, small enough to show progress. */
const batchSizeFor = ({ count, length }: Examples): number => Math.min(count, Math.max(8, Math.floor(6_400 / length)));
